//! `/v1/operations`: what connectors can do, each pinned to the definition that a person approved.

use axum::Json;
use remit_domain::Operation;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::input::Ask;
use crate::page::{PageQuery, page};
use crate::{Problem, names};

pub(crate) fn view(state: &remit_domain::State, operation: &Operation) -> Value {
    json!({
        "name": operation.name,
        "verb": operation.verb,
        "risk": operation.risk,
        "data": operation.data,
        "external": operation.external,
        "irreversible": operation.irreversible,
        "projections": operation.projections,
        "digest": operation.digest,
        "definition": operation.definition.document,
        "approved_by": names::of_person(state, operation.approved_by),
        "approved_at": operation.approved_at.to_string(),
        "withdrawn": operation.withdrawn,
    })
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// A connector's name.
    connector: Option<String>,
}

pub(crate) async fn list(
    _: SignedIn,
    AsOf { state, .. }: AsOf,
    Ask(query): Ask<ListQuery>,
) -> Result<Json<Value>, Problem> {
    let wanted =
        |operation: &Operation| query.connector.as_deref().is_none_or(|name| operation.name.connector() == name);
    let operations = state.operations.values().filter(|operation| wanted(operation));
    let rows = operations.map(|operation| (operation.name.to_string(), operation.clone())).collect();
    page(rows, &query.page, |operation| view(&state, operation))
}
