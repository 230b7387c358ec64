use http::StatusCode;
use remit_domain::{AgentStatus, Class, DataClass, Environment};

use super::{has, has_not, send};
use crate::world::World;

const RECORD: [(&str, &str); 9] = [
    ("name", "triage"),
    ("purpose", "sorts what comes in"),
    ("owner", "carla"),
    ("approvers", "maria, olga"),
    ("class", "read"),
    ("autonomy", "2"),
    ("environment", "production"),
    ("d1", "yes"),
    ("review", "2027-03-01"),
];

/// The record with `field` as `value`.
fn with<'a>(field: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    RECORD.iter().map(|(name, own)| (*name, if *name == field { value } else { own })).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_registers_an_agent_and_is_led_to_what_comes_next() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    let form = world.get("/agents/new", &carla).await;
    has(&form, &["<h1>Register an agent</h1>", "name=\"owner\" value=\"carla\"", "value=\"2027-04-15\""]);
    let sent = send(&world, &carla, "/agents/new", &RECORD).await;
    assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, "/agents/triage"), "{}", sent.body);
    let agent = world.engine.state().agent_named("triage").unwrap().clone();
    let profile = &agent.profile;
    assert_eq!((agent.status, profile.class, profile.autonomy), (AgentStatus::Draft, Some(Class::Read), Some(2)));
    assert_eq!((profile.environment, &*profile.data_classes), (Some(Environment::Production), &[DataClass::D1][..]));
    assert_eq!((profile.approvers.len(), profile.enforcer), (2, false));
    has(
        &world.get("/agents/triage", &carla).await,
        &["Its record is complete. Next: activate it.", "/agents/triage/activate"],
    );
    let activated = send(&world, &carla, "/agents/triage/activate", &[]).await;
    assert_eq!((activated.status, activated.header("location")), (StatusCode::SEE_OTHER, "/agents/triage"));
    has(
        &world.get("/agents/triage", &carla).await,
        &["It has no grant", "/agents/triage/grants#ask", "It may use nothing"],
    );
    let asked = [("operations", "helpdesk/lookup"), ("reason", "to sort"), ("days", "7")];
    let sent = send(&world, &carla, "/agents/triage/grants", &asked).await;
    assert_eq!(sent.header("location"), "/agents/triage/grants", "{}", sent.body);
    has(&world.get("/agents/triage", &carla).await, &["one of its approvers answers"]);
    has(
        &world.get("/agents/triage/grants", &carla).await,
        &["to sort", "7 days", "helpdesk/lookup", "href=\"/grants/grt_"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_stays_and_what_is_wrong_stands_beside_it() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    let hostile = "<script>alert(1)</script>";
    for (field, value, beside) in [
        ("name", "Triage Bot", "id=\"name-error\""),
        ("name", "support-bot", "there is already an agent"),
        ("owner", hostile, "id=\"owner-error\""),
        ("approvers", "maria nobody-there", "there is nobody called <code>nobody-there</code>"),
        ("review", "soon", "is not a day"),
    ] {
        let page = send(&world, &carla, "/agents/new", &with(field, value)).await;
        assert!(page.status.is_client_error(), "{field}: {}", page.status);
        has(&page, &[beside, "sorts what comes in", "<option value=\"production\" selected>", "role=\"alert\""]);
        has_not(&page, &[hostile]);
    }
    let page = send(&world, &carla, "/agents/new", &with("purpose", &"x".repeat(2_001))).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(world.engine.read(|state| state.agent_named("triage").is_err()));
    let forged = world.post("/agents/new", &carla, &RECORD).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert!(world.engine.read(|state| state.agent_named("triage").is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_completed_in_the_same_form() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    send(&world, &carla, "/agents/new", &[("name", "triage"), ("owner", "carla")]).await;
    let page = world.get("/agents/triage", &carla).await;
    has(
        &page,
        &[
            "What is missing:",
            "choose a level from 1 (assist)",
            "/agents/triage/describe",
            "disabled aria-describedby=\"activate-why\"",
        ],
    );
    let sent = send(&world, &carla, "/agents/triage/describe", &RECORD).await;
    assert_eq!((sent.status, sent.header("location")), (StatusCode::SEE_OTHER, "/agents/triage"), "{}", sent.body);
    has(
        &world.get("/agents/triage/describe", &carla).await,
        &["sorts what comes in", "value=\"2027-03-01\"", "maria, olga"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_its_owner_changes_the_record_and_widening_it_is_refused_with_the_form_as_typed() {
    let world = World::new().await;
    let (olga, carla) = (world.sign_in("olga").await, world.sign_in("carla").await);
    let address = "/agents/support-bot/describe";
    let page = world.get(address, &carla).await;
    has(
        &page,
        &["only the agent's owner or an administrator may do this", "disabled aria-describedby=\"describe-why\""],
    );
    let refused = send(&world, &carla, address, &RECORD).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    let mut wider = with("owner", "olga");
    wider.extend([("d2", "yes"), ("d3", "yes")]);
    let refused = send(&world, &olga, address, &wider).await;
    assert!(refused.status.is_client_error());
    has(&refused, &["do more than it was activated for", "sorts what comes in"]);
    assert!(
        world.engine.read(|state| state.agent(world.agent).unwrap().profile.purpose.starts_with("answers customers"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_called_like_the_page_is_reached_by_its_id() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    let sent = send(&world, &carla, "/agents/new", &[("name", "new"), ("owner", "carla")]).await;
    let id = world.engine.read(|state| state.agent_named("new").unwrap().id);
    assert_eq!(sent.header("location"), format!("/agents/{id}"));
    has(&world.get("/agents", &carla).await, &[&format!("href=\"/agents/{id}\"")]);
    has(&world.get("/agents/new", &carla).await, &["Register an agent", &format!("href=\"/agents/{id}\"")]);
}
