//! Every page, as a table of contents.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::routing::{get, post};

use crate::pages::{agents, approvals, changes, connectors, consent, overview, records, sign_in, who};
use crate::{Console, assets, headers, limits};

#[cfg(test)]
mod tests;

/// The console's pages, to be mounted at `/` of the control listener.
pub fn router(console: Console) -> Router {
    Router::new()
        .route("/", get(overview::overview))
        .route("/sign-in", get(sign_in::show).post(sign_in::open))
        .route("/sign-out", post(sign_in::close))
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
        .route("/assets/mark.svg", get(assets::mark))
        .layer(DefaultBodyLimit::max(limits::FORM_BYTES_MAX))
        .layer(map_response(headers::secure))
        .with_state(console)
}
