//! Every page, as a table of contents.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, map_response};
use axum::routing::{get, post};

use crate::pages::{
    agents, approvals, changes, connectors, consent, keys, overview, policies, records, settings, sign_in,
    sign_in_elsewhere, who,
};
use crate::pages::{connect, passkeys, people, step_up, tasks};
use crate::{Console, assets, headers, limits, live};

#[cfg(test)]
mod tests;

/// The console's pages, to be mounted at `/` of the control listener.
pub fn router(console: Console) -> Router {
    Router::new()
        .route("/", get(overview::overview))
        .route("/sign-in", get(sign_in::show).post(sign_in::open))
        .route("/sign-in/passkey", post(sign_in::by_passkey))
        .route("/sign-in/oidc", get(sign_in_elsewhere::start))
        .route("/sign-in/oidc/callback", get(sign_in_elsewhere::callback))
        .route("/sign-out", post(sign_in::close))
        .route("/step-up", get(step_up::show).post(step_up::step_up))
        .route("/passkeys", get(passkeys::list::list).post(passkeys::enrol::enrol))
        .route("/passkeys/remove", post(passkeys::remove::remove))
        .route("/consent", get(consent::show).post(consent::answer))
        .route("/approvals", get(approvals::list::list))
        .route("/approvals/{id}", get(approvals::show::show))
        .route("/approvals/{id}/approve", post(approvals::answer::approve))
        .route("/approvals/{id}/deny", post(approvals::answer::deny))
        .route("/agents", get(agents::list::list))
        .route("/agents/{name}", get(agents::show::show))
        .route("/connectors", get(connectors::list::list))
        .route("/connectors/{name}", get(connectors::show::show))
        .route("/connectors/{name}/review", get(connectors::review::review))
        .route("/connectors/{name}/approve", post(connectors::approve::approve))
        .route("/changes", get(changes::list::list))
        .route("/changes/{id}", get(changes::show::show))
        .route("/changes/{id}/approve", post(changes::answer::approve))
        .route("/changes/{id}/reject", post(changes::answer::reject))
        .route("/changes/{id}/review", post(changes::answer::review))
        .route("/changes/{id}/revert", post(changes::answer::revert))
        .route("/who", get(who::who))
        .route("/history", get(records::history::history))
        .route("/records/{seq}", get(records::show::show))
        .route("/assets/console.css", get(assets::style))
        .route("/assets/console.js", get(assets::script))
        .route("/assets/htmx.js", get(assets::htmx))
        .route("/assets/mark.svg", get(assets::mark))
        .route("/live", get(live::live))
        .route("/policies", get(policies::list::list))
        .route("/policies/{name}", get(policies::show::show))
        .route("/preview", get(policies::preview::preview))
        .route("/ledger", get(records::list::list))
        .route("/keys", get(keys::list))
        .route("/settings", get(settings::show))
        .route("/settings/sessions/{id}/end", post(settings::end_session))
        .route("/tasks", get(tasks::list::list))
        .route("/tasks/{id}", get(tasks::show::show))
        .route("/tasks/{id}/end", post(tasks::end::end))
        .route("/tasks/{id}/end-run", post(tasks::end::end_run))
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
        .layer(from_fn(step_up::lead_there))
        .layer(DefaultBodyLimit::max(limits::FORM_BYTES_MAX))
        .layer(map_response(headers::secure))
        .with_state(console)
}
