use remit_domain::{Walk, what_agent_reaches, what_person_reaches, who_can_call};

use super::*;
use crate::world::{NOW, World};

fn all<W: Walk>(mut walk: W) -> Vec<W::Found> {
    let mut found = Vec::new();
    while let Some(step) = walk.step() {
        found.extend(step);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn people_agents_and_connectors_stand_side_by_side_and_lines_say_who_reaches_what() {
    let world = World::new().await;
    let state = world.engine.state();
    let agent = state.agent_named("support-bot").unwrap();
    let found = all(what_agent_reaches(&state, agent.id, None, NOW).unwrap());
    let page = of_agent(&state, agent, &found).picture().into_string();
    for name in ["/people/olga", "/people/maria", "/people/carla", "/agents/support-bot", "/connectors/helpdesk"] {
        assert_eq!(page.matches(&format!("href=\"{name}\"")).count(), 2, "`{name}` in picture and table: {page}");
    }
    // Three people and who started its task to one agent, and from it to one connector.
    assert_eq!(page.matches("C50").count(), 5, "{page}");
    assert!(page.contains("height=\"176\"") && page.contains("height=\"44\"") && !page.contains("style="), "{page}");
    let olga = state.person_named("olga").unwrap().id;
    let found = all(what_person_reaches(&state, olga, None, NOW).unwrap());
    let page = of_person(&state, olga, &found).picture().into_string();
    assert!(page.contains("/people/olga") && page.contains("/agents/support-bot") && !page.contains("maria"), "{page}");
    let refund = remit_domain::OperationName::new("helpdesk", "refund");
    let found = all(who_can_call(&state, &refund, None, NOW).unwrap());
    let page = of_callers(&state, &found).picture().into_string();
    assert!(page.contains("/people/maria") && page.contains("class=\"depends\" d="), "a refund asks: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_bounded_and_says_how_many_more_there_are() {
    let world = World::new().await;
    let state = world.engine.state();
    let mut reach = Reach::new(&state);
    let people = state.people.values().map(|person| person.id);
    let agent = state.agent_named("support-bot").unwrap().id;
    people.for_each(|person| reach.add_person(person, agent));
    for seed in 0..20 {
        reach.add_person(remit_domain::Moment::new(NOW, seed).fresh_id(), agent);
    }
    let page = reach.picture().into_string();
    assert_eq!(reach.people.rows.len(), ROWS_MAX);
    assert!(page.contains(&format!("and {} more", 20 + state.people.len() - ROWS_MAX)), "{page}");
    assert_eq!(page.matches("C50").count(), ROWS_MAX, "no line leads to what is not shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_drawn_where_nothing_is_reached() {
    let world = World::new().await;
    let state = world.engine.state();
    assert_eq!(of_callers(&state, &[]).picture().into_string(), "");
}
