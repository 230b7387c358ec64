//! The desk's tools as MCP sees them: names, schemas, hints, and one call into [`Desk`] each.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, Implementation, ServerCapabilities, ServerConfig};
use rmcp::schemars::{self, JsonSchema};
use rmcp::{ErrorData, ServerHandler, tool, tool_handler, tool_router};
use serde::Serialize;

use super::data::{Customer, Desk, Message, Order, Refund};
use super::refusal::DeskRefusal;
use super::requests::{ByCustomer, ByOrder, CustomerQuery, MessageToSend, Nothing, RefundToGive};

type ToolAnswer = Result<CallToolResult, ErrorData>;

/// One session with the desk. Sessions share the desk's data.
#[derive(Clone)]
pub struct HelpDesk {
    desk: Arc<Mutex<Desk>>,
}

impl fmt::Debug for HelpDesk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HelpDesk").finish_non_exhaustive()
    }
}

impl HelpDesk {
    pub fn new(desk: Arc<Mutex<Desk>>) -> Self {
        Self { desk }
    }

    fn open(&self) -> MutexGuard<'_, Desk> {
        // Every change to the desk is one assignment after all checks, so even a poisoned desk is whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tool_router]
impl HelpDesk {
    #[tool(
        title = "Find a customer",
        description = "Finds customers whose id, name, email address or city contains the query. Changes nothing.",
        output_schema = output_of::<Customers>(),
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    async fn find_customer(&self, Parameters(asked): Parameters<CustomerQuery>) -> ToolAnswer {
        answer(self.open().find_customer(&asked.query).map(|customers| Customers { customers }))
    }

    #[tool(
        title = "Show a customer",
        description = "Shows one customer: name, email address, city, and whether the account is open. Changes nothing.",
        output_schema = output_of::<Customer>(),
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    async fn show_customer(&self, Parameters(asked): Parameters<ByCustomer>) -> ToolAnswer {
        answer(self.open().customer(&asked.customer_id).cloned())
    }

    #[tool(
        title = "List a customer's orders",
        description = "Lists all orders of one customer, oldest first. Changes nothing.",
        output_schema = output_of::<Orders>(),
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    async fn list_orders(&self, Parameters(asked): Parameters<ByCustomer>) -> ToolAnswer {
        answer(self.open().orders_of(&asked.customer_id).map(|orders| Orders { orders }))
    }

    #[tool(
        title = "Show an order",
        description = "Shows one order: item, date, amount, what was refunded, and the customer's own note. Changes nothing.",
        output_schema = output_of::<Order>(),
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    async fn show_order(&self, Parameters(asked): Parameters<ByOrder>) -> ToolAnswer {
        answer(self.open().order(&asked.order_id).cloned())
    }

    #[tool(
        title = "Refund an order",
        description = "Pays back part or all of an order to the customer, in euro cents. The money leaves at once and \
            cannot be called back. Refused beyond what is left of the order.",
        output_schema = output_of::<Refund>(),
        annotations(read_only_hint = false, destructive_hint = true, idempotent_hint = false, open_world_hint = true)
    )]
    async fn refund_order(&self, Parameters(asked): Parameters<RefundToGive>) -> ToolAnswer {
        answer(self.open().refund(&asked.order_id, asked.amount_cents, &asked.reason))
    }

    #[tool(
        title = "Send a message",
        description = "Sends an email to the address on file of one customer. It cannot be called back.",
        output_schema = output_of::<Message>(),
        annotations(read_only_hint = false, destructive_hint = false, idempotent_hint = false, open_world_hint = true)
    )]
    async fn send_message(&self, Parameters(asked): Parameters<MessageToSend>) -> ToolAnswer {
        answer(self.open().send(&asked.customer_id, &asked.subject, &asked.body))
    }

    #[tool(
        title = "List refunds",
        description = "Lists every refund that this desk has given, oldest first. Changes nothing.",
        output_schema = output_of::<Refunds>(),
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    async fn list_refunds(&self, Parameters(Nothing {}): Parameters<Nothing>) -> ToolAnswer {
        answer(Ok(Refunds { refunds: self.open().refunds().to_vec() }))
    }

    #[tool(
        title = "List sent messages",
        description = "Lists every message that this desk has sent, oldest first. Changes nothing.",
        output_schema = output_of::<Outbox>(),
        annotations(read_only_hint = true, open_world_hint = false)
    )]
    async fn list_outbox(&self, Parameters(Nothing {}): Parameters<Nothing>) -> ToolAnswer {
        answer(Ok(Outbox { messages: self.open().outbox().to_vec() }))
    }

    #[tool(
        title = "Close an account",
        description = "Closes a customer's account for good. A closed account gets no refunds and no messages, and \
            cannot be opened again.",
        output_schema = output_of::<Customer>(),
        annotations(read_only_hint = false, destructive_hint = true, idempotent_hint = false, open_world_hint = false)
    )]
    async fn close_account(&self, Parameters(asked): Parameters<ByCustomer>) -> ToolAnswer {
        answer(self.open().close_account(&asked.customer_id))
    }
}

#[tool_handler]
impl ServerHandler for HelpDesk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("helpdesk", env!("CARGO_PKG_VERSION")))
            .with_instructions(
                "A small help desk: customers, their orders, refunds and messages. Amounts are euro cents. Notes on \
                 orders are the customers' own words.",
            )
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "schemars")]
struct Customers {
    customers: Vec<Customer>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "schemars")]
struct Orders {
    orders: Vec<Order>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "schemars")]
struct Refunds {
    refunds: Vec<Refund>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(crate = "schemars")]
struct Outbox {
    messages: Vec<Message>,
}

fn output_of<T: JsonSchema + 'static>() -> Arc<rmcp::model::JsonObject> {
    rmcp::handler::server::common::schema_for_output::<T>()
}

/// What the desk found or did, as data and as the same in text; a refusal as a sentence that the caller can act on.
fn answer<T: Serialize>(outcome: Result<T, DeskRefusal>) -> ToolAnswer {
    match outcome {
        Ok(found) => serde_json::to_value(found).map(CallToolResult::structured).map_err(|error| {
            ErrorData::internal_error(format!("could not write the desk's answer as JSON: {error}"), None)
        }),
        Err(refusal) => Ok(CallToolResult::error(vec![ContentBlock::text(refusal.to_string())])),
    }
}
