//! Why the desk refuses: one sentence each, told to the caller as the result of its call.

/// A call that the desk understood and refused. The caller may correct it and try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskRefusal {
    #[error("there is no customer `{customer_id}`; `find_customer` lists who there is")]
    NoSuchCustomer { customer_id: String },
    #[error("there is no order `{order_id}`; `list_orders` lists a customer's orders")]
    NoSuchOrder { order_id: String },
    #[error("the account of customer `{customer_id}` is closed; nothing more can be sent to it or changed in it")]
    AccountClosed { customer_id: String },
    #[error("a refund must be at least one cent")]
    NothingToRefund,
    #[error(
        "`{amount_cents}` cents is more than order `{order_id}` has left to refund; at most `{remaining_cents}` cents are"
    )]
    MoreThanRemains { order_id: String, amount_cents: u64, remaining_cents: u64 },
    #[error("`{field}` is empty; write something a person can read")]
    Empty { field: &'static str },
    #[error("`{field}` is longer than `{characters_max}` characters; shorten it")]
    TooLong { field: &'static str, characters_max: usize },
    #[error("the desk holds as many records as it can; start it again to begin a new day")]
    Full,
}
