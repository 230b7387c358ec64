use std::sync::Arc;

use http::StatusCode;
use remit_domain::{Moment, State};

use super::{has, has_not};
use crate::limits;
use crate::pages::agents::list::{Choice, chosen};
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_list_holds_what_the_address_asks_for() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    for (query, fits) in [
        ("", true),
        ("text=SUPPORT", true),
        ("text=customers", true),
        ("text=teapot", false),
        ("status=active", true),
        ("status=draft", false),
        ("status=all", true),
        ("status=%3Cscript%3E", false),
        ("owner=olga&class=act&environment=test", true),
        ("owner=maria", false),
        ("owner=nobody", false),
        ("class=read", false),
        ("environment=production", false),
        ("lacks=owner", false),
        ("lacks=review", false),
        ("lacks=grant", false),
        ("after=support-bot", false),
        ("after=a", true),
    ] {
        let page = world.get(&format!("/agents?{query}"), &olga).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.body.contains("href=\"/agents/support-bot\""), fits, "{query}: {}", page.body);
        has(&page, &[if fits { "1 agent" } else { "No agent fits" }]);
        has_not(&page, &["<script>"]);
    }
    // A grant ends, and then a review is overdue.
    world.pass_seconds(31 * 86_400);
    let olga = world.sign_in("olga").await;
    has(&world.get("/agents?lacks=grant", &olga).await, &["/agents/support-bot"]);
    has_not(&world.get("/agents?lacks=review", &olga).await, &["/agents/support-bot"]);
    world.pass_seconds(60 * 86_400);
    let olga = world.sign_in("olga").await;
    has(&world.get("/agents?lacks=review&status=all", &olga).await, &["/agents/support-bot", "overdue"]);
}

/// The world's state with `count` more agents.
fn crowded(world: &World, count: u32) -> State {
    let mut state = (*world.engine.state()).clone();
    let base = state.agent_named("support-bot").unwrap().clone();
    let moment = Moment::new(NOW, 1);
    for number in 0..count {
        let mut agent = (*base).clone();
        agent.id = moment.fresh_id();
        agent.name = format!("bot-{number:05}");
        state.agents_by_name.insert(agent.name.clone(), agent.id);
        state.agents.insert(agent.id, Arc::new(agent));
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_agents_a_page_holds_its_own_and_pages_together_hold_each_once() {
    let world = World::new().await;
    let state = crowded(&world, 10_000);
    let mut names: Vec<String> = Vec::new();
    loop {
        let choice = Choice { after: names.last().cloned().unwrap_or_default(), ..Choice::default() };
        let page = chosen(&state, &choice, NOW);
        assert!(page.agents.len() <= limits::LIST_ROWS_MAX, "nothing beyond a page is put in order or shown");
        assert_eq!(page.fitting, 10_001, "all that fit are counted");
        names.extend(page.agents.iter().map(|agent| agent.name.clone()));
        if !page.more {
            break;
        }
    }
    assert_eq!(names.len(), 10_001);
    assert!(names.is_sorted() && names.last().unwrap() == "support-bot");
    let choice = Choice { text: "bot-0123".to_owned(), ..Choice::default() };
    assert_eq!(chosen(&state, &choice, NOW).fitting, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_has_ended_is_found_only_when_asked_for() {
    let world = World::new().await;
    let (agent, reason) = (world.agent, "over".to_owned());
    world.engine.submit(world.root(), remit_domain::Command::DecommissionAgent { agent, reason }).await.unwrap();
    let olga = world.sign_in("olga").await;
    has(&world.get("/agents", &olga).await, &["No agent is registered yet", "/agents/new"]);
    has(&world.get("/agents?status=decommissioned", &olga).await, &["/agents/support-bot", "1 agent"]);
}
