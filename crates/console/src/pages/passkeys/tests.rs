use http::StatusCode;
use remit_testkit::Authenticator;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_link_leads_to_a_first_passkey_which_signs_in_from_then_on() {
    let world = World::new().await;
    let code = world.code("olga").await;
    let signed_in = world.post("/sign-in", "", &[("code", &code)]).await;
    assert_eq!(signed_in.header("location"), "/passkeys");
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let mut passkey = world.authenticator();
    world.enrol(&cookie, &mut passkey).await;
    let page = world.get("/passkeys", &cookie).await;
    assert!(page.body.contains("laptop &lt;b&gt;"), "{}", page.body);

    let cookie = world.sign_in_with(&mut passkey).await;
    assert!(world.get("/", &cookie).await.body.contains("by passkey, just now"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_counts_once_and_for_whoever_began_it() {
    let world = World::new().await;
    let (olga, maria) = (world.sign_in("olga").await, world.sign_in("maria").await);
    let page = world.get("/passkeys", &olga).await;
    let credential = world.authenticator().create(&page.options()).to_string();
    let (ceremony, token) = (page.field("ceremony"), page.field("form_token"));
    let hers = world.get("/passkeys", &maria).await.field("form_token");
    let (ceremony, credential) = (ceremony.as_str(), credential.as_str());
    let post = async |cookie: &str, token: &str| {
        let fields = [("form_token", token), ("ceremony", ceremony), ("credential", credential), ("label", "laptop")];
        world.post("/passkeys", cookie, &fields).await
    };
    let taken = post(&maria, &hers).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.body);
    let forged = post(&olga, "x").await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    assert_eq!(post(&olga, &token).await.status, StatusCode::SEE_OTHER);
    let again = post(&olga, &token).await;
    assert_ne!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_made_for_another_site_or_used_before_signs_nobody_in() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut passkey = world.authenticator();
    world.enrol(&cookie, &mut passkey).await;
    let page = world.get("/sign-in", "").await;
    let (ceremony, asked) = (page.field("ceremony"), page.options());
    let ours = passkey.origin.clone();
    passkey.origin = "https://evil.example".to_owned();
    let phished = passkey.get(&asked).to_string();
    let page = world.post("/sign-in/passkey", "", &[("ceremony", &ceremony), ("credential", &phished)]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    passkey.origin = ours;
    let own = passkey.get(&asked).to_string();
    let fields = [("ceremony", ceremony.as_str()), ("credential", own.as_str()), ("next", "//evil.example")];
    let page = world.post("/sign-in/passkey", "", &fields).await;
    assert_eq!((page.status, page.header("location")), (StatusCode::SEE_OTHER, "/"));
    let again = world.post("/sign-in/passkey", "", &fields).await;
    assert_ne!(again.status, StatusCode::SEE_OTHER, "{}", again.body);
    assert!(!again.headers.contains_key("set-cookie"));
    let foreign = world.post_from("https://evil.example", "/sign-in/passkey", "", &fields).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn something_grave_leads_over_a_passkey_and_back() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut passkey: Authenticator = world.authenticator();
    world.enrol(&cookie, &mut passkey).await;
    let cookie = world.sign_in_with(&mut passkey).await;
    world.pass_seconds(remit_domain::limits::FRESH_SECONDS + 1);
    let page = world.get("/passkeys", &cookie).await;
    assert!(page.body.contains("confirm with one that you have"), "{}", page.body);
    let (token, credential) = (page.field("form_token"), remit_identity::base64url::encode(&passkey.id));
    let remove = [("form_token", token.as_str()), ("credential", credential.as_str()), ("reason", "lost")];
    let refused = world.post("/passkeys/remove", &cookie, &remove).await;
    assert_eq!(refused.status, StatusCode::SEE_OTHER, "{}", refused.body);
    let way = refused.header("location").to_owned();
    assert!(way.starts_with("/step-up?next=%2Fpasskeys&form="), "{way}");
    assert!(world.engine.read(|state| state.has_passkey(world.viewer("olga").person)), "nothing was done");

    let page = world.get(&way, &cookie).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let shown = passkey.get(&page.options()).to_string();
    let (ceremony, token) = (page.field("ceremony"), page.field("form_token"));
    let fields =
        [("form_token", token.as_str()), ("ceremony", &ceremony), ("credential", &shown), ("next", "/\\evil.example")];
    let raised = world.post("/step-up", &cookie, &fields).await;
    assert_eq!((raised.status, raised.header("location")), (StatusCode::SEE_OTHER, "/"), "{}", raised.body);
    let removed = world.post("/passkeys/remove", &cookie, &remove).await;
    assert_eq!((removed.status, removed.header("location")), (StatusCode::SEE_OTHER, "/passkeys"), "{}", removed.body);
}
