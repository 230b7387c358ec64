use http::{StatusCode, Uri};
use remit_testkit::Authenticator;

use super::*;
use crate::world::{Page, World};

#[test]
fn a_refused_form_leads_back_to_the_page_it_stood_on() {
    for (method, asked, page) in [
        (Method::POST, "/agents/support-bot/suspend", "/agents/support-bot"),
        (Method::POST, "/people", "/people"),
        (Method::POST, "/policies/propose?x=1", "/policies"),
        (Method::GET, "/keys?step=1", "/keys?step=1"),
    ] {
        assert_eq!(page_of(&method, &asked.parse::<Uri>().unwrap()), page);
    }
}

#[test]
fn an_address_says_what_is_done() {
    for (address, said) in [
        ("/tasks/tsk_01/end", "end this task"),
        ("/tasks/tsk_01/end-run", "end the whole run of this task"),
        ("/agents/support-bot/suspend", "suspend support-bot"),
        ("/agents/support-bot/end", "end support-bot for good"),
        ("/agents/new", "register an agent"),
        ("/agents/support-bot/revoke-grant", "take a grant from support-bot"),
        ("/people/carla/groups", "set the groups of carla"),
        ("/passkeys/remove", "remove a passkey"),
        ("/changes/chg_01/approve?x=1", "approve this change"),
        ("/settings/sessions/ses_01/end", "end this session"),
        ("/people", "send what you wrote on the page /people"),
        ("/", "send what you wrote on the page /"),
    ] {
        assert_eq!(words::words(address), said, "{address}");
    }
}

/// olga, whose passkey was shown too long ago.
async fn stale(world: &World) -> (String, Authenticator) {
    let cookie = world.sign_in("olga").await;
    let mut passkey = world.authenticator();
    world.enrol(&cookie, &mut passkey).await;
    let cookie = world.sign_in_with(&mut passkey).await;
    world.pass_seconds(FRESH_SECONDS + 1);
    (cookie, passkey)
}

/// Ends the task of `world` for a reason that nobody wants to type twice.
async fn end(world: &World, cookie: &str) -> Page {
    let token = world.get("/settings", cookie).await.field("form_token");
    let fields = [("form_token", token.as_str()), ("reason", "wrong <b>customer</b> & \"more\"")];
    world.post(&format!("/tasks/{}/end", world.task), cookie, &fields).await
}

/// Shows `passkey` on the page at `way`.
async fn confirm(world: &World, cookie: &str, way: &str, passkey: &mut Authenticator) -> Page {
    let page = world.get(way, cookie).await;
    let shown = passkey.get(&page.options()).to_string();
    let names = ["form_token", "ceremony", "next", "form"];
    let mut fields: Vec<(&str, String)> = names.map(|name| (name, page.field(name))).into();
    fields.push(("credential", shown));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.post("/step-up", cookie, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_survives_the_passkey_and_is_sent_with_one_click() {
    let world = World::new().await;
    let (cookie, mut passkey) = stale(&world).await;
    let led = end(&world, &cookie).await;
    let way = led.header("location").to_owned();
    assert!(way.starts_with(&format!("/step-up?next=%2Ftasks%2F{}&form=", world.task)), "{way}");
    assert!(!way.contains("customer"), "what was written is in no address: {way}");
    let page = world.get(&way, &cookie).await;
    assert!(page.body.contains("<strong>end this task</strong>"), "{}", page.body);

    let raised = confirm(&world, &cookie, &way, &mut passkey).await;
    let on = raised.header("location").to_owned();
    assert!(on.starts_with("/step-up/continue?next="), "{on} {}", raised.body);
    let page = world.get(&on, &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains("Continue: end this task"), "{}", page.body);
    assert!(page.body.contains("wrong &lt;b&gt;customer&lt;/b&gt; &amp;"), "they see what they send: {}", page.body);
    assert!(!page.has_foreign_script() && !page.body.contains("<b>customer"), "{}", page.body);
    let alive = || world.engine.read(|state| state.task(world.task).unwrap().must_be_alive(world.engine.now()).is_ok());
    assert!(alive(), "nothing was done by looking");

    let address = format!("/tasks/{}/end", world.task);
    assert!(page.body.contains(&format!(r#"method="post" action="{address}""#)), "{}", page.body);
    let (token, reason) = (page.field("form_token"), page.field("reason"));
    assert_eq!(page.body.matches("name=\"form_token\"").count(), 1, "the token of then is not kept");
    let reason = reason.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    assert_eq!(reason, "wrong <b>customer</b> & \"more\"");
    let sent = world.post(&address, &cookie, &[("form_token", &token), ("reason", &reason)]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert!(!alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_finds_what_was_written_and_nothing_of_another_site_is_kept() {
    let world = World::new().await;
    let (cookie, mut passkey) = stale(&world).await;
    let way = end(&world, &cookie).await.header("location").to_owned();
    let form = way.split_once("form=").unwrap().1;
    let maria = world.sign_in("maria").await;
    let on = format!("/step-up/continue?form={form}");
    for (cookie, status) in [(&maria, StatusCode::CONFLICT), (&String::new(), StatusCode::SEE_OTHER)] {
        let page = world.get(&on, cookie).await;
        assert!(page.status == status && !page.body.contains("customer"), "{} {}", page.status, page.body);
    }
    let other = world.sign_in_with(&mut passkey).await;
    assert_eq!(world.get(&on, &other).await.status, StatusCode::CONFLICT, "another session of the same person");
    assert_eq!(world.get(&on, &cookie).await.status, StatusCode::OK);
    world.pass_seconds(crate::limits::FORM_SECONDS_KEPT);
    assert_eq!(world.get(&on, &cookie).await.status, StatusCode::CONFLICT, "too late");

    let (address, fields) = (format!("/tasks/{}/end", world.task), [("reason", "planted")]);
    let forged = world.post(&address, &cookie, &fields).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "a form without our token leads nowhere");
    let foreign = world.post_from("https://evil.example", &address, &cookie, &fields).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_kept_form_a_passkey_leads_back_to_the_page() {
    let world = World::new().await;
    let (cookie, mut passkey) = stale(&world).await;
    let way = end(&world, &cookie).await.header("location").to_owned();
    let page = world.get(&way, &cookie).await;
    let shown = passkey.get(&page.options()).to_string();
    let fields = [
        ("form_token", page.field("form_token")),
        ("ceremony", page.field("ceremony")),
        ("credential", shown),
        ("next", "/tasks".to_owned()),
        ("form", "made-up".to_owned()),
    ];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let raised = world.post("/step-up", &cookie, &fields).await;
    assert_eq!((raised.status, raised.header("location")), (StatusCode::SEE_OTHER, "/tasks"), "{}", raised.body);
}
