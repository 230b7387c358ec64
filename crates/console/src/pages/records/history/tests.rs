use http::StatusCode;
use remit_domain::{Command, Edit, PolicyEdit};

use super::list::named;
use crate::world::World;

async fn write_policy(world: &World, name: &str, risk: u8) {
    let text = format!("@id(\"{name}\")\nforbid (principal, action, resource) when {{ resource.risk > {risk} }};");
    let edits = vec![Edit::Policy(PolicyEdit { name: name.to_owned(), text: Some(text) })];
    let propose = Command::ProposeChange { edits, reason: "to see it listed".to_owned(), revert_of: None };
    world.engine.submit(world.root(), propose).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_change_control_is_listed_with_its_last_change() {
    let world = World::new().await;
    write_policy(&world, "caution", 3).await;
    write_policy(&world, "caution", 2).await;
    let root = world.sign_in("root").await;
    let newest = world.engine.newest_about(vec!["policy:caution".to_owned()]).await.unwrap();
    assert_eq!(newest.len(), 1);
    let page = world.get("/history", &root).await;
    assert_eq!(page.status, StatusCode::OK);
    let link = format!("<a href=\"/records/{}\">", newest[0].1);
    assert!(page.body.contains("/history?artefact=policy%3Acaution") && page.body.contains(&link), "{}", page.body);
    for (kind, name, address) in [
        ("connector", "connector:helpdesk", "connector%3Ahelpdesk"),
        ("operation", "operation:helpdesk/refund", "operation%3Ahelpdesk%2Frefund"),
        ("agent", "agent:support-bot", "agent%3Aagt_"),
        ("person", "person:carla", "person%3Aprs_"),
    ] {
        let page = world.get(&format!("/history?kind={kind}"), &root).await.body;
        assert_eq!(page.matches(&format!("<code>{name}</code>")).count(), 1, "{name}: {page}");
        assert!(page.contains(&format!("/history?artefact={address}")), "{address}: {page}");
    }
    let address = "/history?artefact=operation%3Ahelpdesk%2Frefund";
    assert_eq!(world.get(address, &root).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_find_their_own_agents_and_nothing_else() {
    let world = World::new().await;
    world.join("nina", &[]).await;
    let (olga, nina) = (world.sign_in("olga").await, world.sign_in("nina").await);
    let own = world.get("/history?kind=agent", &olga).await;
    assert!(own.body.contains("agent:support-bot") && own.body.contains("/records/"), "{}", own.body);
    for (cookie, kind) in [(&olga, "policy"), (&olga, "person"), (&nina, "agent"), (&nina, "operation")] {
        let page = world.get(&format!("/history?kind={kind}"), cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains("/records/") && page.body.contains("class=\"empty\""), "{kind}: {}", page.body);
    }
    assert_eq!(world.get("/history?artefact=policy:x", &nina).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.get("/history?kind=%3Cb%3E", &olga).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_shown_by_name_while_there_is_one() {
    let world = World::new().await;
    let state = world.engine.state();
    let connector = state.connector_named("helpdesk").unwrap().id;
    assert_eq!(named(&state, &format!("operation:{connector}/refund")), "operation:helpdesk/refund");
    assert_eq!(named(&state, &format!("connector:{connector}")), "connector:helpdesk");
    assert_eq!(named(&state, &format!("agent:{}", world.agent)), "agent:support-bot");
    for unknown in ["policy:x", "agent:agt_00000000000000000000000000", "person:<b>", "nothing", "operation:a/b/c"] {
        assert_eq!(named(&state, unknown), unknown);
    }
}
