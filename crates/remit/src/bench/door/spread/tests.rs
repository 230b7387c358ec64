use super::*;

#[test]
fn the_middle_of_an_even_number_lies_between_the_two() {
    assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { min: 1.0, median: 2.0, max: 3.0 });
    assert_eq!(Spread::of([4.0, 1.0]), Spread { min: 1.0, median: 2.5, max: 4.0 });
    assert!(Spread::of([]).median.is_nan());
}

#[test]
fn quantiles_are_values_that_were_measured() {
    let sorted: Vec<u64> = (1..=100).collect();
    assert_eq!(quantile(&sorted, 0.5), 50.0);
    assert_eq!(quantile(&sorted, 0.99), 99.0);
    assert_eq!(quantile(&[7], 0.99), 7.0);
    assert!(quantile(&[], 0.5).is_nan());
}
