use axum::body::Body;
use http::{Request, StatusCode};

use super::*;
use crate::world::{Page, World};

async fn get(world: &World, path: &str, more: &[(&str, &str)]) -> Page {
    let request = Request::get(path);
    let request = more.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_link_on_another_site_signs_nobody_in() {
    let world = World::new().await;
    let from_elsewhere = [("host", "remit.test"), ("sec-fetch-site", "cross-site")];
    for (path, leads) in [
        ("/sign-in/oidc?next=/approvals", "/sign-in?next=%2Fapprovals"),
        ("/sign-in/oidc?next=//evil.example", "/sign-in"),
        ("/sign-in/oidc?next=https://evil.example", "/sign-in"),
        ("/sign-in/oidc?next=/a&next=/b", "/sign-in"),
    ] {
        let page = get(&world, path, &from_elsewhere).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, leads), "{path}");
        assert_eq!(page.header("set-cookie"), "");
    }
}

#[tokio::test]
async fn the_way_there_begins_where_the_way_back_ends() {
    let world = World::new().await;
    for host in ["127.0.0.1", "evil.example", "remit.test:1"] {
        let page = get(&world, "/sign-in/oidc?next=/agents", &[("host", host)]).await;
        assert_eq!(page.header("location"), "http://remit.test/sign-in?next=%2Fagents", "{host}");
    }
    // At the right place, where there is no provider, there is nothing.
    let page = get(&world, "/sign-in/oidc", &[("host", "remit.test")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.body);
}

#[tokio::test]
async fn an_answer_that_is_no_answer_opens_nothing() {
    let world = World::new().await;
    for path in ["/sign-in/oidc/callback?code=a&code=b&state=c", "/sign-in/oidc/callback?state=c&state=d"] {
        let page = get(&world, path, &[("cookie", "remit_sign_in=a")]).await;
        assert_eq!((page.status, page.header("set-cookie")), (StatusCode::BAD_REQUEST, ""), "{}", page.body);
    }
    let script = "/sign-in/oidc/callback?error=%3Cscript%3Ealert(1)%3C/script%3E&state=c";
    let page = get(&world, script, &[("cookie", "remit_sign_in=a")]).await;
    assert!(page.status.is_client_error() && !page.body.contains("<script>alert"), "{}", page.body);
    assert_eq!(page.header("set-cookie"), "");
}

#[test]
fn the_binding_goes_to_the_callback_alone_and_no_script_sees_it() {
    let cookie = binding_cookie("sealed", true);
    assert_eq!(
        cookie,
        "remit_sign_in=sealed; HttpOnly; SameSite=Lax; Path=/sign-in/oidc/callback; Max-Age=600; Secure"
    );
    assert!(!binding_cookie("sealed", false).contains("Secure"));
    assert!(no_binding_cookie().starts_with("remit_sign_in=; ") && no_binding_cookie().ends_with("Max-Age=0"));
}

#[test]
fn of_two_bindings_none_is_believed() {
    let headers = |cookies: &[&str]| {
        let pairs = cookies.iter().map(|cookie| (COOKIE, cookie.parse().unwrap()));
        pairs.collect::<HeaderMap>()
    };
    assert_eq!(binding(&headers(&["a=b; remit_sign_in=ours; remit_session=s"])), Some("ours"));
    assert_eq!(binding(&headers(&["remit_sign_in=ours; remit_sign_in=planted"])), None);
    assert_eq!(binding(&headers(&["remit_sign_in=ours", "remit_sign_in=planted"])), None);
    assert_eq!(binding(&headers(&["remit_sign_info=other"])), None);
}
