use super::*;

#[test]
fn a_group_names_its_first_records_and_says_if_there_are_more() {
    let group =
        |count: u64| json!({"attempts": count, "first": (0..count).map(|seq| json!({"seq": seq})).collect::<Vec<_>>()});
    assert_eq!(with_records(&group(2))["records"], "0, 1");
    assert_eq!(with_records(&group(5))["records"], "0, 1, 2, …");
}

#[test]
fn a_problem_on_the_way_is_the_answer() {
    let output = Output::new(false);
    let mut told = Told::new(&output);
    told.take(&json!({"progress": {"records": 5, "of": 10, "attempts": 2, "different": 0}}));
    told.take(&json!({"problem": {"code": "storage_unavailable", "sentence": "cannot read the ledger"}}));
    assert!(matches!(told.finish(), Err(Failure::Refused(refusal)) if refusal.code == "storage_unavailable"));
    assert!(matches!(Told::new(&output).finish(), Err(Failure::Fault(_))), "an answer without an end is none");
}
