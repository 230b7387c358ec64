//! `/v1/enrol`: an agent's machine makes its own key known, with a code that works once.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use remit_domain::{Actor, AgentKey, Command, Digest, Refusal};
use remit_identity::enrol::{self, EnrolmentCode, EnrolmentError, Expect};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::input::Body;
use crate::receipts::recorded;
use crate::{Api, Problem};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrol {
    /// The agent's name.
    agent: String,
    code: String,
    /// A JWS by the new key over the code's digest, the agent and the realm.
    proof: String,
}

fn refused(error: &EnrolmentError) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, Refusal::new(error.code(), error.to_string()).help(error.help()))
}

/// Nobody has to be signed in: the code and the key together are the credential.
pub(crate) async fn enrol(State(api): State<Api>, Body(body): Body<Enrol>) -> Result<Json<Value>, Problem> {
    let state = api.engine.state();
    let issuer = state.realm.as_ref().map(|realm| realm.issuer.clone()).unwrap_or_default();
    let code = EnrolmentCode::parse(&body.code).map_err(|error| refused(&error))?;
    let expect = Expect { issuer: &issuer, code: &code, now: api.engine.now().as_seconds() };
    let (key, claims) = enrol::verify(&body.proof, &expect).map_err(|error| refused(&error))?;
    // INVARIANT: the proof is for the agent that the request names, or a proof could be moved to another agent's code.
    if claims.agent != body.agent {
        let refusal = Refusal::new("enrolment_refused", "the enrolment proof is for another agent");
        return Err(refusal.help("make the proof for the agent whose code this is").into());
    }
    let key = AgentKey { thumbprint: key.thumbprint(), jwk: key.to_value() };
    // The agent itself acts, once its name is known; a name that is nobody's is refused like a wrong code.
    let known = state.agent_named(&body.agent).map(|agent| agent.id);
    let actor = known.map_or(Actor::Remit, |agent| Actor::Agent { agent, task: None });
    let thumbprint = key.thumbprint.clone();
    let command = Command::EnrolKey { agent: body.agent.clone(), code: Digest::from_bytes(code.digest()), key };
    let receipt = api.submit(actor, command).await?;
    let trust_domain = state.realm.as_ref().map(|realm| realm.trust_domain.clone()).unwrap_or_default();
    let spiffe_id = state.agent_named(&body.agent).map(|agent| agent.spiffe_id(&trust_domain)).ok();
    let body = json!({"agent": body.agent, "spiffe_id": spiffe_id, "key": thumbprint, "issuer": issuer});
    Ok(recorded(body, &receipt))
}
