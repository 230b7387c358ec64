use super::*;

fn sighting(credential: &[u8], address: &str, svid: Option<&str>) -> Sighting {
    Sighting {
        credential: Digest::of_bytes(credential),
        kind: CredentialKind::Token,
        agent: format!("agt_{:026}", 1).parse().unwrap(),
        task: None,
        until: 1_800_000_900,
        origin: Origin::new(address.parse().ok(), svid),
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[test]
fn the_same_credential_from_two_places_is_told_once() {
    let sharing = Sharing::default();
    assert_eq!(sharing.note(&sighting(b"one", "10.0.0.1", None), NOW), None);
    assert_eq!(sharing.note(&sighting(b"one", "10.0.0.1", None), NOW), None);
    assert_eq!(sharing.note(&sighting(b"two", "10.0.0.2", None), NOW), None, "another credential");
    let parties = sharing.note(&sighting(b"one", "10.0.0.2", None), NOW);
    assert_eq!(parties, Some(vec!["address 10.0.0.1".to_owned(), "address 10.0.0.2".to_owned()]));
    assert_eq!(sharing.note(&sighting(b"one", "10.0.0.3", None), NOW), None, "told before");
}

#[test]
fn one_party_may_come_in_two_ways() {
    let sharing = Sharing::default();
    for (address, svid) in
        [("127.0.0.1", None), ("::1", None), ("::ffff:127.0.0.1", Some("spiffe://a/b")), ("::1", None)]
    {
        assert_eq!(sharing.note(&sighting(b"one", address, svid), NOW), None);
    }
    let parties = sharing.note(&sighting(b"one", "::1", Some("spiffe://a/c")), NOW);
    assert_eq!(parties, Some(vec!["spiffe://a/b".to_owned(), "spiffe://a/c".to_owned()]));
}

#[test]
fn what_was_not_used_for_longest_is_forgotten_first() {
    let sharing = Sharing::default();
    for place in 0..SIGHTINGS_KEPT_MAX as u64 {
        let at = NOW.plus_seconds(place / 100);
        assert_eq!(sharing.note(&sighting(&place.to_be_bytes(), "10.0.0.1", None), at), None);
    }
    assert_eq!(sharing.note(&sighting(b"new", "10.0.0.1", None), NOW.plus_seconds(660)), None);
    let kept = sharing.with(|seen| seen.len());
    assert!(kept < SIGHTINGS_KEPT_MAX && kept > SIGHTINGS_KEPT_MAX / 2, "{kept}");
    assert!(sharing.with(|seen| !seen.contains_key(&Digest::of_bytes(&0_u64.to_be_bytes()))));
}
