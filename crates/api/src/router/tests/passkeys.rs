//! Passkeys over HTTP, with an authenticator in software: what the console's pages do is here for everybody.

use axum::extract::ConnectInfo;
use http::StatusCode;
use remit_domain::{ConnectorSpec, DataClass, Verb};
use remit_testkit::{Authenticator, operation};
use serde_json::{Value, json};

use super::{House, plain};

fn authenticator() -> Authenticator {
    Authenticator::new("http://console", "console")
}

impl House {
    /// As whoever has the session `token`, where it has to work.
    async fn own(&self, method: &str, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.bearer(method, path, token, body).await;
        assert_eq!(status, StatusCode::OK, "{method} {path}: {answer}");
        answer
    }

    /// As whoever has the session `token`, where it is refused: the code.
    async fn no(&self, method: &str, path: &str, token: &str, body: Value) -> (StatusCode, String) {
        let (status, answer) = self.bearer(method, path, token, body).await;
        (status, answer["code"].as_str().unwrap_or_else(|| panic!("not refused: {answer}")).to_owned())
    }

    /// `name` with a passkey, signed in by a link before they had it.
    async fn with_passkey(&self, name: &str, groups: &[&str]) -> (String, Authenticator) {
        self.ok("POST", "/v1/people", json!({"name": name, "groups": groups})).await;
        let (token, mut key) = (self.sign_in(name).await, authenticator());
        self.enrolled(&token, &mut key).await;
        (token, key)
    }

    async fn enrolled(&self, token: &str, key: &mut Authenticator) -> Value {
        let begun = self.own("POST", "/v1/passkeys/enrolment", token, Value::Null).await;
        let body =
            json!({"ceremony": begun["ceremony"], "label": "phone", "credential": key.create(&begun["options"])});
        self.own("POST", "/v1/passkeys", token, body).await
    }

    async fn begin(&self) -> Value {
        self.send(plain("POST", "/v1/sessions/passkey/begin", &Value::Null)).await.1
    }
}

#[tokio::test]
async fn a_passkey_is_enrolled_signs_in_and_is_removed() {
    let house = House::build().await;
    let (_, mut key) = house.with_passkey("ana", &[]).await;
    let begun = house.begin().await;
    let body = json!({"ceremony": begun["ceremony"], "credential": key.get(&begun["options"])});
    let (status, opened) = house.send(plain("POST", "/v1/sessions/passkey", &body)).await;
    assert_eq!((status, &opened["person"]["name"]), (StatusCode::OK, &json!("ana")), "{opened}");
    let (status, problem) = house.send(plain("POST", "/v1/sessions/passkey", &body)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("ceremony_ended")), "once");

    let token = opened["token"].as_str().unwrap();
    let sessions = house.own("GET", "/v1/sessions", token, Value::Null).await;
    let methods: Vec<&Value> = sessions["items"].as_array().unwrap().iter().map(|row| &row["method"]).collect();
    assert_eq!(methods, [&json!("one_time_link"), &json!("fresh_passkey")]);
    let passkeys = house.own("GET", "/v1/passkeys", token, Value::Null).await;
    assert_eq!(passkeys["items"][0]["label"], "phone");
    let credential = passkeys["items"][0]["credential"].as_str().unwrap();

    // Nobody else sees or removes it from elsewhere.
    let (bob, _) = house.with_passkey("bob", &[]).await;
    let refused = house.no("GET", "/v1/passkeys?person=ana", &bob, Value::Null).await;
    assert_eq!(refused, (StatusCode::FORBIDDEN, "not_permitted".to_owned()));
    let address = format!("/v1/passkeys/{credential}");
    assert_ne!(house.no("DELETE", &address, &bob, json!({})).await.1, "");
    house.own("DELETE", &address, token, json!({"reason": "lost"})).await;
    let (status, _) = house.bearer("GET", "/v1/sessions/current", token, Value::Null).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "what it opened has ended");
}

#[tokio::test]
async fn what_is_grave_takes_a_passkey_shown_just_now() {
    let house = House::build().await;
    let (token, mut key) = house.with_passkey("mia", &["administrators"]).await;
    let grave = json!({"name": "helper", "profile": {}});
    let refused = house.no("POST", "/v1/agents", &token, grave.clone()).await;
    assert_eq!(refused, (StatusCode::FORBIDDEN, "step_up_needed".to_owned()));

    let begun = house.own("POST", "/v1/sessions/step-up/begin", &token, Value::Null).await;
    let mut wrong = key.get(&begun["options"]);
    wrong["response"]["signature"] = json!("AAAA");
    let body = |credential: &Value| json!({"ceremony": begun["ceremony"], "credential": credential});
    let refused = house.no("POST", "/v1/sessions/step-up", &token, body(&wrong)).await;
    assert_eq!(refused, (StatusCode::UNAUTHORIZED, "passkey_refused".to_owned()));
    let raised = house.own("POST", "/v1/sessions/step-up", &token, body(&key.get(&begun["options"]))).await;
    assert_eq!(raised["method"], "fresh_passkey");
    house.own("POST", "/v1/agents", &token, grave).await;
    // The socket has no session to raise.
    let (status, problem) = house.ask("POST", "/v1/sessions/step-up/begin", Value::Null).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("no_session")));
}

#[tokio::test]
async fn a_yes_is_signed_over_what_was_shown() {
    let house = House::build().await;
    let (token, mut key) = house.with_passkey("ana", &[]).await;
    house.world.agent("desk", "ana", |_| {}).await;
    let refund = operation("refund", Verb::Write, 3, DataClass::D1, &json!({"id": {"type": "string"}}));
    house
        .world
        .connector("helpdesk", ConnectorSpec::Http { url: "http://helpdesk/mcp".to_owned() }, vec![refund])
        .await;
    house.world.grant("desk", &["helpdesk/*"], 86_400).await;
    let task = house.world.task("desk").await;
    let approval = house.world.call(task, "helpdesk/refund", json!({"id": "7"})).await.asked();
    let page = format!("/v1/approvals/{approval}");

    let question = house.own("GET", &page, &token, Value::Null).await;
    assert_eq!(question["shown"]["arguments"], json!({"id": "7"}));
    let yes = json!({"digest": question["digest"], "note": "fine"});
    let (status, problem) = house.bearer("POST", &format!("{page}/approve"), &token, yes).await;
    assert_eq!((status, &problem["code"]), (StatusCode::FORBIDDEN, &json!("signature_needed")));
    assert_eq!(problem["help"], format!("answer at http://console/approvals/{approval}"));

    let ask = json!({"shown": question["shown_commitment"], "note": "fine"});
    let options = house.own("POST", &format!("{page}/challenge"), &token, ask).await["options"].clone();
    let yes = |note: &str, signed: Value| json!({"digest": question["digest"], "shown": question["shown_commitment"], "note": note, "signed": signed});
    let approve = format!("{page}/approve");
    let other_note = house.no("POST", &approve, &token, yes("not fine", key.get(&options))).await;
    assert_eq!(other_note, (StatusCode::UNAUTHORIZED, "passkey_refused".to_owned()));
    let granted = house.own("POST", &approve, &token, yes("fine", key.get(&options))).await;
    assert_eq!((&granted["status"], &granted["votes"][0]["signed"]), (&json!("granted"), &json!(true)));
}

#[tokio::test]
async fn options_for_a_yes_without_a_note_come_with_the_question() {
    let house = House::build().await;
    let (token, mut key) = house.with_passkey("ana", &[]).await;
    house.world.agent("desk", "ana", |_| {}).await;
    let refund = operation("refund", Verb::Write, 3, DataClass::D1, &json!({"id": {"type": "string"}}));
    house
        .world
        .connector("helpdesk", ConnectorSpec::Http { url: "http://helpdesk/mcp".to_owned() }, vec![refund])
        .await;
    house.world.grant("desk", &["helpdesk/*"], 86_400).await;
    let task = house.world.task("desk").await;
    let approval = house.world.call(task, "helpdesk/refund", json!({"id": "7"})).await.asked();
    let question = house.own("GET", &format!("/v1/approvals/{approval}"), &token, Value::Null).await;
    let signed = key.get(&question["answer_options"]);
    let yes = json!({"digest": question["digest"], "shown": question["shown_commitment"], "signed": signed});
    house.own("POST", &format!("/v1/approvals/{approval}/approve"), &token, yes).await;
    // Whoever starts tasks is not asked, and is on record as having looked at nothing.
    house.ok("POST", "/v1/people", json!({"name": "eve"})).await;
    let eve = house.sign_in("eve").await;
    let (_, answer) = house.bearer("GET", &format!("/v1/approvals/{approval}"), &eve, Value::Null).await;
    assert_eq!(answer["shown"], Value::Null);
}

#[tokio::test]
async fn only_an_administrator_on_the_machine_makes_a_way_past_a_passkey() {
    let house = House::build().await;
    let (mia, mut key) = house.with_passkey("mia", &["administrators"]).await;
    house.with_passkey("ana", &[]).await;
    let begun = house.own("POST", "/v1/sessions/step-up/begin", &mia, Value::Null).await;
    let body = json!({"ceremony": begun["ceremony"], "credential": key.get(&begun["options"])});
    house.own("POST", "/v1/sessions/step-up", &mia, body).await;
    assert_eq!(house.no("POST", "/v1/people/ana/sign-in", &mia, json!({})).await.1, "has_passkey");

    let offer = house.ok("POST", "/v1/people/ana/sign-in", json!({})).await;
    assert_eq!(offer["recovery"], true);
    let opened = house.send(plain("POST", "/v1/sessions", &json!({"code": offer["code"]}))).await.1;
    let token = opened["token"].as_str().unwrap();
    let sessions = house.own("GET", "/v1/sessions", token, Value::Null).await;
    assert!(sessions["items"].as_array().unwrap().iter().any(|session| session["recovery"] == true));
    house.enrolled(token, &mut authenticator()).await;
    let passkeys = house.own("GET", "/v1/passkeys", token, Value::Null).await;
    assert_eq!(passkeys["items"].as_array().unwrap().len(), 1, "what was lost is replaced");
}

#[tokio::test]
async fn whoever_keeps_failing_is_told_to_wait() {
    let house = House::build().await;
    house.with_passkey("ana", &[]).await;
    let begun = house.begin().await;
    let body = json!({"ceremony": begun["ceremony"], "credential": authenticator().get(&begun["options"])});
    let send = async |address: &str| {
        let mut request = plain("POST", "/v1/sessions/passkey", &body);
        let address: std::net::SocketAddr = address.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(address));
        house.send(request).await.0
    };
    for _ in 0..remit_people::limits::FAILURES_FREE {
        assert_eq!(send("192.0.2.7:1").await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(send("192.0.2.7:2").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(send("192.0.2.8:1").await, StatusCode::UNAUTHORIZED, "nobody else waits");
}

#[tokio::test]
async fn a_credential_that_could_be_read_in_two_ways_is_refused() {
    let house = House::build().await;
    let (token, mut key) = house.with_passkey("ana", &[]).await;
    let begun = house.own("POST", "/v1/sessions/step-up/begin", &token, Value::Null).await;
    let mut credential = key.get(&begun["options"]);
    credential["rawId"] = json!("AAAA");
    let body = json!({"ceremony": begun["ceremony"], "credential": credential});
    let refused = house.no("POST", "/v1/sessions/step-up", &token, body).await;
    assert_eq!(refused, (StatusCode::UNPROCESSABLE_ENTITY, "bad_credential".to_owned()));
}

#[tokio::test]
async fn whom_a_question_does_not_concern_learns_from_its_challenge_not_even_that_it_is_there() {
    let house = House::build().await;
    let (ana, _) = house.with_passkey("ana", &[]).await;
    let (eve, _) = house.with_passkey("eve", &[]).await;
    let approval = asked(&house, DataClass::D1).await;
    let unknown: remit_domain::ApprovalId = remit_domain::Moment::new(house.world.engine.now(), 9).fresh_id();
    let ask = async |id: remit_domain::ApprovalId, token: &str| {
        let body = json!({"shown": "0".repeat(64)});
        let (status, answer) = house.bearer("POST", &format!("/v1/approvals/{id}/challenge"), token, body).await;
        (status, answer.to_string().replace(&id.to_string(), "ID"))
    };
    let (status, there) = ask(approval, &eve).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!((status, there), ask(unknown, &eve).await, "nothing tells the one from the other");
    assert_eq!(ask(approval, &ana).await.0, StatusCode::OK);
}

/// A question to ana, about data of this class.
async fn asked(house: &House, data: DataClass) -> remit_domain::ApprovalId {
    // Where data is confidential nobody answers alone, so there has to be a second one.
    let maria = house.world.person("maria", &[]).await;
    let desk = house.world.agent("desk", "ana", |profile| {
        profile.data_classes = vec![DataClass::D1, data];
        profile.approvers = vec![maria];
    });
    desk.await;
    let refund = operation("refund", Verb::Write, 3, data, &json!({"id": {"type": "string"}}));
    let spec = ConnectorSpec::Http { url: "http://helpdesk/mcp".to_owned() };
    house.world.connector("helpdesk", spec, vec![refund]).await;
    house.world.grant("desk", &["helpdesk/*"], 86_400).await;
    let task = house.world.task("desk").await;
    house.world.call(task, "helpdesk/refund", json!({"id": "7"})).await.asked()
}

#[tokio::test]
async fn a_yes_about_confidential_data_says_what_was_shown_with_or_without_a_passkey() {
    let house = House::build().await;
    house.ok("POST", "/v1/people", json!({"name": "ana"})).await;
    let ana = house.sign_in("ana").await;
    let approval = asked(&house, DataClass::D2).await;
    let (page, digest) = (
        format!("/v1/approvals/{approval}"),
        house.world.engine.read(|state| state.approval(approval).unwrap().digest),
    );
    let blind = json!({"digest": digest});
    let (status, problem) = house.bearer("POST", &format!("{page}/approve"), &ana, blind).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("approval_shown")));
    assert!(problem["help"].as_str().unwrap().starts_with(&format!("`GET {page}` shows it")), "{problem}");
    let question = house.own("GET", &page, &ana, Value::Null).await;
    // It has been looked at now, and only the seconds of looking are missing.
    assert_eq!(question["answers"]["approve"]["code"], "too_soon", "{question}");
    let yes = json!({"digest": digest, "shown": question["shown_commitment"]});
    assert_eq!(house.no("POST", &format!("{page}/approve"), &ana, yes).await.1, "too_soon");
}
