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
