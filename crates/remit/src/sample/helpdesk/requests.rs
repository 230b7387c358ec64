//! What each tool takes. The schemas that clients see come from these types; a member that is not named here is refused.

use rmcp::schemars::{self, JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct CustomerQuery {
    /// Part of an id, name, email address or city; upper and lower case are the same.
    #[schemars(length(min = 1, max = 200))]
    pub query: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct ByCustomer {
    /// A customer's id, like `C-1001`.
    pub customer_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct ByOrder {
    /// An order's id, like `O-5001`.
    pub order_id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct RefundToGive {
    /// The id of the order to refund, like `O-5001`.
    pub order_id: String,
    /// How much to pay back, in euro cents: 1250 is 12.50 euro.
    #[schemars(schema_with = "at_least_one_cent")]
    pub amount_cents: u64,
    /// Why, in one line that the customer may read.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct MessageToSend {
    /// The id of the customer to write to, like `C-1001`.
    pub customer_id: String,
    #[schemars(length(min = 1, max = 200))]
    pub subject: String,
    #[schemars(length(min = 1, max = 8000))]
    pub body: String,
}

/// For tools that take nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "schemars")]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

fn at_least_one_cent(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1 })
}
