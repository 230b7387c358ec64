use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use super::*;
use crate::world::World;

fn page(given: &SignIn, refusal: Option<&Refusal>) -> String {
    let ceremony = Ceremony { id: "1.challenge.mac".to_owned(), options: json!({"challenge": "AA\"'<script>"}) };
    render("example.org", given, &ceremony, Some("Example <b>"), refusal).into_string()
}

#[test]
fn a_link_shows_one_button_and_uses_nothing_up() {
    let given = SignIn { code: "signin_\"><script>".to_owned(), next: "/approvals/apr_1".to_owned() };
    let page = page(&given, None);
    assert!(page.contains(r#"<form class="stack" method="post" action="/sign-in">"#), "{page}");
    assert!(page.contains(r#"name="code" value="signin_&quot;&gt;&lt;script&gt;""#), "{page}");
    assert!(page.contains(r#"name="next" value="/approvals/apr_1""#), "{page}");
    assert!(!page.contains("signin_\"><script>"));
}

#[test]
fn without_a_code_there_is_a_field_for_it() {
    let page = page(&SignIn::default(), Some(&Refusal::new("code_refused", "unknown, used or expired")));
    assert!(page.contains(r#"<input id="code" type="password" name="code""#), "{page}");
    assert!(page.contains("unknown, used or expired"));
    assert!(
        page.contains(r#"data-passkey="get""#) && page.contains(r#"name="ceremony" value="1.challenge.mac""#),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;") && !page.contains("'<script>"), "{page}");
    assert!(page.contains("Sign in with Example &lt;b&gt;"), "{page}");
}

#[test]
fn signing_in_leads_back_here_and_nowhere_else() {
    for here in ["/", "/approvals/apr_1?show=all", "/agents/support-bot"] {
        assert!(leads_here(here), "{here}");
    }
    for elsewhere in
        ["", "x", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: x", "/ä", "/a b"]
    {
        assert!(!leads_here(elsewhere), "{elsewhere}");
        assert_eq!(address(elsewhere), "/sign-in");
    }
    assert_eq!(address("/"), "/sign-in");
    assert_eq!(leading_to("/step-up", "https://evil.example"), "/step-up");
    assert_eq!(address("/approvals/apr_1"), "/sign-in?next=%2Fapprovals%2Fapr_1");
    assert!(!leads_here(&format!("/{}", "a".repeat(limits::NEXT_BYTES_MAX))));
}

#[tokio::test]
async fn a_browser_at_an_address_of_this_machine_signs_in_at_its_name_where_passkeys_are() {
    let world = World::at("http://127.0.0.1:7470").await;
    let asked = async |host: &str, path: &str| {
        let request = Request::get(path).header("host", host).body(Body::empty()).unwrap();
        world.send(request).await
    };
    let led = asked("127.0.0.1:7470", "/sign-in?code=signin_a&next=%2Fagents").await;
    let home = "http://localhost:7470/sign-in?code=signin_a&next=%2Fagents";
    assert_eq!((led.status, led.header("location")), (StatusCode::SEE_OTHER, home));
    assert_eq!(asked("localhost:7470", "/sign-in").await.status, StatusCode::OK);
    assert_eq!(asked("127.0.0.1:9999", "/sign-in").await.status, StatusCode::OK, "another listener");
    let sent = Request::post("/sign-in").header("host", "127.0.0.1:7470").body(Body::empty()).unwrap();
    assert!(!world.send(sent).await.headers.contains_key("location"), "what is sent is never passed on");
    let far = World::new().await;
    let request = Request::get("/sign-in").header("host", "127.0.0.1:7470").body(Body::empty()).unwrap();
    assert_eq!(far.send(request).await.status, StatusCode::OK, "a console that has a name has no other address");
}

#[test]
fn signing_out_elsewhere_is_a_link_for_its_person_to_follow() {
    let page = signed_out("Acme <b>", "https://idp.example/end?tenant=ours&client_id=remit").into_string();
    assert!(page.contains(r#"href="https://idp.example/end?tenant=ours&amp;client_id=remit""#), "{page}");
    assert!(page.contains("Acme &lt;b&gt;") && !page.contains("http-equiv"), "it leads nowhere by itself: {page}");
}
