use http::StatusCode;

use super::settings::{Asked, Control, Way, of};
use crate::world::World;

fn asked(way: Way) -> Asked<'static> {
    Asked {
        agent: "support-bot",
        address: "http://127.0.0.1:7480/mcp/helpdesk".to_owned(),
        server: "remit-helpdesk".to_owned(),
        control: Control::Address("https://remit.example"),
        way,
    }
}

#[test]
fn what_is_pasted_as_json_is_json_and_holds_the_address() {
    for (way, ..) in Way::EACH {
        for one in of(&asked(way)) {
            if one.text.starts_with('{') {
                let document: serde_json::Value = serde_json::from_str(&one.text).unwrap();
                assert!(document.to_string().contains("remit-helpdesk"), "{}", one.text);
            }
            let starts_own = one.client == "A program of your own";
            assert!(
                starts_own || one.text.contains("http://127.0.0.1:7480/mcp/helpdesk"),
                "{}: {}",
                one.client,
                one.text
            );
        }
    }
}

#[test]
fn settings_name_a_variable_for_the_token_and_never_a_token() {
    for one in of(&asked(Way::Token)) {
        let asks = one.text.contains("REMIT_TASK_TOKEN") || one.text.contains("${input:remit-token}");
        assert!(asks || one.text.contains("proxy"), "{}: {}", one.client, one.text);
    }
    for way in [Way::SignIn, Way::Run] {
        assert!(of(&asked(way)).iter().all(|one| !one.text.contains("Bearer")));
    }
}

#[test]
fn clients_on_the_realms_machine_use_its_socket_and_others_its_address() {
    let here = Asked { control: Control::Directory("/srv/it's here"), ..asked(Way::Run) };
    for (asked, option) in [(here, ["--data", "/srv/it's here"]), (asked(Way::Run), ["--url", "https://remit.example"])]
    {
        let settings = of(&asked);
        let json = settings.iter().find(|one| one.text.starts_with('{')).unwrap();
        let document: serde_json::Value = serde_json::from_str(&json.text).unwrap();
        let arguments = document.pointer("/mcpServers/remit-helpdesk/args").unwrap().as_array().unwrap();
        assert_eq!(arguments[1..3], option.map(serde_json::Value::from), "{}", json.text);
    }
    let here = Asked { control: Control::Directory("/srv/it's here"), ..asked(Way::Run) };
    let own = of(&here).into_iter().find(|one| one.client == "A program of your own").unwrap();
    assert!(own.text.starts_with(r"remit run --data '/srv/it'\''s here' --agent"), "{}", own.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gets_settings_for_the_agent_they_choose() {
    let world = World::new().await;
    let olga = world.sign_in("olga").await;
    let first = world.get("/connect", &olga).await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(
        first.body.contains("Choose the agent") && first.body.contains(r#"<option value="support-bot">"#),
        "{}",
        first.body
    );
    let address = world.engine.audience().to_owned();
    for (way, part) in [
        ("sign-in", "claude mcp add --transport http remit-helpdesk"),
        ("run", "&quot;--agent&quot;"),
        ("token", "remit task start support-bot"),
        ("token", "MCPServerStreamableHttp"),
        ("nonsense", "claude mcp add"),
    ] {
        let page = world.get(&format!("/connect?agent=support-bot&connector=helpdesk&way={way}"), &olga).await.body;
        assert!(page.contains(part) && page.contains(&format!("{address}/helpdesk")), "{way}: {page}");
        assert!(!page.contains("would not work"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_not_start_its_tasks_is_told_so_and_an_unknown_name_is_no_fault() {
    let world = World::new().await;
    let carla = world.sign_in("carla").await;
    let empty = world.get("/connect", &carla).await.body;
    assert!(empty.contains("You own no agent yet") && empty.contains("remit agent register"), "{empty}");
    let page = world.get("/connect?agent=support-bot", &carla).await.body;
    assert!(page.contains("only the agent's owner or an administrator may do this"), "{page}");
    let olga = world.sign_in("olga").await;
    let page = world.get("/connect?agent=%3Cscript%3E&connector=%3Cscript%3E", &olga).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("<script>") && page.body.contains("There is no agent"), "{}", page.body);
    let page = world.get("/connect?agent=support-bot&connector=x%22%20onload", &olga).await.body;
    assert!(!page.contains("onload"), "a connector that is not there is left out: {page}");
}
