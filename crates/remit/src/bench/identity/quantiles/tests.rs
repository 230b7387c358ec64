use super::*;

#[test]
fn quantiles_are_of_nearest_rank() {
    let of = |range: std::ops::RangeInclusive<u64>| Quantiles::of(range.rev().map(Duration::from_millis));
    assert_eq!(of(1..=100), Quantiles { p50: 50.0, p99: 99.0, max: 100.0 });
    assert_eq!(of(1..=1_000), Quantiles { p50: 500.0, p99: 990.0, max: 1_000.0 });
    assert_eq!(of(7..=7), Quantiles { p50: 7.0, p99: 7.0, max: 7.0 });
    assert!(Quantiles::of([]).p50.is_nan());
}
