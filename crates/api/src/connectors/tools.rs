//! What a connector's server offers now, beside what people have approved of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Connector, Definition};
use serde_json::json;

use super::Answer;
use crate::auth::SignedIn;
use crate::{Api, Problem, names};

/// The tools that the server of `connector` offers, by name. Asked for a person who may decide about them.
///
/// # Errors
/// If the caller is neither the connector's owner nor an administrator, or if the server cannot be asked.
pub(super) async fn offered(
    api: &Api,
    by: SignedIn,
    connector: &str,
) -> Result<(Arc<Connector>, BTreeMap<String, Definition>), Problem> {
    let connector = api.engine.read(|state| {
        let connector = names::connector(state, connector)?.clone();
        remit_review::may_look(state, by.person, &connector)?;
        Ok::<_, remit_domain::Refusal>(connector)
    })?;
    // Nobody lists what is enforced elsewhere: there is what was approved, as it was given.
    let documents = if connector.spec.is_elsewhere() {
        let given = |state: &remit_domain::State| {
            state.operations_of(&connector.name).map(|operation| operation.definition.document.clone()).collect()
        };
        api.engine.read(given)
    } else {
        api.tools.definitions(&connector.spec).await?
    };
    let tools = remit_review::by_name(&connector.name, documents)?;
    Ok((connector, tools))
}

pub(crate) async fn tools(State(api): State<Api>, by: SignedIn, Path(connector): Path<String>) -> Answer {
    let (connector, offered) = offered(&api, by, &connector).await?;
    let items = remit_review::review(&api.engine.state(), &connector.name, &offered);
    Ok(Json(json!({"connector": {"id": connector.id, "name": connector.name}, "items": items})))
}
