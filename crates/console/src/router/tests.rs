//! The console through its own router, on a real engine.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::world::{Page, World};

mod matrix;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_page_without_signing_in() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let one = format!("/approvals/{id}");
    for path in [
        "/",
        "/approvals",
        &one,
        "/agents",
        "/agents/support-bot",
        "/connectors",
        "/connectors/helpdesk",
        "/connectors/helpdesk/review",
        "/records/0",
        "/who?ask=see&about=D1",
    ] {
        for cookie in ["", "remit_session=ses_guess"] {
            let page = world.get(path, cookie).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
            assert!(page.header("location").starts_with("/sign-in"), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_signs_in_once_and_looking_at_the_link_uses_nothing_up() {
    let world = World::new().await;
    let code = world.code("olga").await;
    for _ in 0..2 {
        assert_eq!(world.get(&format!("/sign-in?code={code}"), "").await.status, StatusCode::OK);
    }
    let signed_in = world.post("/sign-in", "", &[("code", &code), ("next", "/agents")]).await;
    assert_eq!((signed_in.status, signed_in.header("location")), (StatusCode::SEE_OTHER, "/agents"));
    let cookie = signed_in.header("set-cookie");
    assert!(
        cookie.starts_with("remit_session=ses_") && cookie.contains("; HttpOnly; SameSite=Strict; Path=/"),
        "{cookie}"
    );
    let again = world.post("/sign-in", "", &[("code", &code)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(again.body.contains("unknown, used or expired"), "{}", again.body);
    assert!(!again.headers.contains_key("set-cookie"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_never_leads_away_and_never_for_another_site() {
    let world = World::new().await;
    let code = world.code("olga").await;
    let foreign = world.post_from("https://evil.example", "/sign-in", "", &[("code", &code)]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let away = world.post("/sign-in", "", &[("code", &code), ("next", "//evil.example")]).await;
    assert_eq!((away.status, away.header("location")), (StatusCode::SEE_OTHER, "/passkeys"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_from_another_site_brings_a_signed_in_person_to_the_page() {
    let world = World::new().await;
    let request = Request::get("/approvals").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
    let page = world.send(request).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(r#"<meta http-equiv="refresh" content="0; url=/approvals">"#), "{}", page.body);
    assert!(!page.body.contains("Sign out"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_approves_exactly_what_was_shown() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let cookie = world.sign_in("olga").await;
    let overview = world.get("/", &cookie).await;
    assert!(
        overview.body.contains(&format!("/approvals/{id}")) && overview.body.contains("Needs you"),
        "{}",
        overview.body
    );
    let address = format!("/approvals/{id}");
    let shown = world.get(&address, &cookie).await;
    let fields = [
        ("form_token", shown.field("form_token")),
        ("digest", shown.field("digest")),
        ("shown", shown.field("shown")),
        ("note", "fine\r\nonce".to_owned()),
    ];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answered = world.post(&format!("{address}/approve"), &cookie, &fields).await;
    assert_eq!(
        (answered.status, answered.header("location")),
        (StatusCode::SEE_OTHER, address.as_str()),
        "{}",
        answered.body
    );
    let after = world.get(&address, &cookie).await;
    assert!(after.body.contains("approved") && after.body.contains("fine\nonce"), "{}", after.body);
    assert!(!after.body.contains("/approve\""), "no form is left");
    let twice = world.post(&format!("{address}/approve"), &cookie, &fields).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_digest_than_the_one_that_waits_is_refused() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let cookie = world.sign_in("olga").await;
    let token = world.get("/approvals", &cookie).await.field("form_token");
    for (digest, status) in
        [("0".repeat(64), StatusCode::CONFLICT), ("no digest".to_owned(), StatusCode::UNPROCESSABLE_ENTITY)]
    {
        let fields = [("form_token", token.as_str()), ("digest", digest.as_str())];
        let page = world.post(&format!("/approvals/{id}/approve"), &cookie, &fields).await;
        assert_eq!(page.status, status, "{}", page.body);
    }
    assert!(world.engine.read(|state| state.approval(id).unwrap().is_pending()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_acted_for_sees_why_the_button_is_off_and_is_refused_anyway() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let cookie = world.sign_in("carla").await;
    let shown = world.get(&format!("/approvals/{id}"), &cookie).await;
    assert!(shown.body.contains("you cannot approve what is done in your own name"), "{}", shown.body);
    assert!(
        shown.body.contains(r#"<button class="primary" type="submit" disabled aria-describedby="approve-why">"#),
        "{}",
        shown.body
    );
    let (token, digest) = (shown.field("form_token"), shown.field("digest"));
    let fields = [("form_token", token.as_str()), ("digest", digest.as_str())];
    let page = world.post(&format!("/approvals/{id}/approve"), &cookie, &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    // Saying no in one's own name is allowed.
    let page =
        world.post(&format!("/approvals/{id}/deny"), &cookie, &[("form_token", &token), ("note", "not mine")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    assert!(world.get(&format!("/approvals/{id}"), &cookie).await.body.contains("not mine"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_of_another_session_does_nothing() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "A-1"})).await;
    let (olga, maria) = (world.sign_in("olga").await, world.sign_in("maria").await);
    let hers = world.get("/approvals", &maria).await.field("form_token");
    let own = world.get("/approvals", &olga).await.field("form_token");
    let deny = format!("/approvals/{id}/deny");
    let approve = format!("/approvals/{id}/approve");
    let forged: [Page; 5] = [
        world.post(&deny, &olga, &[]).await,
        world.post(&deny, &olga, &[("form_token", "x")]).await,
        world.post(&deny, &olga, &[("form_token", &hers)]).await,
        world.post(&approve, &olga, &[("digest", "x"), ("form_token", "")]).await,
        world.post_from("http://127.0.0.1:9", &deny, &olga, &[("form_token", &own)]).await,
    ];
    for page in forged {
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    }
    assert_eq!(world.post("/sign-out", &olga, &[]).await.status, StatusCode::FORBIDDEN);
    assert!(world.engine.read(|state| state.approval(id).unwrap().is_pending()));
    assert_eq!(world.get("/", &olga).await.status, StatusCode::OK, "still signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_the_session() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let token = world.get("/", &cookie).await.field("form_token");
    let out = world.post("/sign-out", &cookie, &[("form_token", &token)]).await;
    assert_eq!((out.status, out.header("location")), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(world.get("/", &cookie).await.status, StatusCode::SEE_OTHER, "the old cookie opens nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_its_headers_and_no_script() {
    let world = World::new().await;
    let id = world.ask(json!({"order": "<script>alert(1)</script>", "note": "\u{202e}hidden"})).await;
    let cookie = world.sign_in("olga").await;
    let seq = world.engine.head() - 1;
    let pages = [
        "/".to_owned(),
        "/sign-in?code=%22%3E%3Cscript%3E&next=%22%3E%3Cscript%3E".to_owned(),
        "/approvals".to_owned(),
        "/approvals?show=answered".to_owned(),
        "/approvals?show=%3Cscript%3E".to_owned(),
        format!("/approvals/{id}"),
        "/approvals/%3Cscript%3E".to_owned(),
        "/agents".to_owned(),
        "/agents/support-bot".to_owned(),
        format!("/agents/{}", world.agent),
        "/agents/%3Cscript%3E".to_owned(),
        "/connectors".to_owned(),
        "/connectors/helpdesk".to_owned(),
        "/connectors/%3Cscript%3E".to_owned(),
        format!("/records/{seq}"),
        "/records/99999999".to_owned(),
        "/records/%3Cscript%3E".to_owned(),
    ];
    for path in pages {
        let page = world.get(&path, &cookie).await;
        assert!(
            [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&page.status),
            "{path}: {} {}",
            page.status,
            page.body
        );
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert!(!page.has_foreign_script(), "{path}: {}", page.body);
        for hostile in ["<script>", "\u{202e}", "style=\"", "onerror=\"", "<b>now"] {
            assert!(!page.body.contains(hostile), "{path} holds {hostile}: {}", page.body);
        }
        assert!(page.body.contains("<title>") && page.body.contains("lang=\"en\""), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_style_is_ours_and_may_be_kept() {
    let world = World::new().await;
    let page = world.get("/assets/console.css", "").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(page.header("cache-control").contains("immutable"));
    assert!(!page.body.contains("url(") && !page.body.contains("@import"), "nothing is loaded from elsewhere");
    assert_eq!(world.get("/assets/mark.svg", "").await.header("content-type"), "image/svg+xml");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scripts_are_ours_and_neither_runs_text_nor_asks_elsewhere() {
    let world = World::new().await;
    let own = world.get("/assets/console.js", "").await;
    assert_eq!((own.status, own.header("content-type")), (StatusCode::OK, "text/javascript; charset=utf-8"));
    for banned in ["eval(", "new Function", "innerHTML", "http://", "https://", "document.write"] {
        let places = own.body.lines().filter(|line| line.contains(banned) && !line.contains("return tell("));
        assert_eq!(places.collect::<Vec<_>>(), Vec::<&str>::new(), "{banned}");
    }
    assert!(own.body.lines().count() <= 150);
    // The file as its package has it: whoever changes it changes this line, and is asked why.
    let htmx = remit_domain::Digest::of_bytes(world.get("/assets/htmx.js", "").await.body.as_bytes());
    assert_eq!(htmx.to_string(), "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717");
    let page = world.get("/", &world.sign_in("olga").await).await;
    for setting in
        ["&quot;allowEval&quot;:false", "&quot;selfRequestsOnly&quot;:true", "&quot;includeIndicatorStyles&quot;:false"]
    {
        assert!(page.body.contains(setting), "{}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_live_stands_on_the_page_under_a_name_of_its_own() {
    let world = World::new().await;
    world.ask(json!({"order": "A-1"})).await;
    let page = world.get("/approvals", &world.sign_in("olga").await).await;
    assert!(page.body.contains(r#"<body data-live-from="/live">"#), "{}", page.body);
    for place in ["waiting", "approvals"] {
        assert_eq!(page.body.matches(&format!(" id=\"{place}\" data-live")).count(), 1, "{place}: {}", page.body);
    }
    assert!(page.body.contains("<noscript><meta http-equiv=\"refresh\""), "without scripts it looks again by itself");
    let bare = world.get("/sign-in", "").await;
    assert!(!bare.body.contains("data-live-from") && !bare.body.contains("htmx.js"), "{}", bare.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_large_is_not_read() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let large = "x".repeat(64 * 1024);
    let page = world.post("/sign-out", &cookie, &[("form_token", &large)]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}
