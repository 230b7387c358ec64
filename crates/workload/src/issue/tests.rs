use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

proptest! {
    #[test]
    fn renewal_is_around_half_of_the_life(seconds in 1_u64..100_000, random in any::<u64>()) {
        let at = renew_at(NOW, NOW.plus_seconds(seconds), random).millis_since(NOW);
        let life = seconds * 1_000;
        prop_assert!(at >= life * 2 / 5 && at <= life * 3 / 5, "{at} of {life}");
    }
}

#[test]
fn a_life_that_is_over_is_renewed_at_once() {
    assert_eq!(renew_at(NOW, NOW, 7), NOW);
    assert_eq!(renew_at(NOW, NOW.minus_seconds(5), 7), NOW);
}

#[test]
fn what_is_dropped_is_not_denied() {
    let moment = remit_domain::Moment::new(NOW, 7);
    let asked = |pid: usize| Asked {
        process: ProcessId { pid: i32::try_from(pid).unwrap(), started_at_ticks: 1 },
        id: String::new(),
        audience: None,
    };
    let issued = |renew_seconds: u64| Issued {
        document: Document::Jwt("".into()),
        agent: moment.fresh_id(),
        task: None,
        expires_at: NOW.plus_seconds(2 * renew_seconds),
        renew_at: NOW.plus_seconds(renew_seconds),
        key: String::new(),
    };
    let mut made = Made::default();
    (0..limits::SVIDS_KEPT_MAX - 1).for_each(|pid| made.keep(asked(pid), issued(100), NOW));
    made.keep(asked(10_000), issued(10), NOW);
    assert_eq!(made.dropped_until, None);
    // The one that is to be renewed makes room, although it still verifies.
    made.keep(asked(10_001), issued(100), NOW.plus_seconds(15));
    assert_eq!(made.dropped_until, Some(NOW.plus_seconds(20)));
    // And now there is none.
    made.keep(asked(10_002), issued(200), NOW.plus_seconds(15));
    assert_eq!(made.dropped_until, Some(NOW.plus_seconds(400)));
    assert_eq!(made.known.len(), limits::SVIDS_KEPT_MAX);
}
