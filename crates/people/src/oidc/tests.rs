use std::collections::HashMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use remit_domain::{Refusal, SignInMethod};
use remit_testkit::{NOW, World};
use serde_json::{Value, json};

use super::*;
use crate::PeopleSettings;
use provider::{Changes, Provider};

mod provider;

/// What a test changes in a document.
type Change = fn(&mut Value);

/// A realm with anna, a provider that knows her, and a console at which she signs in.
struct Stage {
    world: World,
    provider: Provider,
    people: People,
}

impl Stage {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(settle: impl FnOnce(&mut OidcSettings)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let world = World::new().await;
        let provider = Provider::start(NOW.as_seconds()).await;
        let person = world.person("anna", &[]).await;
        let link = Command::LinkPerson { person, issuer: provider.issuer(), subject: "anna@idp".to_owned() };
        world.submit(&world.root(), link).await;
        let people = console(&world, &provider, settle);
        Self { world, provider, people }
    }

    fn change(&self, changes: Changes) {
        self.provider.change(|inside| inside.changes = changes);
    }

    fn claim(&self, claims: Change) {
        self.change(Changes { claims: Some(claims), ..Changes::default() });
    }

    async fn begin(&self) -> Leading {
        self.people.begin_elsewhere("/approvals").await.unwrap()
    }

    /// One whole sign-in.
    async fn sign_in(&self) -> Result<SignedIn, Refusal> {
        let leading = self.people.begin_elsewhere("/approvals").await.map_err(|error| error.refusal().clone())?;
        self.answered(&self.provider.agree(&leading.address), &leading.binding).await
    }

    async fn answered(&self, answer: &Answer, binding: &str) -> Result<SignedIn, Refusal> {
        let signed_in = self.people.finish_elsewhere(answer, Some(binding)).await;
        signed_in.map_err(|error| error.refusal().clone())
    }

    fn exchanges(&self) -> usize {
        self.provider.0.lock().unwrap().exchanges.len()
    }

    fn sessions(&self) -> usize {
        self.world.engine.read(|state| state.sessions.len())
    }
}

fn console(world: &World, provider: &Provider, settle: impl FnOnce(&mut OidcSettings)) -> People {
    let mut settings = OidcSettings {
        issuer: provider.issuer(),
        client_id: "remit".to_owned(),
        client_secret: Some(Zeroizing::new("s: %&".to_owned())),
        name: "Acme".to_owned(),
        roots: Vec::new(),
    };
    settle(&mut settings);
    let settings = PeopleSettings { oidc: Some(settings), ..PeopleSettings::at("https://remit.test") };
    People::new(world.engine.clone(), settings).unwrap()
}

fn asked(leading: &Leading) -> HashMap<String, String> {
    leading.address.query_pairs().into_owned().collect()
}

/// Refused with the sentence that says `why`, and nobody is signed in.
async fn must_refuse(stage: &Stage, why: &str) {
    let refusal = stage.sign_in().await.expect_err(why);
    assert!(refusal.sentence.contains(why), "`{}` does not say `{why}`", refusal.sentence);
    assert_eq!(stage.sessions(), 0, "{why}");
}

#[tokio::test]
async fn whoever_the_provider_vouches_for_is_signed_in() {
    let stage = Stage::new().await;
    assert_eq!(stage.people.oidc_name(), Some("Acme"));
    let signed_in = stage.sign_in().await.unwrap();
    assert_eq!(signed_in.next, "/approvals");
    let anna = stage.world.person_named("anna");
    let digest = Digest::of_bytes(signed_in.token.expose().as_bytes());
    stage.world.engine.read(|state| {
        let session = state.session_of(&digest, NOW).unwrap();
        assert_eq!((session.person, session.method_at(NOW)), (anna, SignInMethod::OpenIdConnect));
    });
}

#[tokio::test]
async fn every_sign_in_asks_with_secrets_of_its_own() {
    let stage = Stage::new().await;
    let (one, other) = (stage.begin().await, stage.begin().await);
    let (one, other) = (asked(&one), asked(&other));
    let fixed = [
        ("tenant", "ours"),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("client_id", "remit"),
        ("scope", "openid"),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://remit.test/sign-in/oidc/callback"),
    ];
    for (name, value) in fixed {
        assert_eq!(one[name], value, "{name}");
    }
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(one[name].len(), 43, "{name}");
        assert_ne!(one[name], other[name], "{name}");
    }
}

#[tokio::test]
async fn the_secret_is_shown_as_the_provider_takes_it() {
    let stage = Stage::new().await;
    stage.sign_in().await.unwrap();
    let shown = |stage: &Stage| stage.provider.0.lock().unwrap().exchanges.last().cloned().unwrap();
    // `remit:s%3A+%25%26`, each part encoded before they were put together.
    let (header, form) = shown(&stage);
    assert_eq!(header.as_deref(), Some("Basic cmVtaXQ6cyUzQSslMjUlMjY="));
    assert!(!form.contains_key("client_secret") && form["grant_type"] == "authorization_code", "{form:?}");

    let stage = Stage::new().await;
    let post: Change = |document| document["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]);
    stage.change(Changes { metadata: Some(post), ..Changes::default() });
    stage.sign_in().await.unwrap();
    let (header, form) = shown(&stage);
    assert_eq!((header, form["client_secret"].as_str(), form["client_id"].as_str()), (None, "s: %&", "remit"));

    let stage = Stage::with(|settings| settings.client_secret = None).await;
    stage.sign_in().await.unwrap();
    let (header, form) = shown(&stage);
    assert_eq!((header, form["client_id"].as_str(), form.get("client_secret")), (None, "remit", None));
}

#[tokio::test]
async fn who_is_linked_to_nobody_is_told_what_an_administrator_types() {
    let stage = Stage::new().await;
    stage.claim(|claims| claims["sub"] = json!("bert"));
    let refusal = stage.sign_in().await.unwrap_err();
    assert_eq!(refusal.code, "person_unlinked");
    let command = format!("remit person link NAME --issuer '{}' --subject 'bert'", stage.provider.issuer());
    assert!(refusal.help.as_ref().unwrap().contains(&command), "{refusal:?}");

    // It will be pasted into a shell.
    stage.claim(|claims| claims["sub"] = json!("';reboot;'"));
    let refusal = stage.sign_in().await.unwrap_err();
    assert!(refusal.code == "person_unlinked" && !refusal.help.as_ref().unwrap().contains("reboot"), "{refusal:?}");

    stage.claim(|claims| claims["sub"] = json!("b".repeat(256)));
    must_refuse(&stage, "names nobody").await;
    stage.claim(|claims| claims["sub"] = json!(""));
    must_refuse(&stage, "names nobody").await;
}

#[tokio::test]
async fn an_answer_counts_only_in_the_browser_that_asked() {
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.begin().await, stage.begin().await);
    let answer = stage.provider.agree(&ours.address);
    let begun = "not to a sign-in that this browser began";
    // No cookie; that of another sign-in; a changed one; one of another process.
    assert!(stage.people.finish_elsewhere(&answer, None).await.unwrap_err().to_string().contains(begun));
    let elsewhere = console(&stage.world, &stage.provider, |_| {}).begin_elsewhere("/").await.unwrap();
    let changed = ours.binding.replace('A', "B");
    for binding in [&theirs.binding, &changed, &elsewhere.binding, "", "no base64url!"] {
        let refusal = stage.answered(&answer, binding).await.unwrap_err();
        assert!(refusal.sentence.contains(begun), "{}", refusal.sentence);
    }
    // The right cookie with the state of another, or none.
    for state in [asked(&theirs).remove("state"), None] {
        let answer = Answer { state, ..answer.clone() };
        assert!(stage.answered(&answer, &ours.binding).await.unwrap_err().sentence.contains(begun));
    }
    assert_eq!((stage.exchanges(), stage.sessions()), (0, 0));
    // None of it has used the sign-in up.
    stage.answered(&answer, &ours.binding).await.unwrap();
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_not_taken() {
    // Injected: the code is theirs, the browser and its state are ours. PKCE binds the code to who asked for it.
    let stage = Stage::new().await;
    let (ours, theirs) = (stage.begin().await, stage.begin().await);
    let injected = Answer { code: stage.provider.agree(&theirs.address).code, ..stage.provider.agree(&ours.address) };
    let refusal = stage.answered(&injected, &ours.binding).await.unwrap_err();
    assert_eq!(refusal.sentence, "the identity provider did not take the code: `invalid_grant`");
    assert_eq!(stage.sessions(), 0);
}

#[tokio::test]
async fn an_answer_is_used_once() {
    let stage = Stage::new().await;
    let leading = stage.begin().await;
    let answer = stage.provider.agree(&leading.address);
    let at_once = || stage.answered(&answer, &leading.binding);
    let (one, other) = tokio::join!(at_once(), at_once());
    assert_eq!(usize::from(one.is_ok()) + usize::from(other.is_ok()), 1);
    assert!(at_once().await.unwrap_err().sentence.contains("used already"));
    assert_eq!((stage.exchanges(), stage.sessions()), (1, 1));
}

#[tokio::test]
async fn an_answer_comes_in_time() {
    let stage = Stage::new().await;
    let (leading, late) = (stage.begin().await, stage.begin().await);
    let (answer, too_late) = (stage.provider.agree(&leading.address), stage.provider.agree(&late.address));
    stage.world.advance(599);
    stage.provider.change(|inside| inside.now += 599);
    stage.answered(&answer, &leading.binding).await.unwrap();
    stage.world.advance(1);
    assert!(stage.answered(&too_late, &late.binding).await.unwrap_err().sentence.contains("took too long"));
}

#[tokio::test]
async fn an_answer_says_whose_it_is() {
    let stage = Stage::new().await;
    for issuer in [None, Some("https://evil.example".to_owned()), Some(format!("{}/", stage.provider.issuer()))] {
        let leading = stage.begin().await;
        let answer = Answer { issuer, ..stage.provider.agree(&leading.address) };
        let refusal = stage.answered(&answer, &leading.binding).await.unwrap_err();
        assert!(refusal.sentence.contains("another identity provider"), "{}", refusal.sentence);
    }
    assert_eq!(stage.exchanges(), 0);

    // Of a provider that never says it, it is not asked for; what it does say has to be true.
    let stage = Stage::new().await;
    let silent: Change = |document| document["authorization_response_iss_parameter_supported"] = json!(false);
    stage.change(Changes { metadata: Some(silent), ..Changes::default() });
    let leading = stage.begin().await;
    let answer = Answer { issuer: None, ..stage.provider.agree(&leading.address) };
    stage.answered(&answer, &leading.binding).await.unwrap();
    let leading = stage.begin().await;
    let answer = Answer { issuer: Some("https://evil.example".to_owned()), ..stage.provider.agree(&leading.address) };
    assert!(stage.answered(&answer, &leading.binding).await.is_err());
}

#[tokio::test]
async fn a_no_of_the_provider_is_told_and_nothing_else_that_stands_in_the_link() {
    let stage = Stage::new().await;
    for (error, told) in
        [("access_denied", "access_denied"), ("<b>call 555</b>", "unknown_error"), ("", "unknown_error")]
    {
        let leading = stage.begin().await;
        let answer = stage.provider.agree(&leading.address);
        let answer = Answer { code: None, error: Some(error.to_owned()), ..answer };
        let refusal = stage.answered(&answer, &leading.binding).await.unwrap_err();
        assert_eq!(refusal.sentence, format!("the identity provider said no: `{told}`"));
    }
    let leading = stage.begin().await;
    for code in [None, Some(String::new()), Some("c".repeat(limits::CODE_BYTES_MAX + 1))] {
        let answer = Answer { code, ..stage.provider.agree(&leading.address) };
        assert!(stage.answered(&answer, &leading.binding).await.unwrap_err().sentence.contains("without a code"));
    }
    assert_eq!(stage.exchanges(), 0);
}

#[tokio::test]
async fn an_id_token_is_for_us_for_this_sign_in_and_of_now() {
    let stage = Stage::new().await;
    let wrong: [(Change, &str); 16] = [
        (|claims| claims["nonce"] = json!("another"), "not for this sign-in"),
        (|claims| claims["nonce"] = Value::Null, "cannot be believed"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("nonce")), "not for this sign-in"),
        (|claims| claims["iss"] = json!("https://evil.example"), "comes from another issuer"),
        (|claims| claims["aud"] = json!("another"), "not for this audience alone"),
        (|claims| claims["aud"] = json!(["remit", "another"]), "not for this audience alone"),
        (|claims| claims["aud"] = json!([]), "not for this audience alone"),
        (|claims| claims["azp"] = json!("another"), "for another application"),
        (|claims| claims["azp"] = json!(["remit"]), "for another application"),
        (|claims| claims["exp"] = json!(NOW.as_seconds() - 30), "has expired"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("exp")), "`exp` is missing"),
        (|claims| claims["iat"] = json!(NOW.as_seconds() - 31), "older than this sign-in"),
        (|claims| claims["iat"] = json!(NOW.as_seconds() + 31), "not valid yet"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("iat")), "`iat` is missing"),
        (|claims| claims["nbf"] = json!(NOW.as_seconds() + 31), "not valid yet"),
        (|claims| drop(claims.as_object_mut().unwrap().remove("sub")), "names nobody"),
    ];
    for (change, why) in wrong {
        stage.claim(change);
        must_refuse(&stage, why).await;
    }
    stage.claim(|claims| (claims["aud"], claims["azp"]) = (json!(["remit"]), json!("remit")));
    stage.sign_in().await.unwrap();
}

#[tokio::test]
async fn an_id_token_is_signed_by_the_provider() {
    let stage = Stage::new().await;
    let wrong: [(Change, &str); 6] = [
        (|header| header["alg"] = json!("none"), "algorithm other than"),
        (|header| header["alg"] = json!("HS256"), "algorithm other than"),
        (|header| header["alg"] = json!("RS256"), "not made for the algorithm"),
        (|header| header["kid"] = json!("unheard of"), "no key of the name"),
        (|header| header["typ"] = json!("at+jwt"), "not a token of the kind"),
        (|header| header["typ"] = json!("logout+jwt"), "not a token of the kind"),
    ];
    for (header, why) in wrong {
        stage.change(Changes { header: Some(header), ..Changes::default() });
        must_refuse(&stage, why).await;
    }
    stage.change(Changes { forged: true, ..Changes::default() });
    must_refuse(&stage, "signature of the token does not match").await;
    let answers: [fn() -> axum::response::Response; 5] = [
        || "no JSON".into_response(),
        || r#"{"id_token":"a","id_token":"b"}"#.into_response(),
        || r#"{"access_token":"only"}"#.into_response(),
        || (StatusCode::BAD_GATEWAY, "down").into_response(),
        || Redirect::temporary("/jwks").into_response(),
    ];
    for token_answer in answers {
        stage.change(Changes { token_answer: Some(token_answer), ..Changes::default() });
        must_refuse(&stage, "identity provider").await;
    }
}

#[tokio::test]
async fn new_keys_are_found_and_the_provider_is_not_asked_at_every_step() {
    let stage = Stage::new().await;
    stage.sign_in().await.unwrap();
    stage.provider.rotate();
    // A name that nobody published does not make us ask again and again.
    for _ in 0..3 {
        assert!(stage.sign_in().await.unwrap_err().sentence.contains("no key of the name"));
    }
    let asked = || stage.provider.0.lock().unwrap().key_sets;
    assert_eq!(asked(), 1);
    stage.world.advance(10);
    stage.sign_in().await.unwrap();
    assert_eq!(asked(), 2);
    // And a key that is published no longer is believed for five minutes at most.
    stage.world.advance(300);
    stage.provider.change(|inside| (inside.now, inside.changes.forged) = (inside.now + 310, true));
    assert!(stage.sign_in().await.is_err());
    assert_eq!(asked(), 3);
}

#[tokio::test]
async fn what_the_provider_publishes_is_about_it_and_cannot_be_changed_on_the_way() {
    let stage = Stage::new().await;
    let wrong: [(Change, &str); 7] = [
        (|document| document["issuer"] = json!("https://evil.example"), "it calls itself `https://evil.example`"),
        (|document| drop(document.as_object_mut().unwrap().remove("issuer")), "`issuer` is missing"),
        (|document| document["token_endpoint"] = json!("http://idp.example/token"), "anybody on the way could change"),
        (|document| document["jwks_uri"] = json!("http://u:p@127.0.0.1/"), "anybody on the way could change"),
        (|document| document["authorization_endpoint"] = json!("javascript:alert(1)"), "anybody on the way"),
        (|document| document["code_challenge_methods_supported"] = json!(["plain"]), "does not know the method `S256`"),
        (|document| document["padding"] = json!("x".repeat(limits::DOCUMENT_BYTES_MAX)), "longer than"),
    ];
    for (metadata, why) in wrong {
        stage.change(Changes { metadata: Some(metadata), ..Changes::default() });
        let refusal = stage.people.begin_elsewhere("/").await.unwrap_err();
        assert!(matches!(&refusal, SubmitError::Unavailable(refusal) if refusal.code == "provider_unavailable"));
        assert!(refusal.to_string().contains(why), "{refusal}");
    }
    let moved: fn() -> axum::response::Response = || Redirect::temporary("/moved").into_response();
    stage.change(Changes { jwks_answer: Some(moved), ..Changes::default() });
    assert!(stage.people.begin_elsewhere("/").await.unwrap_err().to_string().contains("answered 307"));
    stage.change(Changes::default());
    stage.begin().await;
}

#[tokio::test]
async fn without_a_provider_there_is_nothing_to_begin() {
    let world = World::new().await;
    let people = People::new(world.engine.clone(), PeopleSettings::at("https://remit.test")).unwrap();
    assert_eq!(people.oidc_name(), None);
    assert_eq!(people.begin_elsewhere("/").await.unwrap_err().refusal().code, "not_found");
    assert_eq!(people.finish_elsewhere(&Answer::default(), None).await.unwrap_err().refusal().code, "not_found");
}

#[tokio::test]
async fn a_cookie_holds_what_browsers_keep() {
    let stage = Stage::new().await;
    let longest = format!("/{}", "a".repeat(limits::NEXT_BYTES_MAX - 1));
    let leading = stage.people.begin_elsewhere(&longest).await.unwrap();
    assert!(leading.binding.len() < 3_800, "{}", leading.binding.len());
    let answer = stage.provider.agree(&leading.address);
    assert_eq!(stage.answered(&answer, &leading.binding).await.unwrap().next, longest);
    let leading = stage.people.begin_elsewhere(&format!("{longest}a")).await.unwrap();
    let answer = stage.provider.agree(&leading.address);
    assert_eq!(stage.answered(&answer, &leading.binding).await.unwrap().next, "/");
}

#[test]
fn the_oldest_use_is_forgotten_first() {
    let mut used = Used::default();
    assert!(used.insert("first") && !used.insert("first"));
    for number in 0..limits::USED_MAX {
        assert!(used.insert(&number.to_string()));
    }
    assert!(!used.insert("4095") && used.insert("first"));
}

#[test]
fn nothing_shows_a_secret() {
    let settings = OidcSettings {
        issuer: "https://idp.example".to_owned(),
        client_id: "remit".to_owned(),
        client_secret: Some(Zeroizing::new("hush".to_owned())),
        name: "Acme".to_owned(),
        roots: Vec::new(),
    };
    assert!(!format!("{settings:?}").contains("hush"));
    let answer = Answer { code: Some("hush".to_owned()), state: Some("hush".to_owned()), ..Answer::default() };
    assert!(!format!("{answer:?}").contains("hush"));
}

#[tokio::test]
async fn whoever_is_one_too_many_is_told_so_and_does_not_wait() {
    let stage = Stage::new().await;
    let leading = stage.begin().await;
    let answer = stage.provider.agree(&leading.address);
    let oidc = stage.people.oidc.as_ref().unwrap();
    let places: Vec<_> = (0..limits::UNDER_WAY_MAX).map(|_| oidc.under_way.try_acquire().unwrap()).collect();
    assert_eq!(stage.people.begin_elsewhere("/").await.unwrap_err().refusal().code, "provider_unavailable");
    assert!(stage.answered(&answer, &leading.binding).await.unwrap_err().sentence.contains("too many people"));
    drop(places);
    // It has not used the sign-in up.
    stage.answered(&answer, &leading.binding).await.unwrap();
}

#[tokio::test]
async fn who_signs_out_is_led_to_where_they_sign_out_there_too() {
    let stage = Stage::new().await;
    assert_eq!(stage.people.sign_out_elsewhere().await, None, "the provider has no such place");
    for (change, leads) in [
        (
            (|document| document["end_session_endpoint"] = json!("https://idp.example/end?tenant=ours")) as Change,
            Some("https://idp.example/end?tenant=ours&client_id=remit"),
        ),
        (|document| document["end_session_endpoint"] = json!("http://idp.example/end"), None),
        (|document| document["end_session_endpoint"] = json!("javascript:alert(1)"), None),
    ] {
        let stage = Stage::new().await;
        stage.change(Changes { metadata: Some(change), ..Changes::default() });
        let address = stage.people.sign_out_elsewhere().await;
        assert_eq!(address.as_ref().map(Url::as_str), leads);
        // Where nobody can sign out, people still sign in.
        stage.sign_in().await.unwrap();
    }
    let none = People::new(stage.world.engine.clone(), PeopleSettings::at("https://remit.test")).unwrap();
    assert_eq!(none.sign_out_elsewhere().await, None);
}
