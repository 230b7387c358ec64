use super::*;

#[test]
fn a_desk_opens_with_six_customers_and_twelve_orders() {
    let desk = Desk::opening_day();
    assert_eq!(desk.customers.len(), 6);
    assert_eq!(desk.orders.len(), 12);
    assert!(desk.refunds().is_empty() && desk.outbox().is_empty());
    for order in &desk.orders {
        assert!(desk.customer(&order.customer_id).is_ok(), "order `{}` belongs to nobody", order.order_id);
    }
}

#[test]
fn customers_are_found_by_any_part_in_any_case() {
    let desk = Desk::opening_day();
    let found = |query| desk.find_customer(query).unwrap().into_iter().map(|one| one.customer_id).collect::<Vec<_>>();
    assert_eq!(found("ADA"), ["C-1001"]);
    assert_eq!(found("lyon"), ["C-1002"]);
    assert_eq!(found("c-100").len(), 6);
    assert!(found("nobody").is_empty());
    assert_eq!(desk.find_customer("  "), Err(DeskRefusal::Empty { field: "query" }));
}

#[test]
fn refunds_add_up_to_the_order_and_no_further() {
    let mut desk = Desk::opening_day();
    let first = desk.refund("O-5001", 4_000, "scratched").unwrap();
    assert_eq!((first.refund_id.as_str(), first.customer_id.as_str()), ("R-1", "C-1001"));
    assert_eq!(
        desk.refund("O-5001", 901, "scratched again"),
        Err(DeskRefusal::MoreThanRemains { order_id: "O-5001".into(), amount_cents: 901, remaining_cents: 900 })
    );
    assert_eq!(desk.refund("O-5001", 900, "the rest").unwrap().refund_id, "R-2");
    assert_eq!(desk.order("O-5001").unwrap().remaining_cents(), 0);
    assert_eq!(desk.refunds().len(), 2);
}

#[test]
fn a_refused_refund_changes_nothing() {
    let mut desk = Desk::opening_day();
    assert_eq!(desk.refund("O-5001", 0, "why not"), Err(DeskRefusal::NothingToRefund));
    assert_eq!(desk.refund("O-5001", 1, " "), Err(DeskRefusal::Empty { field: "reason" }));
    assert!(matches!(desk.refund("O-9", 1, "x"), Err(DeskRefusal::NoSuchOrder { .. })));
    assert!(matches!(desk.refund("O-5001", u64::MAX, "x"), Err(DeskRefusal::MoreThanRemains { .. })));
    assert!(desk.refunds().is_empty());
    assert_eq!(desk.order("O-5001").unwrap().refunded_cents, 0);
}

#[test]
fn a_message_goes_to_the_address_on_file() {
    let mut desk = Desk::opening_day();
    let message = desk.send("C-1003", "Your order", "It is on its way.").unwrap();
    assert_eq!((message.message_id.as_str(), message.to.as_str()), ("M-1", "chiara.conti@customers.example"));
    assert_eq!(
        desk.send("C-1003", "Long", &"x".repeat(BODY_CHARACTERS_MAX + 1)),
        Err(DeskRefusal::TooLong { field: "body", characters_max: BODY_CHARACTERS_MAX })
    );
    assert_eq!(desk.outbox().len(), 1);
}

#[test]
fn a_closed_account_stays_closed() {
    let mut desk = Desk::opening_day();
    assert_eq!(desk.close_account("C-1006").unwrap().account, Account::Closed);
    let closed = DeskRefusal::AccountClosed { customer_id: "C-1006".into() };
    assert_eq!(desk.close_account("C-1006"), Err(closed.clone()));
    assert_eq!(desk.send("C-1006", "Hello", "again"), Err(closed.clone()));
    assert_eq!(desk.refund("O-5012", 100, "bent"), Err(closed));
    assert_eq!(desk.customer("C-1006").unwrap().account, Account::Closed);
}

#[test]
fn a_full_desk_refuses_more() {
    let mut desk = Desk::opening_day();
    for _ in 0..RECORDS_MAX {
        desk.send("C-1001", "s", "b").unwrap();
    }
    assert_eq!(desk.send("C-1001", "s", "b"), Err(DeskRefusal::Full));
}

#[test]
fn refusals_do_not_repeat_a_caller_at_length() {
    let desk = Desk::opening_day();
    let refusal = desk.customer(&"é".repeat(5_000)).unwrap_err().to_string();
    assert!(refusal.chars().count() < LINE_CHARACTERS_MAX + 100, "{refusal}");
}
