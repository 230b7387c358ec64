use super::*;

#[test]
fn distance_counts_single_letter_changes() {
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("abc", ""), 3);
    assert_eq!(distance("kitten", "sitting"), 3);
    assert_eq!(distance("same", "same"), 0);
}

#[test]
fn a_slip_is_found_and_a_stranger_is_not() {
    let known = ["amount", "order_id", "note"];
    assert_eq!(nearest("ammount", known), Some("amount"));
    assert_eq!(nearest("orderid", known), Some("order_id"));
    assert_eq!(nearest("customer", known), None);
    assert_eq!(nearest("note", ["note"]), None, "the name itself is no suggestion");
}
