use http::StatusCode;
use remit_domain::{Command, Timestamp};

use crate::world::{Page, World};

/// What `cookie` sends to the form `verb` of `name`'s page.
async fn send(world: &World, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Page {
    let token = world.get("/people", cookie).await.field("form_token");
    let mut all = vec![("form_token", token.as_str())];
    all.extend_from_slice(fields);
    world.post(path, cookie, &all).await
}

fn has_person(world: &World, name: &str) -> bool {
    world.engine.read(|state| state.people_by_name.contains_key(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_names_and_groups_and_auditors_more() {
    let world = World::new().await;
    world.join("aud", &["auditors"]).await;
    let (aud, carla) = (world.sign_in("aud").await, world.sign_in("carla").await);
    let page = world.get("/people", &carla).await.body;
    assert!(page.contains("/people/olga") && page.contains("auditors") && !page.contains("Signs in by"), "{page}");
    assert!(world.get("/people", &aud).await.body.contains("link only"));
    let filtered = world.get("/people?group=auditors", &carla).await.body;
    assert!(filtered.contains("/people/aud\"") && !filtered.contains("/people/olga\""), "{filtered}");
    let after = world.get("/people?after=maria", &carla).await.body;
    assert!(after.contains("/people/olga\"") && !after.contains("/people/maria\""), "{after}");
    let nobody = world.get("/people?text=%3Cscript%3E", &carla).await.body;
    assert!(nobody.contains("Nobody fits") && !nobody.contains("<script>"), "{nobody}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_person_and_who_reads_all_records_see_more_than_groups() {
    let world = World::new().await;
    let (olga, carla) = (world.sign_in("olga").await, world.sign_in("carla").await);
    let own = world.get("/people/olga", &olga).await.body;
    for part in ["Sessions", "this one", "support-bot", "Entitlements", "Accounts elsewhere", "/passkeys"] {
        assert!(own.contains(part), "`{part}` is not on {own}");
    }
    let other = world.get("/people/olga", &carla).await.body;
    assert!(other.contains("support-bot") && other.contains("The rest is for themself"), "{other}");
    for part in
        ["<h2>Sessions</h2>", "<h2>Accounts elsewhere</h2>", "<h2>Entitlements</h2>", "<h2>What happened last</h2>"]
    {
        assert!(!other.contains(part), "`{part}` is on {other}");
    }
    assert_eq!(world.get("/people/nobody", &carla).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/people/%3Cscript%3E", &carla).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_adds_somebody_and_nobody_else_does() {
    let world = World::new().await;
    let (root, carla) = (world.sign_in("root").await, world.sign_in("carla").await);
    let page = world.get("/people", &carla).await.body;
    assert!(page.contains("only an administrator may do this"), "{page}");
    assert!(page.contains(r#"disabled aria-describedby="add-why""#), "{page}");
    let refused = send(&world, &carla, "/people", &[("name", "nina")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!has_person(&world, "nina"));
    let forged = world.post("/people", &root, &[("name", "nina")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let added = send(&world, &root, "/people", &[("name", " nina "), ("groups", "auditors, leads auditors")]).await;
    assert_eq!((added.status, added.header("location")), (StatusCode::SEE_OTHER, "/people/nina"), "{}", added.body);
    let groups = world.engine.read(|state| state.person_named("nina").unwrap().groups.clone());
    assert_eq!(groups, ["auditors", "leads"]);
    let bad = send(&world, &root, "/people", &[("name", "Nina <b>")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_proposed_to_the_other_administrator_once_there_is_one() {
    let world = World::new().await;
    world.join("mia", &["administrators"]).await;
    let root = world.sign_in("root").await;
    let set = send(&world, &root, "/people/carla/groups", &[("groups", "auditors")]).await;
    assert!(set.header("location").starts_with("/changes/"), "{} {}", set.header("location"), set.body);
    assert!(world.engine.read(|state| state.person_named("carla").unwrap().groups.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_link_is_shown_once_and_works_once() {
    let world = World::new().await;
    let (root, carla) = (world.sign_in("root").await, world.sign_in("carla").await);
    let refused = send(&world, &carla, "/people/olga/sign-in", &[("minutes", "15")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let offered = send(&world, &root, "/people/olga/sign-in", &[("minutes", "15")]).await;
    assert_eq!(offered.status, StatusCode::OK, "{}", offered.body);
    let (_, link) = offered.body.split_once("http://remit.test/sign-in?code=").unwrap();
    let code = link.split_once('<').unwrap().0.to_owned();
    assert!(code.starts_with("signin_"), "{code}");
    assert_eq!(offered.header("cache-control"), "no-store");
    assert!(!world.get("/people/olga", &root).await.body.contains(&code), "nowhere but there");
    let opened = world.post("/sign-in", "", &[("code", &code)]).await;
    assert_eq!(opened.status, StatusCode::SEE_OTHER);
    assert_eq!(world.post("/sign-in", "", &[("code", &code)]).await.status, StatusCode::FORBIDDEN);
    let forever = send(&world, &root, "/people/olga/sign-in", &[("minutes", "99999999")]).await;
    assert_eq!(forever.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_ended_by_their_person_and_by_administrators_alone() {
    let world = World::new().await;
    let (root, olga, carla) = (world.sign_in("root").await, world.sign_in("olga").await, world.sign_in("carla").await);
    let session = world.engine.read(|state| {
        let person = state.person_named("olga").unwrap().id;
        state.sessions.values().find(|session| session.person == person).unwrap().id.to_string()
    });
    let page = world.get("/people/olga", &root).await.body;
    assert!(page.contains(&session), "{page}");
    assert!(!world.get("/people/olga", &carla).await.body.contains(&session));
    let fields = [("session", session.as_str())];
    let refused = send(&world, &carla, "/people/olga/end-session", &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let ended = send(&world, &root, "/people/olga/end-session", &fields).await;
    assert_eq!((ended.status, ended.header("location")), (StatusCode::SEE_OTHER, "/people/olga"), "{}", ended.body);
    assert_eq!(world.get("/", &olga).await.status, StatusCode::SEE_OTHER, "the session opens nothing");
    let nonsense = send(&world, &root, "/people/olga/end-session", &[("session", "<script>")]).await;
    assert_eq!(nonsense.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absence_names_a_deputy_for_days_and_ends() {
    let world = World::new().await;
    world.join("mia", &["administrators"]).await;
    let (olga, carla) = (world.sign_in("olga").await, world.sign_in("carla").await);
    let fields = [("deputy", "maria"), ("from", ""), ("until", "2027-01-25"), ("reason", "holidays"), ("away", "yes")];
    let refused = send(&world, &carla, "/people/olga/absence", &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    for (name, value) in [("until", "tomorrow"), ("until", "2027-13-01"), ("deputy", "nobody")] {
        let changed = fields.map(|(field, known)| if field == name { (field, value) } else { (field, known) });
        let bad = send(&world, &olga, "/people/olga/absence", &changed).await;
        assert!(bad.status.is_client_error(), "{name}={value}");
    }
    let proposed = send(&world, &olga, "/people/olga/absence", &fields).await;
    let address = proposed.header("location").to_owned();
    assert!(address.starts_with("/changes/"), "{}", proposed.body);
    let change = address.trim_start_matches("/changes/").parse().unwrap();
    let mia = remit_domain::Actor::Person {
        person: world.viewer("mia").person,
        method: remit_domain::SignInMethod::LocalSocket,
    };
    world.engine.submit(mia, Command::ApproveChange { change }).await.unwrap();
    let absence = world.engine.read(|state| state.person_named("olga").unwrap().absence.clone()).unwrap();
    assert_eq!((absence.from, absence.until), (crate::world::NOW, Timestamp::from_millis(1_800_835_200_000)));
    let page = world.get("/people/olga", &olga).await.body;
    assert!(page.contains("answers in their place") && page.contains("Propose that they are back"), "{page}");
    let away = r#"<span class="pill waits">away</span>"#;
    let maria = world.sign_in("maria").await;
    for (cookie, sees) in [(&olga, true), (&maria, true), (&carla, false)] {
        assert_eq!(world.get("/people", cookie).await.body.contains(away), sees);
        assert_eq!(world.get("/people/olga", cookie).await.body.contains("answers in their place"), sees);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entitlements_and_accounts_are_for_administrators_to_say() {
    let world = World::new().await;
    let (root, carla) = (world.sign_in("root").await, world.sign_in("carla").await);
    let entitle = [("operations", "helpdesk/*\r\ncrm/read"), ("reason", "her work")];
    let refused = send(&world, &carla, "/people/carla/entitlements", &entitle).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let set = send(&world, &root, "/people/carla/entitlements", &entitle).await;
    assert_eq!(set.header("location"), "/people/carla", "{}", set.body);
    let link = [("issuer", "https://idp.example"), ("subject", "u-17 <b>")];
    assert_eq!(send(&world, &carla, "/people/carla/link", &link).await.status, StatusCode::FORBIDDEN);
    assert_eq!(send(&world, &root, "/people/carla/link", &link).await.status, StatusCode::SEE_OTHER);
    let page = world.get("/people/carla", &carla).await.body;
    for part in ["helpdesk/*", "crm/read", "https://idp.example", "u-17 &lt;b&gt;"] {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
    let unrecorded = [("unrecorded", "yes"), ("reason", "kept elsewhere")];
    assert_eq!(send(&world, &root, "/people/carla/entitlements", &unrecorded).await.status, StatusCode::SEE_OTHER);
    assert!(world.engine.read(|state| state.person_named("carla").unwrap().entitlements.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_removed_only_by_an_administrator_who_says_so_twice() {
    let world = World::new().await;
    let (root, carla) = (world.sign_in("root").await, world.sign_in("carla").await);
    let page = world.get("/people/olga", &root).await.body;
    assert!(page.contains("`olga`") || page.contains("<code>olga</code> owns the agent"), "{page}");
    assert_eq!(send(&world, &carla, "/people/maria/remove", &[("sure", "yes")]).await.status, StatusCode::FORBIDDEN);
    send(&world, &root, "/people/carla/remove", &[]).await;
    assert!(has_person(&world, "carla"), "nobody ticked the box");
    let removed = send(&world, &root, "/people/carla/remove", &[("sure", "yes")]).await;
    assert_eq!((removed.status, removed.header("location")), (StatusCode::SEE_OTHER, "/people"), "{}", removed.body);
    assert!(!has_person(&world, "carla"));
    assert_eq!(world.get("/people", &carla).await.status, StatusCode::SEE_OTHER, "her session is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_that_wants_a_passkey_is_on_and_leads_to_showing_it() {
    let world = World::new().await;
    let root = world.sign_in("root").await;
    let mut passkey = world.authenticator();
    world.enrol(&root, &mut passkey).await;
    let root = world.sign_in_with(&mut passkey).await;
    world.pass_seconds(remit_domain::limits::FRESH_SECONDS + 1);
    let page = world.get("/people", &root).await.body;
    assert!(page.contains(r#"<button class="primary" type="submit" aria-describedby="add-why">"#), "{page}");
    let led = send(&world, &root, "/people", &[("name", "nina")]).await;
    assert_eq!(led.status, StatusCode::SEE_OTHER);
    assert!(led.header("location").starts_with("/step-up?next=%2Fpeople&form="), "{}", led.header("location"));
    let led = send(&world, &root, "/people/carla/remove", &[("sure", "yes")]).await;
    assert!(led.header("location").starts_with("/step-up?next=%2Fpeople%2Fcarla&form="), "{}", led.header("location"));
    assert!(has_person(&world, "carla") && !has_person(&world, "nina"));
    // Nobody makes a link for somebody who has a passkey, and the page says why.
    let page = world.get("/people/root", &root).await.body;
    assert!(page.contains("signs in with a passkey, and needs no link"), "{page}");
    assert!(page.contains(r#"disabled aria-describedby="sign-in-why""#), "{page}");
    let own = world.get("/people/root", &root).await.body;
    assert!(own.contains("laptop &lt;b&gt;") && own.contains("on one device"), "{own}");
    world.join("aud", &["auditors"]).await;
    let aud = world.sign_in("aud").await;
    let page = world.get("/people/root", &aud).await.body;
    assert!(page.contains("1 passkey") && !page.contains("on one device"), "an auditor counts them: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_changes_anybody_without_signing_in() {
    let world = World::new().await;
    for path in ["/people", "/people/olga", "/tasks", &format!("/tasks/{}", world.task), "/connect"] {
        let page = world.get(path, "remit_session=ses_guess").await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.header("location").starts_with("/sign-in"), "{path}");
    }
    for verb in ["groups", "sign-in", "end-session", "absence", "entitlements", "link", "remove"] {
        let sent = world.post(&format!("/people/olga/{verb}"), "", &[("sure", "yes"), ("minutes", "15")]).await;
        assert!(sent.header("location").starts_with("/sign-in"), "{verb}: {}", sent.status);
        let foreign = world.sign_in("root").await;
        let token = world.get("/people", &foreign).await.field("form_token");
        let fields = [("form_token", token.as_str()), ("sure", "yes"), ("minutes", "15")];
        let sent = world.post_from("https://evil.example", &format!("/people/olga/{verb}"), &foreign, &fields).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{verb}");
    }
    assert!(has_person(&world, "olga"));
}
