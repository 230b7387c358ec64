use super::*;

/// Half past noon.
const NOW: Timestamp = Timestamp::from_millis(20_000 * 86_400_000 + 45_000_000);

fn calls(allowed: u64, asked: u64, denied: u64) -> Calls {
    Calls { allowed, asked, denied }
}

fn minutes_ago(minutes: u64) -> Timestamp {
    NOW.minus_seconds(60 * minutes)
}

#[test]
fn each_step_is_in_its_hour_and_what_is_older_in_none() {
    let steps = [
        (minutes_ago(0), calls(1, 0, 0)),
        (minutes_ago(30), calls(2, 1, 0)),
        (minutes_ago(31), calls(0, 0, 4)),
        (minutes_ago(30), calls(5, 0, 0)),
        (begins_at(NOW), calls(0, 7, 0)),
        (begins_at(NOW).minus_seconds(1), calls(9, 9, 9)),
        (NOW.plus_seconds(3_600), calls(9, 9, 9)),
    ];
    let hours = hours(&steps, NOW);
    assert_eq!(hours.len(), HOURS);
    assert_eq!((hours[23].calls, hours[22].calls, hours[0].calls), (calls(8, 1, 0), calls(0, 0, 4), calls(0, 7, 0)));
    assert_eq!(hours.iter().map(|hour| hour.calls.total()).sum::<u64>(), 20);
    assert_eq!((hours[23].clock(), hours[0].clock()), ("12:00".to_owned(), "13:00".to_owned()));
}

#[test]
fn a_bar_is_as_tall_as_its_calls_and_none_is_too_small_to_see() {
    let hours = hours(&[(NOW, calls(5_000, 0, 1)), (minutes_ago(60), calls(0, 2_500, 0))], NOW);
    let drawn = picture(&hours).into_string();
    assert_eq!(drawn.matches("<rect class=\"good\"").count(), 1);
    assert!(drawn.contains("<rect class=\"good\" x=\"231\" y=\"41\" width=\"7\" height=\"959\">"), "{drawn}");
    assert!(drawn.contains("<rect class=\"waits\" x=\"221\" y=\"521\" width=\"7\" height=\"479\">"), "{drawn}");
    assert!(drawn.contains("<rect class=\"bad\" x=\"231\" y=\"29\" width=\"7\" height=\"12\">"), "{drawn}");
    assert!(!drawn.contains("style="), "a style on the page would not be obeyed");
}

#[test]
fn whoever_does_not_see_it_reads_the_same() {
    let hours = hours(&[(NOW, calls(3, 0, 1)), (minutes_ago(90), calls(1, 0, 0))], NOW);
    let words = "In the last 24 hours: 5 calls, 4 allowed, 0 asked, 1 refused. The busiest hour began at 12:00 UTC, with 4 calls.";
    assert_eq!(summary(&hours), words);
    assert!(picture(&hours).into_string().contains(&format!("role=\"img\" aria-label=\"{words}\"")));
    let table = table(&hours).into_string();
    assert_eq!(table.matches("<tr>").count(), 3, "{table}");
    assert!(table.find("12:00") < table.find("11:00"), "{table}");
    let quiet = super::hours(&[], NOW);
    assert_eq!(summary(&quiet), "No calls in the last 24 hours.");
    assert!(super::table(&quiet).into_string().contains("No hour has a call."));
}
