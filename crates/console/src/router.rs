//! Every page, as a table of contents.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, get, post};

use crate::pages::{
    agents, approvals, changes, connectors, consent, grants, keys, overview, policies, records, settings, sign_in,
    sign_in_elsewhere, who,
};
use crate::pages::{connect, passkeys, people, step_up, tasks};
use crate::{Console, assets, headers, limits, live};

#[cfg(test)]
mod tests;

/// The console's pages, to be mounted at `/` of the control listener.
pub fn router(console: Console) -> Router {
    let parts = [signing_in(), answering(), agents_and_tools(), rules_and_record(), realm()];
    let pages = parts.into_iter().fold(Router::new(), Router::merge);
    pages
        .layer(from_fn_with_state(console.clone(), step_up::lead_there))
        .layer(DefaultBodyLimit::max(limits::FORM_BYTES_MAX))
        .layer(map_response(headers::secure))
        .with_state(console)
}

/// How people come in, show who they are, and what every page is made with.
fn signing_in() -> Router<Console> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::open))
        .route("/sign-in/passkey", post(sign_in::by_passkey))
        .route("/sign-in/oidc", get(sign_in_elsewhere::start))
        .route("/sign-in/oidc/callback", get(sign_in_elsewhere::callback))
        .route("/sign-out", post(sign_in::close))
        .route("/step-up", get(step_up::show).post(step_up::step_up))
        .route("/step-up/continue", get(step_up::resume::show))
        .route("/passkeys", get(passkeys::list::list).post(passkeys::enrol::enrol))
        .route("/passkeys/remove", post(passkeys::remove::remove))
        .route("/consent", get(consent::show).post(consent::answer))
        .route("/assets/console.css", get(assets::style))
        .route("/assets/console.js", get(assets::script))
        .route("/assets/htmx.js", get(assets::htmx))
        .route("/assets/mark.svg", get(assets::mark))
}

/// What happens now, and what waits for an answer.
fn answering() -> Router<Console> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/approvals", get(approvals::list::list))
        .route("/approvals/{id}", get(approvals::show::show))
        .route("/approvals/{id}/approve", post(approvals::answer::approve))
        .route("/approvals/{id}/deny", post(approvals::answer::deny))
        .route("/grants", get(grants::list::list))
        .route("/grants/{id}", get(grants::show::show))
        .route("/grants/{id}/approve", post(grants::answer::approve))
        .route("/grants/{id}/deny", post(grants::answer::deny))
        .route("/changes", get(changes::list::list))
        .route("/changes/{id}", get(changes::show::show))
        .route("/changes/{id}/replay", get(changes::replay::replay))
        .route("/changes/{id}/approve", post(changes::answer::approve))
        .route("/changes/{id}/reject", post(changes::answer::reject))
        .route("/changes/{id}/review", post(changes::answer::review))
        .route("/changes/{id}/revert", post(changes::answer::revert))
        .route("/live", get(live::live))
}

/// Agents, what they do, and what they reach.
fn agents_and_tools() -> Router<Console> {
    Router::new()
        .route("/agents", get(agents::list::list))
        .route("/agents/new", get(agents::new::form).post(agents::new::register))
        .route("/agents/{name}", get(agents::card::show))
        .route("/agents/{name}/describe", get(agents::describe::form).post(agents::describe::describe))
        .route("/agents/{name}/timeline", get(agents::timeline::show))
        .route("/agents/{name}/tasks", get(agents::tasks::show))
        .route("/agents/{name}/grants", get(agents::grants::show).post(agents::ask::ask))
        .route("/agents/{name}/revoke-grant", post(agents::grants::revoke))
        .route("/agents/{name}/configuration", get(agents::configuration::show))
        .route("/agents/{name}/people", get(agents::people::show))
        .route("/agents/{name}/findings", get(agents::findings::show))
        .route("/agents/{name}/close-finding", post(agents::findings::close))
        .route("/agents/{name}/activate", post(agents::life::activate))
        .route("/agents/{name}/suspend", post(agents::life::suspend))
        .route("/agents/{name}/resume", post(agents::life::resume))
        .route("/agents/{name}/end", post(agents::life::end))
        .route("/agents/{name}/receipt", get(agents::receipt::show))
        .route("/agents/{name}/enrolment", post(agents::enrolment::offer))
        .route("/connectors", get(connectors::list::list))
        .route("/connectors/{name}", get(connectors::show::show))
        .route("/connectors/{name}/review", get(connectors::review::review))
        .route("/connectors/{name}/approve", post(connectors::approve::approve))
        .route("/connectors/{name}/operations/{tool}", get(connectors::operation::show))
        .route("/connectors/{name}/classify", post(connectors::classify::propose))
        .route("/tasks", get(tasks::list::list))
        .route("/tasks/{id}", get(tasks::show::show))
        .route("/tasks/{id}/end", post(tasks::end::end))
        .route("/tasks/{id}/end-run", post(tasks::end::end_run))
}

/// Rules and the record.
fn rules_and_record() -> Router<Console> {
    Router::new()
        .route("/who", get(who::who))
        .route("/history", get(records::history::history))
        .route("/records/{seq}", get(records::show::show))
        .route("/records/{seq}/contents", post(records::contents::read))
        .route("/policies", get(policies::list::list))
        .route("/policies/{name}", get(policies::show::show))
        .route("/policies/new", written(get(policies::edit::begin).post(policies::edit::send_new)))
        .route("/policies/{name}/edit", written(get(policies::edit::open).post(policies::edit::send)))
        .route("/policies/{name}/history", get(policies::history::history))
        .route("/policies/{name}/diff", get(policies::diff::diff))
        .route("/policies/{name}/remove", post(policies::remove::propose))
        .route("/preview", get(policies::preview::preview))
        .route("/ledger", get(records::list::list))
}

/// The realm: people, keys and how to connect.
fn realm() -> Router<Console> {
    Router::new()
        .route("/keys", get(keys::list))
        .route("/settings", get(settings::show))
        .route("/settings/sessions/{id}/end", post(settings::end_session))
        .route("/people", get(people::list::list).post(people::add::add))
        .route("/people/{name}", get(people::show::show))
        .route("/people/{name}/groups", post(people::groups::set))
        .route("/people/{name}/sign-in", post(people::sign_in_link::offer))
        .route("/people/{name}/end-session", post(people::sessions::end))
        .route("/people/{name}/absence", post(people::absence::propose))
        .route("/people/{name}/entitlements", post(people::entitlements::propose))
        .route("/people/{name}/link", post(people::links::link))
        .route("/people/{name}/remove", post(people::remove::remove))
        .route("/connect", get(connect::connect))
}

/// A form that holds the text of a policy, which may be longer than that of others.
fn written(route: MethodRouter<Console>) -> MethodRouter<Console> {
    route.layer(DefaultBodyLimit::max(limits::POLICY_FORM_BYTES_MAX))
}
