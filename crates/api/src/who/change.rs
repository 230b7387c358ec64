//! Who can change an artefact.

use axum::Json;
use axum::extract::State;
use remit_domain::{Alone, Artefact, Part, PersonId, may_read_history};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::input::Ask;
use crate::{Api, names};

#[derive(Debug, Deserialize)]
pub(crate) struct ChangeQuery {
    /// `policy:NAME`, `connector:NAME`, `operation:CONNECTOR/TOOL`, `person:NAME` or `agent:NAME`.
    artefact: String,
}

pub(crate) async fn who_can_change(
    State(api): State<Api>,
    by: SignedIn,
    at: AsOf,
    Ask(ChangeQuery { artefact }): Ask<ChangeQuery>,
) -> Answer {
    let asked: Artefact = artefact.parse()?;
    api.engine.read(|state| may_read_history(state, by.person, &artefact))?;
    let answer = remit_domain::who_can_change(&at.state, &asked, at.now)?;
    let parts = answer.parts.iter().map(|part| view(&at.state, part));
    Ok(Json(json!({
        "artefact": artefact,
        "as_of": at.now.to_string(),
        "there": answer.is_there,
        "founding": answer.founding,
        "overdue": answer.overdue,
        "rule": "nobody approves what they proposed themselves",
        "items": parts.collect::<Vec<_>>(),
    })))
}

fn view(state: &remit_domain::State, part: &Part) -> Value {
    let named = |people: &[PersonId]| people.iter().map(|person| names::of_person(state, *person)).collect::<Value>();
    let alone = |why: Alone| -> Value {
        let people = part.alone.iter().filter(|(_, own)| *own == why);
        people.map(|(person, _)| names::of_person(state, *person)).collect()
    };
    json!({
        "part": part.part,
        "propose": named(&part.propose),
        "approve": named(&part.approve),
        "alone": {
            "founding": alone(Alone::Founding),
            "emergency": alone(Alone::Emergency),
            "taking_away": alone(Alone::TakingAway),
        },
        "more": part.more,
    })
}
