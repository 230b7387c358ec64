//! The table of contents: every address, who may ask, what it takes and what it gives.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, delete, get, post, put};
use http::{HeaderValue, StatusCode, header};
use remit_domain::Refusal;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{
    Api, Problem, access, agents, approvals, auth, authzen, changes, clients, connectors, contents, enrolment,
    evidence, findings, grants, health, idempotency, keys, launch, ledger_files, legacy, limits, oauth, openapi,
    operations, passkeys, people, policies, preview, records, replay, revocations, runs, sessions, signals, simulate,
    status_list, stream, tasks, who, workloads,
};

#[cfg(test)]
mod tests;

/// Who may ask at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// A person who is signed in.
    Person,
    /// An agent that proves one of its enrolled keys.
    Agent,
    /// An agent by the token of its task, which enforces what it is told.
    Enforcer,
    /// An agent by the token of its task, for what concerns that task.
    Worker,
    /// Anybody: what is public, and what carries its own one-time proof.
    Open,
}

/// One address and method.
pub(crate) struct Endpoint {
    pub access: Access,
    /// Lower case, as OpenAPI writes it.
    pub method: &'static str,
    pub path: &'static str,
    /// Name of the schema of the request's body, or nothing.
    pub request: &'static str,
    /// Name of the schema of the answer.
    pub response: &'static str,
    pub summary: &'static str,
    handler: fn() -> MethodRouter<Api>,
}

macro_rules! endpoints {
    ($($access:ident $method:ident $path:literal $handler:path, $request:literal -> $response:literal, $summary:literal;)*) => {
        /// Every endpoint. The router and the OpenAPI document are both made from this.
        pub(crate) const ENDPOINTS: &[Endpoint] = &[$(Endpoint {
            access: Access::$access,
            method: stringify!($method),
            path: $path,
            request: $request,
            response: $response,
            summary: $summary,
            handler: || $method($handler),
        }),*];
    };
}

endpoints! {
    Person get    "/v1/people" people::list, "" -> "PersonPage", "lists the people of the realm";
    Person post   "/v1/people" people::add, "AddPerson" -> "Person", "adds a person";
    Person get    "/v1/people/{person}" people::show, "" -> "Person", "shows a person";
    Person put    "/v1/people/{person}" people::set_groups, "SetGroups" -> "Person", "sets a person's groups";
    Person delete "/v1/people/{person}" people::remove, "" -> "Removed", "removes a person and ends everything in their name";
    Person post   "/v1/people/{person}/links" people::link, "LinkPerson" -> "Person", "says who a person is at an issuer elsewhere";
    Person post   "/v1/people/{person}/sign-in" people::sign_in, "OfferSignIn" -> "SignInCode", "makes a one-time sign-in code for a person";

    Open   post   "/v1/sessions" sessions::open, "OpenSession" -> "SessionToken", "exchanges a one-time code for a session";
    Person get    "/v1/sessions" sessions::list, "" -> "SessionPage", "lists own sessions, or all for an administrator";
    Person get    "/v1/sessions/current" sessions::current, "" -> "CurrentSession", "says who the caller is";
    Person delete "/v1/sessions/current" sessions::end_current, "" -> "Ended", "signs out";
    Person delete "/v1/sessions/{session}" sessions::end, "" -> "Ended", "ends a session";

    Open   post   "/v1/sessions/passkey/begin" sessions::begin_passkey, "" -> "Ceremony", "begins to sign somebody in with a passkey";
    Open   post   "/v1/sessions/passkey" sessions::open_passkey, "ShowPasskey" -> "SessionToken", "exchanges a passkey's assertion for a session";
    Person post   "/v1/sessions/step-up/begin" sessions::begin_step_up, "" -> "Ceremony", "begins to show a passkey again";
    Person post   "/v1/sessions/step-up" sessions::step_up, "ShowPasskey" -> "Session", "shows a passkey again, before what is grave";

    Person get    "/v1/passkeys" passkeys::list, "" -> "PasskeyPage", "lists own passkeys, or somebody's for an administrator";
    Person post   "/v1/passkeys/enrolment" passkeys::begin, "" -> "Ceremony", "begins to enrol a passkey";
    Person post   "/v1/passkeys" passkeys::enrol, "EnrolPasskey" -> "Passkey", "enrols a passkey";
    Person delete "/v1/passkeys/{credential}" passkeys::remove, "RemovePasskey" -> "Removed", "removes a passkey, and ends what it opened";

    Person get    "/v1/agents" agents::list, "" -> "AgentPage", "lists agents";
    Person post   "/v1/agents" agents::register, "RegisterAgent" -> "Agent", "registers an agent";
    Person get    "/v1/agents/{agent}" agents::show, "" -> "Agent", "shows an agent";
    Person put    "/v1/agents/{agent}" agents::replace, "AgentProfile" -> "Agent", "replaces an agent's record";
    Person post   "/v1/agents/{agent}/describe" agents::change, "AgentProfile" -> "Agent", "changes parts of an agent's record";
    Person get    "/v1/agents/{agent}/preview" preview::preview, "" -> "Preview", "what would be said to the agent about every operation, and by which rule";
    Person get    "/v1/agents/{agent}/card" agents::card::card, "" -> "AgentCard", "what the agent may do, under what conditions, for how long";
    Person post   "/v1/agents/{agent}/activate" agents::life::activate, "" -> "Agent", "activates an agent whose record is complete";
    Person post   "/v1/agents/{agent}/suspend" agents::life::suspend, "Reason" -> "Agent", "suspends an agent and ends its tasks";
    Person post   "/v1/agents/{agent}/resume" agents::life::resume, "" -> "Agent", "resumes a suspended agent";
    Person post   "/v1/agents/{agent}/decommission" agents::life::decommission, "Reason" -> "Agent", "ends an agent for good";
    Person post   "/v1/agents/{agent}/enrolment" agents::life::offer_enrolment, "OfferEnrolment" -> "EnrolmentCode", "makes a one-time code to enrol a key";
    Person delete "/v1/agents/{agent}/keys/{thumbprint}" agents::life::revoke_key, "" -> "Agent", "revokes a key and ends the tasks bound to it";
    Person get    "/v1/agents/{agent}/workloads" workloads::list, "" -> "Workloads", "lists the running programs that are an agent";
    Person post   "/v1/agents/{agent}/workloads" workloads::bind, "Workload" -> "Workloads", "says that a running program is an agent";
    Person delete "/v1/agents/{agent}/workloads" workloads::unbind, "Workload" -> "Workloads", "takes a running program from an agent, and ends what only it opened";
    Open   post   "/v1/enrol" enrolment::enrol, "Enrol" -> "Enrolled", "enrols an agent's own key with a one-time code and a proof";

    Person get    "/v1/connectors" connectors::list, "" -> "ConnectorPage", "lists connectors";
    Person post   "/v1/connectors" connectors::add, "AddConnector" -> "Connector", "adds a connector";
    Person get    "/v1/connectors/{connector}" connectors::show, "" -> "Connector", "shows a connector";
    Person delete "/v1/connectors/{connector}" connectors::remove, "" -> "Removed", "removes a connector; its operations become unavailable";
    Person get    "/v1/connectors/{connector}/tools" connectors::tools::tools, "" -> "Tools", "what the server offers now, beside what is approved";
    Person post   "/v1/connectors/{connector}/approve-tools" connectors::approve::approve_tools, "ApproveTools" -> "Operations", "approves tools, each pinned to the definition that was shown";
    Person get    "/v1/operations" operations::list, "" -> "OperationPage", "lists approved operations with their definitions";

    Person get    "/v1/grants" grants::list, "" -> "GrantPage", "lists live grants and open requests";
    Person post   "/v1/grants" grants::request, "RequestGrant" -> "Grant", "asks for a grant";
    Person get    "/v1/grants/{grant}" grants::show, "" -> "Grant", "shows a grant or the request for it";
    Person post   "/v1/grants/{grant}/approve" grants::approve, "" -> "Grant", "approves a requested grant";
    Person post   "/v1/grants/{grant}/deny" grants::deny, "Note" -> "Grant", "denies a requested grant, or takes it back";
    Person post   "/v1/grants/{grant}/revoke" grants::revoke, "Reason" -> "Grant", "revokes a grant from the next call on";

    Worker post   "/v1/access-requests" access::request, "RequestTaskAccess" -> "TaskAccess", "an agent asks for what its task lacks; a person answers";
    Worker get    "/v1/access-requests/{request}" access::show, "" -> "TaskAccess", "an agent sees where its request stands";

    Person get    "/v1/tasks" tasks::list, "" -> "TaskPage", "lists tasks";
    Person post   "/v1/tasks" tasks::start::start, "StartTask" -> "TaskToken", "starts a task and gives its token";
    Person get    "/v1/tasks/{task}" tasks::show, "" -> "Task", "shows a task";
    Person post   "/v1/tasks/{task}/end" tasks::end, "Note" -> "Task", "ends a task and everything under it";
    Person get    "/v1/tasks/{task}/lease" tasks::lease::lease, "" -> "TaskLease", "kept open while the task runs; the task ends when the connection does";
    Person post   "/v1/tasks/{task}/launch" launch::attest, "" -> "Launch", "says that the process that asks, and everything below it, runs this task";
    Person post   "/v1/tasks/{task}/token" tasks::start::token, "TokenLife" -> "TaskToken", "gives a fresh token to whoever started the task";
    Person post   "/v1/tasks/{task}/contents" contents::read, "ReadContent" -> "Content", "gives what an agent sent or was answered, and records who reads it and why";
    Person post   "/v1/tasks/{task}/erase" tasks::erase, "Reason" -> "Erased", "erases the content of an ended task; proofs stand";
    Agent  post   "/v1/agent/tasks" tasks::by_agent::start, "StartTask" -> "TaskToken", "an enrolled agent starts a task bound to its key";
    Agent  post   "/v1/agent/tasks/{task}/token" tasks::by_agent::token, "TokenLife" -> "TaskToken", "an enrolled agent gets a fresh token for its task";
    Agent  post   "/v1/agent/tasks/{task}/end" tasks::by_agent::end, "Note" -> "Task", "an enrolled agent ends its task";

    Person get    "/v1/runs" runs::list, "" -> "RunPage", "lists the runs that have live tasks";
    Person post   "/v1/runs/{run}/revoke" runs::revoke, "Reason" -> "RunRevoked", "ends a run with all its tasks and everything below them";

    Person get    "/v1/clients" clients::list, "" -> "ClientPage", "lists registered OAuth clients";
    Person post   "/v1/clients" clients::add, "AddClient" -> "Client", "registers an OAuth client";
    Person delete "/v1/clients/{client}" clients::remove, "" -> "Removed", "removes an OAuth client and ends what people let it have";

    Person get    "/v1/findings" findings::list, "" -> "FindingPage", "lists credentials that were seen in several hands";
    Person get    "/v1/findings/{finding}" findings::show, "" -> "Finding", "shows a finding with everybody concerned";
    Person post   "/v1/findings/{finding}/close" findings::close, "Note" -> "Finding", "says that a finding is dealt with";
    Person get    "/v1/legacy-accounts" legacy::list, "" -> "LegacyAccountPage", "lists workflows that share a secret, and until when";
    Person post   "/v1/legacy-accounts" legacy::open, "OpenLegacyAccount" -> "LegacyAccountSecret", "lets workflows in by one shared secret, until a date";
    Person post   "/v1/legacy-accounts/{name}/close" legacy::close, "Reason" -> "Closed", "ends a shared secret and what it had opened";

    Person get    "/v1/approvals" approvals::list, "" -> "ApprovalPage", "lists approvals";
    Person get    "/v1/approvals/{approval}" approvals::show, "" -> "Approval", "shows an approval with the exact arguments";
    Person post   "/v1/approvals/{approval}/challenge" approvals::challenge, "Challenge" -> "AnswerOptions", "what a passkey is to sign for a yes with a note";
    Person post   "/v1/approvals/{approval}/approve" approvals::approve, "Approve" -> "Approval", "says yes to exactly what was shown";
    Person post   "/v1/approvals/{approval}/deny" approvals::deny, "Note" -> "Approval", "says no";

    Person get    "/v1/policies" policies::list, "" -> "Policies", "the active policies and their version";
    Person post   "/v1/policies" policies::propose, "ProposePolicies" -> "Change", "proposes a change of the policies";
    Person post   "/v1/policies/check" policies::check, "CheckPolicies" -> "PolicyCheck", "checks a change without proposing it";
    Person get    "/v1/changes" changes::list, "" -> "ChangePage", "lists what waits for approval, or for review";
    Person post   "/v1/changes" changes::propose::propose, "ProposeChange" -> "Change", "proposes a change of what is under change control";
    Person post   "/v1/changes/emergency" changes::propose::emergency, "ProposeChange" -> "Change", "makes a change at once; two other people review it afterwards";
    Person get    "/v1/changes/history" changes::history::history, "" -> "History", "what happened to one artefact";
    Person get    "/v1/changes/{change}" changes::show, "" -> "Change", "shows a change";
    Person get    "/v1/changes/{change}/diff" changes::diff, "" -> "ChangeDiff", "what a change does to each artefact";
    Person post   "/v1/changes/{change}/approve" changes::approve, "" -> "ChangeAnswer", "approves and activates somebody else's proposal";
    Person post   "/v1/changes/{change}/reject" changes::reject, "Note" -> "ChangeAnswer", "rejects a proposal, or takes it back";
    Person get    "/v1/changes/{change}/shadow" replay::shadow, "" -> "Shadow", "what a proposal would have said to live calls since it runs in the shadow";
    Person post   "/v1/changes/{change}/shadow" replay::set_shadow, "SetShadow" -> "Shadow", "lets a proposal run in the shadow of the active policies, or ends that";
    Person post   "/v1/changes/{change}/review" changes::review, "ReviewChange" -> "ChangeAnswer", "says afterwards whether an emergency change was right";
    Person post   "/v1/changes/{change}/revert" changes::revert, "RevertChange" -> "Change", "proposes that everything becomes what it was before a change";
    Person get    "/v1/who-can" who::who_can, "" -> "CallerPage", "who can call an operation, or any that touches data of a class or above, now or as of a moment";
    Person get    "/v1/who-can-change" who::who_can_change, "" -> "CanChange", "who may propose, approve and make a change of an artefact, now or as of a moment";
    Person get    "/v1/who-approved" who::who_approved, "" -> "WhoApproved", "who approved an action, a grant or a change";
    Person get    "/v1/reach" who::reach, "" -> "ReachPage", "what an agent reaches, or a person only through agents, now or as of a moment";
    Person post   "/v1/replay" replay::replay, "Replay" -> "ReplayLines", "decides recorded calls again under proposed policies, and says what would differ";
    Person post   "/v1/simulate" simulate::simulate, "Simulate" -> "Decision", "what would be said to a call, without making it";

    Person get    "/v1/records" records::list, "" -> "RecordPage", "searches the record, newest first";
    Person get    "/v1/records/{seq}" records::show, "" -> "Record", "shows a record";
    Person get    "/v1/records/{seq}/proof" records::prove, "" -> "Proof", "proves that the ledger holds a record";
    Person get    "/v1/stream" stream::stream, "" -> "RecordStream", "records as they are committed, as server-sent events";
    Person get    "/v1/receipts/{seq}" revocations::show, "" -> "RevocationReceipt", "what an end brought about, when it took effect where, and what could not be called back";
    Person post   "/v1/evidence" evidence::export, "ExportEvidence" -> "EvidencePack", "exports an evidence pack";
    Person get    "/v1/keys" keys::list, "" -> "Keys", "the realm's public keys";
    Person post   "/v1/keys/rotate" keys::rotate, "" -> "KeyRotated", "signs with a new key from now on";
    Person post   "/v1/keys/{key}/revoke" keys::revoke, "" -> "KeyRevoked", "ends a key of the realm at once, with all that it signed";
    Open   get    "/v1/openapi.json" openapi::serve, "" -> "OpenApi", "this document";

    Open   get    "/.well-known/authzen-configuration" authzen::metadata::configuration, "" -> "PolicyDecisionPoint", "where others ask for decisions that they enforce (OpenID AuthZEN 1.0)";
    Enforcer post "/access/v1/evaluation" authzen::evaluation, "Evaluation" -> "EvaluationAnswer", "decides and records what somebody else enforces";
    Enforcer post "/access/v1/evaluations" authzen::evaluations, "Evaluations" -> "EvaluationsAnswer", "decides and records many at once";
    Enforcer post "/access/v1/search/subject" authzen::search_subjects, "Search" -> "SearchAnswer", "who may do it, without a record";
    Enforcer post "/access/v1/search/resource" authzen::search_resources, "Search" -> "SearchAnswer", "on what it may be done, without a record";
    Enforcer post "/access/v1/search/action" authzen::search_actions, "Search" -> "SearchAnswer", "what may be done, without a record";
    Enforcer post "/access/v1/requests" authzen::request_access, "AccessRequest" -> "AccessRequestTask", "has people asked about what was denied";
    Enforcer get  "/access/v1/requests/{request}" authzen::request_status, "" -> "AccessRequestTask", "what they answered";

    Open   get    "/.well-known/oauth-authorization-server" oauth::metadata::server, "" -> "AuthorizationServer", "what the authorization server can do (RFC 8414)";
    Open   get    "/.well-known/openid-configuration" oauth::metadata::server, "" -> "AuthorizationServer", "the same, for clients of OpenID Connect";
    Open   get    "/.well-known/spiffe-bundle" oauth::metadata::bundle, "" -> "SpiffeBundle", "what the realm's SVIDs are verified with";
    Open   get    "/oauth/authorize" oauth::authorize::authorize, "" -> "Redirect", "checks an authorization request and takes the person to the page where they answer";
    Open   post   "/oauth/par" oauth::par::push, "AuthorizationForm" -> "PushedRequest", "takes an authorization request beforehand (RFC 9126)";
    Open   post   "/oauth/token" oauth::token::token, "TokenForm" -> "AccessToken", "gives a token for whatever the grant proves";
    Open   post   "/oauth/introspect" oauth::introspect::introspect, "TokenQuestionForm" -> "TokenState", "says whether a token holds, and what it says (RFC 7662)";
    Open   post   "/oauth/revoke" oauth::revoke::revoke, "TokenQuestionForm" -> "Nothing", "ends a token (RFC 7009)";
    Open   post   "/oauth/register" oauth::register::register, "ClientMetadata" -> "ClientRegistration", "registers a client, where clients may do so themselves (RFC 7591)";
    Open   get    "/oauth/jwks" keys::jwks, "" -> "JwkSet", "the keys that verify task tokens";
    Open   get    "/oauth/status/{list}" status_list::list, "" -> "StatusList", "which tasks' tokens are worth nothing any more, as a Token Status List";
    Open   post   "/ssf/events" signals::receive, "" -> "Accepted", "takes a signed security event of a configured transmitter (RFC 8935)";
    Open   get    "/.well-known/ssf-configuration" signals::configuration, "" -> "SsfConfiguration", "what Remit is as a transmitter of security events";
    Open   get    "/ledger/{realm}/checkpoint" ledger_files::checkpoint, "" -> "Checkpoint", "the newest signed checkpoint";
    Person get    "/ledger/{realm}/tile/entries/{*index}" ledger_files::entries, "" -> "Tile", "a bundle of entries";
    Open   get    "/ledger/{realm}/tile/{*path}" ledger_files::tile, "" -> "Tile", "a tile of hashes";
    Open   get    "/healthz" health::alive, "" -> "Alive", "whether the process answers";
    Open   get    "/readyz" health::ready, "" -> "Health", "whether calls can be decided and recorded";
}

/// The addresses of the control plane, for the control listener and for the data directory's socket alike. Whoever
/// accepts a connection on the socket adds [`crate::Peer`] to each request of it.
pub fn router(api: Api) -> Router {
    let mut router = Router::new();
    for endpoint in ENDPOINTS {
        let handler = (endpoint.handler)();
        let handler = match endpoint.access {
            Access::Person => handler
                .route_layer(from_fn_with_state(api.clone(), idempotency::once))
                .route_layer(from_fn_with_state(api.clone(), auth::require_person)),
            Access::Agent => handler.route_layer(from_fn_with_state(api.clone(), auth::require_agent)),
            Access::Enforcer => handler.route_layer(from_fn_with_state(api.clone(), authzen::require_enforcer)),
            Access::Worker => handler.route_layer(from_fn_with_state(api.clone(), authzen::require_worker)),
            Access::Open => handler,
        };
        router = router.route(endpoint.path, handler);
    }
    router
        .method_not_allowed_fallback(wrong_method)
        .route("/v1/{*rest}", any(no_such_address))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .with_state(api)
}

async fn no_such_address() -> Problem {
    Refusal::new("not_found", "there is no such address").help("`/v1/openapi.json` lists every address").into()
}

async fn wrong_method() -> Problem {
    let refusal = Refusal::new("method_not_allowed", "this address does not take that method");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, refusal.help("`/v1/openapi.json` lists what each address takes"))
}

/// A panic is a fault of ours: it ends one answer, not the connection.
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let cause = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref().copied());
    tracing::error!(cause, "a handler panicked");
    Problem::fault("answer").into_response()
}
