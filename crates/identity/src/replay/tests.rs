use super::*;

const NOW: i64 = 1_800_000_000;

#[test]
fn each_proof_holds_once_for_its_holder() {
    let mut cache = ReplayCache::new(NOW);
    assert!(cache.insert("key", "j1", NOW, NOW));
    assert!(!cache.insert("key", "j1", NOW, NOW));
    assert!(!cache.insert("key", "j1", NOW + 5, NOW), "the same name with another time is the same proof");
    assert!(cache.insert("key", "j2", NOW, NOW));
    assert!(cache.insert("other", "j1", NOW, NOW));
    assert!(cache.insert("keyj", "1", NOW, NOW), "holder and name do not run together");
    assert_eq!(cache.len(), 4);
}

#[test]
fn what_could_not_be_shown_again_is_forgotten() {
    let mut cache = ReplayCache::new(NOW);
    assert!(cache.insert("key", "j1", NOW, NOW));
    assert!(!cache.insert("key", "j1", NOW, NOW + limits::REPLAY_SECONDS));
    assert!(!cache.insert("key", "j1", NOW, NOW + limits::REPLAY_SECONDS + 1), "too old to judge");
    assert!(cache.is_empty());
}

#[test]
fn a_full_memory_refuses() {
    let mut cache = ReplayCache::with_entries_max(NOW, 2);
    assert!(cache.insert("key", "j1", NOW, NOW));
    assert!(cache.insert("key", "j2", NOW, NOW));
    assert!(!cache.insert("key", "j3", NOW, NOW));
    assert!(cache.insert("key", "j3", NOW + 61, NOW + 61), "room again once the first two are forgotten");
}

#[test]
fn proofs_from_before_the_start_are_refused() {
    let mut cache = ReplayCache::new(NOW);
    assert!(!cache.insert("key", "j1", NOW - 1, NOW));
    assert!(cache.is_empty());
}

#[test]
fn extreme_times_do_no_harm() {
    let mut cache = ReplayCache::new(i64::MIN);
    assert!(!cache.insert("key", "j1", i64::MIN, i64::MAX));
    assert!(cache.insert("key", "j1", i64::MAX, i64::MIN));
    assert!(!cache.insert("key", "j1", i64::MAX, i64::MAX));
}

#[test]
fn one_holder_does_not_shut_out_the_others() {
    let mut cache = ReplayCache::new(NOW);
    for number in 0..limits::REPLAY_HOLDER_ENTRIES_MAX {
        assert!(cache.insert("greedy", &number.to_string(), NOW, NOW));
    }
    assert!(!cache.insert("greedy", "one more", NOW, NOW));
    assert!(cache.insert("other", "j1", NOW, NOW));
    assert!(cache.insert("greedy", "one more", NOW + 61, NOW + 61), "room again once its own are forgotten");
}

#[test]
fn what_can_be_shown_for_longer_is_remembered_for_longer() {
    let mut cache = ReplayCache::new(NOW);
    assert!(cache.insert_until("issuer", "j1", NOW, NOW + 3_600, NOW));
    assert!(!cache.insert_until("issuer", "j1", NOW, NOW + 3_600, NOW + 3_600));
    assert!(!cache.insert_until("issuer", "j2", NOW - 1, NOW + 3_600, NOW), "from before the start");
}
