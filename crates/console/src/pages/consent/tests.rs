use http::StatusCode;
use remit_domain::Event;
use serde_json::json;

use super::*;
use crate::world::World;

fn request(world: &World) -> ConsentRequest {
    let now = world.engine.now().as_seconds();
    ConsentRequest {
        client_id: "https://app.example/client.json".to_owned(),
        client_name: "Editor <script>".to_owned(),
        redirect_uri: "http://127.0.0.1:1234/callback?x=1".to_owned(),
        state: Some("a b&c".to_owned()),
        scope: vec!["helpdesk/lookup".to_owned()],
        authorization_details: Vec::new(),
        authority: json!([{"operations": ["helpdesk/refund"], "constraints": {"max_amount": 50}}]),
        resource: "http://127.0.0.1:7480/mcp".to_owned(),
        code_challenge: "challenge".to_owned(),
        purpose: None,
        goal: None,
        ends_at: None,
        intent_hash: None,
        jkt: None,
        configuration: None,
        agent_hint: None,
        issued_at: now,
        expires_at: now + 60,
    }
}

fn sealed(world: &World, request: &ConsentRequest) -> String {
    request.seal(&world.engine.key_for(KEY_PURPOSE)).unwrap()
}

#[tokio::test]
async fn a_person_sees_everything_and_their_yes_is_a_code_for_exactly_that() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let text = sealed(&world, &request(&world));
    let page = world.get(&format!("/consent?request={text}"), &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for part in [
        "helpdesk/lookup",
        "helpdesk/refund",
        "max_amount",
        "50",
        "support-bot",
        "http://127.0.0.1:1234/callback",
        "https://app.example/client.json",
    ] {
        assert!(page.body.contains(part), "`{part}` is not shown: {}", page.body);
    }
    assert!(!page.has_foreign_script());
    assert!(page.header("content-security-policy").contains("form-action 'self' http://127.0.0.1:1234;"));

    let form_token = page.field("form_token");
    let fields = [
        ("form_token", form_token.as_str()),
        ("request", text.as_str()),
        ("agent", "support-bot"),
        ("purpose", "look things up"),
        ("hours", "8"),
        ("decision", "allow"),
    ];
    let head = world.engine.head();
    let answer = world.post("/consent", &cookie, &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let place = answer.header("location");
    let (start, rest) = place.split_once("&code=").unwrap();
    assert_eq!(start, "http://127.0.0.1:1234/callback?x=1");
    let (code, rest) = rest.split_once('&').unwrap();
    assert!(rest.starts_with("state=a%20b%26c&iss=http"), "{rest}");
    let record = world.engine.record(head).await.unwrap().unwrap();
    let Event::AuthorizationConsented(consented) = record.record.event else { panic!("{record:?}") };
    assert_eq!(consented.code, Digest::of_bytes(code.as_bytes()));
    assert_eq!((consented.purpose.as_str(), consented.ttl_seconds), ("look things up", 8 * 3600));
    assert_eq!(consented.authority.len(), 1);
    assert!(!consented.authority[0].constraints.is_empty());
}

#[tokio::test]
async fn a_no_goes_back_and_leaves_nothing() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let text = sealed(&world, &request(&world));
    let page = world.get(&format!("/consent?request={text}"), &cookie).await;
    let head = world.engine.head();
    let token = page.field("form_token");
    let fields = [("form_token", token.as_str()), ("request", text.as_str()), ("decision", "deny")];
    let answer = world.post("/consent", &cookie, &fields).await;
    assert!(answer.header("location").contains("?x=1&error=access_denied&"), "{}", answer.header("location"));
    assert_eq!(world.engine.head(), head);
}

#[tokio::test]
async fn what_ends_soon_is_no_longer_than_that_and_is_shown_with_all_that_was_said() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let now = world.engine.now().as_seconds();
    let delegate = "spiffe://remit.test/agent/helper/production";
    let part =
        json!({"operations": ["helpdesk/refund"], "delegation": {"depth_max": 1, "delegates": [{"agent": delegate}]}});
    let asked = ConsentRequest {
        goal: Some("tidy up".to_owned()),
        purpose: Some("never the archive".to_owned()),
        ends_at: Some(now + 120),
        configuration: Some("ab".repeat(32)),
        authority: json!([part]),
        ..request(&world)
    };
    let text = sealed(&world, &asked);
    let page = world.get(&format!("/consent?request={text}"), &cookie).await;
    for part in ["tidy up", "never the archive", "Ends at the latest", delegate, &"ab".repeat(32)] {
        assert!(page.body.contains(part), "`{part}` is not shown: {}", page.body);
    }
    let token = page.field("form_token");
    let fields = |text| {
        [
            ("form_token", token.as_str()),
            ("request", text),
            ("agent", "support-bot"),
            ("purpose", "tidy up"),
            ("hours", "24"),
            ("decision", "allow"),
        ]
    };
    let head = world.engine.head();
    world.post("/consent", &cookie, &fields(&text)).await;
    let record = world.engine.record(head).await.unwrap().unwrap();
    let Event::AuthorizationConsented(consented) = record.record.event else { panic!("{record:?}") };
    assert!((1..=120).contains(&consented.ttl_seconds), "{}", consented.ttl_seconds);
    assert_eq!(consented.configuration.map(|digest| digest.to_string()), Some("ab".repeat(32)));
    let over = sealed(&world, &ConsentRequest { ends_at: Some(now), ..asked });
    assert!(world.post("/consent", &cookie, &fields(&over)).await.status.is_client_error());
}

#[tokio::test]
async fn nobody_consents_for_an_agent_that_is_not_theirs() {
    let world = World::new().await;
    let cookie = world.sign_in("carla").await;
    let text = sealed(&world, &request(&world));
    let page = world.get(&format!("/consent?request={text}"), &cookie).await;
    assert!(page.body.contains("You own no active agent"), "{}", page.body);
    let token = page.field("form_token");
    let fields = [
        ("form_token", token.as_str()),
        ("request", text.as_str()),
        ("agent", "support-bot"),
        ("purpose", "x"),
        ("decision", "allow"),
    ];
    let answer = world.post("/consent", &cookie, &fields).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
}

#[tokio::test]
async fn a_request_that_remit_did_not_make_is_none() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut text = sealed(&world, &request(&world));
    text.replace_range(40..41, if &text[40..41] == "A" { "B" } else { "A" });
    for text in [text.as_str(), "", "abc"] {
        let page = world.get(&format!("/consent?request={text}"), &cookie).await;
        assert!(page.status.is_client_error(), "{}", page.status);
    }
    let old = ConsentRequest { issued_at: 1, expires_at: 2, ..request(&world) };
    let text = sealed(&world, &old);
    assert!(world.get(&format!("/consent?request={text}"), &cookie).await.status.is_client_error());
    // Details whose meaning is not there must not become no bounds at all.
    let details = json!([{"type": "mission_resource_access", "resource": "http://127.0.0.1:7480/mcp/helpdesk", "actions": ["refund"]}]);
    let entries = remit_identity::mission::entries_of(&details).unwrap();
    let strange =
        ConsentRequest { authorization_details: entries, authority: serde_json::Value::Null, ..request(&world) };
    let text = sealed(&world, &strange);
    assert!(world.get(&format!("/consent?request={text}"), &cookie).await.status.is_client_error());
}

#[tokio::test]
async fn who_is_not_signed_in_comes_back_here_afterwards() {
    let world = World::new().await;
    let text = sealed(&world, &request(&world));
    let page = world.get(&format!("/consent?request={text}"), "").await;
    assert!(page.status.is_redirection());
    assert!(
        page.header("location").starts_with("/sign-in?next=%2Fconsent%3Frequest%3D"),
        "{}",
        page.header("location")
    );
}

#[test]
fn a_policy_names_only_what_an_address_really_is() {
    assert!(format!("{:?}", FormsTo::address("https://a.example/cb;script-src *")).contains("https://a.example"));
    assert!(format!("{:?}", FormsTo::address("com.example.app:/cb")).contains("com.example.app:"));
    for address in ["https://a.example;x/", "https://a b/", "://x"] {
        assert!(!format!("{:?}", FormsTo::address(address)).contains(';'), "{address}");
    }
}

#[tokio::test]
async fn whoever_has_a_passkey_shows_it_before_the_form_and_comes_back_to_it() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut key = world.authenticator();
    world.enrol(&cookie, &mut key).await;
    let page = format!("/consent?request={}", sealed(&world, &request(&world)));
    let led = world.get(&page, &cookie).await;
    assert_eq!(led.status, StatusCode::SEE_OTHER);
    assert_eq!(led.header("location"), leading_to("/step-up", &page));
}

#[tokio::test]
async fn whoever_answers_late_comes_back_with_the_request_that_they_answered() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut key = world.authenticator();
    world.enrol(&cookie, &mut key).await;
    let cookie = world.sign_in_with(&mut key).await;
    let text = sealed(&world, &ConsentRequest { expires_at: request(&world).expires_at + 540, ..request(&world) });
    let page = world.get(&format!("/consent?request={text}"), &cookie).await;
    let token = page.field("form_token");
    world.pass_seconds(remit_domain::limits::FRESH_SECONDS + 1);
    let fields = [
        ("form_token", token.as_str()),
        ("request", text.as_str()),
        ("agent", "support-bot"),
        ("purpose", "look things up"),
        ("decision", "allow"),
    ];
    let led = world.post("/consent", &cookie, &fields).await;
    assert_eq!(led.status, StatusCode::SEE_OTHER, "{}", led.body);
    // To the page, which alone says where its form may lead, and not to a form that would be held back.
    assert_eq!(led.header("location"), leading_to("/step-up", &format!("/consent?request={text}")));
}
