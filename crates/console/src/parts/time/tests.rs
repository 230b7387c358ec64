use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[test]
fn times_are_relative_with_the_exact_one_beside() {
    let page = moment(NOW.minus_seconds(125), NOW).into_string();
    assert_eq!(page, r#"<time datetime="2027-01-15T07:57:55.000Z" title="2027-01-15T07:57:55.000Z">2 min ago</time>"#);
}

#[test]
fn spans_are_rounded_down() {
    for (seconds, words) in
        [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (7_000, "1 h"), (172_800, "2 days")]
    {
        assert_eq!(span(seconds * 1000 + 999), words);
    }
    assert_eq!(relative(NOW.plus_seconds(90), NOW), "in 1 min");
    assert_eq!(relative(NOW, NOW), "just now");
}

#[test]
fn what_is_over_says_so() {
    assert!(remaining(NOW.plus_seconds(60), NOW).into_string().contains("1 min left"));
    assert!(remaining(NOW.minus_seconds(60), NOW).into_string().contains("over since 1 min"));
}

#[test]
fn a_day_is_read_as_it_is_written_and_nothing_else_is() {
    assert_eq!(day(NOW), "2027-01-15");
    assert_eq!(day(midnight(" 2027-01-15 ").unwrap()), "2027-01-15");
    for other in ["", "2027-02-30", "15.01.2027", "2027-01-15T00:00:00Z", "<script>!!"] {
        assert_eq!(midnight(other).unwrap_err().code, "bad_date", "{other}");
    }
}
