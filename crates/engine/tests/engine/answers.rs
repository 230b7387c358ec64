//! Signed answers, verified by the records alone: a pack and a directory say what a person saw, what they signed, and what then ran.

use remit_domain::{
    Actor, ApprovalId, ApprovalStatus, Approve, Command, ConnectorSpec, DataClass, Digest, EnrolPasskey, PersonId,
    ShowApproval, SignInMethod, Signed, TaskId, Verb, answer_challenge, shown,
};
use remit_engine::{PackReport, PackSelect, verify_directory, verify_pack};
use remit_identity::base64url;
use remit_identity::webauthn::{Expect, Registration, register};
use remit_testkit::{Authenticator, World, operation};
use serde_json::{Value, json};

const ORIGIN: &str = "https://remit.test";
const RP_ID: &str = "remit.test";

/// Ana, who owns the agent `support` and says yes to its refunds with a passkey.
struct Desk {
    world: World,
    task: TaskId,
    ana: PersonId,
    passkey: Authenticator,
}

fn bytes(value: &Value) -> Vec<u8> {
    base64url::decode(value.as_str().unwrap()).unwrap()
}

async fn desk() -> Desk {
    let world = World::new().await;
    let ana = world.person("ana", &[]).await;
    world.agent("support", "ana", |_| {}).await;
    let properties = json!({"order": {"type": "string"}, "amount": {"type": "integer"}});
    let refund = operation("refund", Verb::Write, 3, DataClass::D1, &properties);
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() };
    world.connector("desk", spec, vec![refund]).await;
    world.grant("support", &["desk/*"], 86_400).await;
    let task = world.task("support").await;
    Desk { world, task, ana, passkey: Authenticator::new(ORIGIN, RP_ID) }
}

/// As [`desk`], with the passkey enrolled.
async fn signing_desk() -> Desk {
    let mut desk = desk().await;
    let created = desk.passkey.create(&json!({"challenge": base64url::encode([7; 32])}));
    let registration = Registration {
        credential: created["id"].as_str().unwrap().to_owned(),
        client_data: bytes(&created["response"]["clientDataJSON"]),
        attestation_object: bytes(&created["response"]["attestationObject"]),
    };
    let expect = Expect { challenge: &[7; 32], origins: &[ORIGIN.to_owned()], rp_id: RP_ID };
    let enrolled = register(&registration, &expect).unwrap();
    let enrol = EnrolPasskey {
        credential: enrolled.credential,
        key: enrolled.key.to_jwk(),
        label: "her key".to_owned(),
        sign_count: enrolled.sign_count,
        backed_up: enrolled.backed_up,
        rp_id: RP_ID.to_owned(),
        session: None,
    };
    let newcomer = Actor::Person { person: desk.ana, method: SignInMethod::OneTimeLink };
    desk.world.submit(&newcomer, Command::EnrolPasskey(Box::new(enrol))).await;
    desk
}

fn arguments(order: u64) -> Value {
    json!({"order": order.to_string(), "amount": 18_900})
}

impl Desk {
    fn acting(&self) -> Actor {
        Actor::Person { person: self.ana, method: SignInMethod::FreshPasskey }
    }

    async fn ask(&self, order: u64) -> ApprovalId {
        self.world.call(self.task, "desk/refund", arguments(order)).await.asked()
    }

    fn digest(&self, approval: ApprovalId) -> Digest {
        self.world.engine.read(|state| state.approval(approval).unwrap().digest)
    }

    /// Shows Ana `document`.
    async fn show(&self, approval: ApprovalId, document: &Value) -> Digest {
        let canonical = remit_ledger::canonical::to_canonical(document).unwrap();
        let (reference, content) = self.world.engine.commitment(self.task, "shown", canonical).await.unwrap();
        let commitment = reference.commitment;
        let show = Command::ShowApproval(ShowApproval { approval, shown: reference });
        self.world.engine.submit_with(self.acting(), show, vec![content]).await.unwrap();
        commitment
    }

    fn document(&self, approval: ApprovalId, order: u64) -> Value {
        self.world.engine.read(|state| shown(state, state.approval(approval).unwrap(), &arguments(order), None))
    }

    fn sign(&mut self, challenge: Digest) -> Signed {
        let assertion = self.passkey.get(&json!({"challenge": base64url::encode(challenge.as_bytes())}));
        let text = |name: &str| assertion["response"][name].as_str().unwrap().to_owned();
        Signed {
            credential: assertion["id"].as_str().unwrap().to_owned(),
            authenticator_data: text("authenticatorData"),
            client_data: text("clientDataJSON"),
            signature: text("signature"),
            sign_count: self.passkey.sign_count,
        }
    }

    async fn say_yes(&self, approval: ApprovalId, shown: Digest, note: &str, signed: Signed) {
        let digest = self.digest(approval);
        let (shown, signed) = (Some(shown), Some(signed));
        let approve = Approve { shown, signed, ..Approve::unsigned(approval, digest, note.to_owned()) };
        self.world.submit(&self.acting(), Command::Approve(approve)).await;
    }

    /// Asks, shows and has Ana sign `change` of what she should.
    async fn answered(
        &mut self,
        order: u64,
        change: impl FnOnce(&mut Self, ApprovalId, Digest) -> Signed,
    ) -> ApprovalId {
        let approval = self.ask(order).await;
        let document = self.document(approval, order);
        let shown = self.show(approval, &document).await;
        let signed = change(self, approval, shown);
        self.say_yes(approval, shown, "", signed).await;
        approval
    }

    fn rightly(&mut self, approval: ApprovalId, shown: Digest) -> Signed {
        let challenge = answer_challenge(approval, self.digest(approval), shown, self.ana, "");
        self.sign(challenge)
    }

    async fn pack(&self, select: PackSelect) -> Value {
        self.world.engine.pack(select).await.unwrap()
    }

    async fn whole_pack(&self) -> Value {
        self.pack(PackSelect { contents: true, ..PackSelect::default() }).await
    }

    async fn faults_at_rest(self) -> Vec<String> {
        self.world.engine.close().await;
        verify_directory(self.world.data(), Some(&self.world.anchors()), None).unwrap().faults
    }
}

fn verified(pack: &Value) -> PackReport {
    verify_pack(pack, None).unwrap()
}

fn faults(pack: &Value) -> Vec<String> {
    verify_pack(pack, None).unwrap_err().iter().map(ToString::to_string).collect()
}

/// A refund that Ana signed and that then ran.
async fn refunded() -> Desk {
    let mut desk = signing_desk().await;
    let approval = desk.answered(1, Desk::rightly).await;
    desk.world.advance(60);
    let action = desk.world.call(desk.task, "desk/refund", arguments(1)).await.allowed();
    desk.world.succeed(action).await;
    let used = ApprovalStatus::Used { action };
    assert_eq!(desk.world.engine.read(|state| state.approval(approval).unwrap().status.clone()), used);
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_answer_is_verified_by_the_records_alone() {
    let desk = refunded().await;
    let report = verified(&desk.whole_pack().await);
    assert_eq!((report.asked, report.answers_signed, report.answers_unsigned), (1, 1, 0));
    assert_eq!((report.approvals_used, report.documents_shown, report.contents), (1, 1, 2));
    let without = verified(&desk.pack(PackSelect::default()).await);
    assert_eq!((without.answers_signed, without.documents_shown), (1, 0), "the signature needs no content");
    desk.world.engine.close().await;
    let report = verify_directory(desk.world.data(), Some(&desk.world.anchors()), None).unwrap();
    assert_eq!((report.faults, report.answers_signed, report.answers_unsigned), (Vec::new(), 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_of_a_time_brings_the_questions_that_were_asked_before() {
    let desk = refunded().await;
    let since = Some(desk.world.engine.now());
    let agent = Some(desk.world.agent_named("support"));
    let report = verified(&desk.pack(PackSelect { agent, since, until: None, contents: true }).await);
    assert_eq!((report.allowed, report.asked, report.answers_signed, report.approvals_used), (1, 1, 1, 1));
    assert_eq!(report.documents_shown, 1);
    desk.world.advance(1);
    let since = Some(desk.world.engine.now());
    let report = verified(&desk.pack(PackSelect { agent, since, until: None, contents: true }).await);
    assert_eq!((report.allowed, report.asked), (0, 0), "and no others");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_somebody_without_a_passkey_is_counted_as_such() {
    let desk = desk().await;
    let approval = desk.ask(1).await;
    desk.world.approve("ana", approval).await;
    let report = verified(&desk.whole_pack().await);
    assert_eq!((report.answers_signed, report.answers_unsigned), (0, 1));
    desk.world.engine.close().await;
    let report = verify_directory(desk.world.data(), None, None).unwrap();
    assert_eq!((report.faults, report.answers_signed, report.answers_unsigned), (Vec::new(), 0, 1));
}

/// Signs an answer in a way that it should not be.
type Forge = fn(&mut Desk, ApprovalId, Digest) -> Signed;

/// What signs for another action, document or note, by another key, or as something else.
const FORGERIES: &[(&str, Forge)] = &[
    ("was signed for another action, another document or another note", |desk, approval, shown| {
        let challenge = answer_challenge(approval, Digest::of_bytes(b"another"), shown, desk.ana, "");
        desk.sign(challenge)
    }),
    ("was signed for another action, another document or another note", |desk, approval, _| {
        let challenge = answer_challenge(approval, desk.digest(approval), Digest::of_bytes(b"another"), desk.ana, "");
        desk.sign(challenge)
    }),
    ("was signed for another action, another document or another note", |desk, approval, shown| {
        let challenge = answer_challenge(approval, desk.digest(approval), shown, desk.ana, "another");
        desk.sign(challenge)
    }),
    ("does not hold: the signature is not that of this passkey", |desk, approval, shown| {
        let mut other = Authenticator::new(ORIGIN, RP_ID);
        other.id.clone_from(&desk.passkey.id);
        std::mem::swap(&mut desk.passkey, &mut other);
        let signed = desk.rightly(approval, shown);
        std::mem::swap(&mut desk.passkey, &mut other);
        signed
    }),
    ("does not hold: the authenticator did not verify who is there", |desk, approval, shown| {
        desk.passkey.flags = 0x01;
        let signed = desk.rightly(approval, shown);
        desk.passkey.flags = 0x05;
        signed
    }),
    ("does not hold: nobody touched the authenticator", |desk, approval, shown| {
        desk.passkey.flags = 0x04;
        let signed = desk.rightly(approval, shown);
        desk.passkey.flags = 0x05;
        signed
    }),
    ("does not hold: this is the answer to another kind of question", |desk, approval, shown| {
        let signed = desk.rightly(approval, shown);
        let said = String::from_utf8(base64url::decode(&signed.client_data).unwrap()).unwrap();
        Signed { client_data: base64url::encode(said.replace("webauthn.get", "webauthn.create")), ..signed }
    }),
    ("cannot be read: this is not base64url", |desk, approval, shown| Signed {
        signature: "?".to_owned(),
        ..desk.rightly(approval, shown)
    }),
    ("counts in another way than its authenticator did", |desk, approval, shown| Signed {
        sign_count: 1,
        ..desk.rightly(approval, shown)
    }),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_signed_so_is_found_in_the_pack_and_in_the_directory() {
    let mut desk = signing_desk().await;
    let mut expected = Vec::new();
    for (order, (sentence, forge)) in (1..).zip(FORGERIES) {
        let approval = desk.answered(order, forge).await;
        expected.push(format!("the signed answer to `{approval}` {sentence}"));
    }
    let found = faults(&desk.whole_pack().await);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    let at_rest = desk.faults_at_rest().await;
    for found in [found, at_rest] {
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.contains(expected), "{found}\n{expected}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shown_something_else_than_what_runs_is_found_out() {
    let mut desk = signing_desk().await;
    let mut expected = Vec::new();
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 4] = [
        (|document| document["arguments"]["amount"] = json!(1), "has other arguments than the action"),
        (|document| document["action_digest"] = json!(Digest::of_bytes(b"another")), "is about another action"),
        (|document| document["approval"] = json!("apr_another"), "is about another question"),
        (
            |document| document["beside"] = json!({"more": 1}),
            "has something beside the arguments, and the action has nothing",
        ),
    ];
    for (order, (change, sentence)) in (1..).zip(changes) {
        let approval = desk.ask(order).await;
        let mut document = desk.document(approval, order);
        change(&mut document);
        let shown = desk.show(approval, &document).await;
        let signed = desk.rightly(approval, shown);
        desk.say_yes(approval, shown, "", signed).await;
        expected.push(format!("what was shown about `{approval}` {sentence}"));
    }
    let mut found = faults(&desk.whole_pack().await);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(verified(&desk.pack(PackSelect::default()).await).answers_signed, 4, "it is the content that shows it");
}

/// The pack with `from` replaced by `to` in the first record that has both `mark` and it.
fn with_record(pack: &Value, mark: &str, from: &str, to: &str) -> Value {
    let mut pack = pack.clone();
    let entries = pack["proofs"]["entries"].as_array_mut().unwrap();
    let entry = entries
        .iter_mut()
        .map(|entry| &mut entry["entry"])
        .find(|entry| entry.as_str().is_some_and(|text| text.contains(mark) && text.contains(from)));
    let entry = entry.unwrap_or_else(|| panic!("no record has `{mark}` and `{from}`"));
    *entry = json!(entry.as_str().unwrap().replace(from, to));
    pack
}

fn without_record(pack: &Value, mark: &str) -> Value {
    let mut pack = pack.clone();
    pack["proofs"]["entries"].as_array_mut().unwrap().retain(|entry| !entry["entry"].as_str().unwrap().contains(mark));
    pack
}

/// `text` with its character `at` replaced by another one of its kind.
fn flipped(text: &str, at: usize) -> String {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_of_what_ran_or_of_what_was_shown_is_named() {
    let desk = refunded().await;
    let pack = desk.whole_pack().await;
    let records = desk.world.records().await;
    let vote = records.iter().find_map(|record| match &record.record.event {
        remit_domain::Event::ApprovalVoted { approval, vote, .. } => Some((*approval, vote.clone())),
        _ => None,
    });
    let (approval, vote) = vote.unwrap();
    let (signed, shown) = (vote.signed.unwrap(), vote.shown.unwrap().to_string());
    let enrolled = records.iter().find_map(|record| match &record.record.event {
        remit_domain::Event::PasskeyEnrolled(enrolled) => Some(enrolled.key["x"].as_str().unwrap().to_owned()),
        _ => None,
    });
    let (key, other_key) = (enrolled.unwrap(), base64url::encode([1; 32]));
    let arguments =
        desk.world.engine.read(|state| state.approval(approval).unwrap().facts.arguments.commitment).to_string();
    let digest = desk.digest(approval).to_string();
    let voted = "\"ApprovalVoted\"";
    let flip = |mark: &str, text: &str| with_record(&pack, mark, text, &flipped(text, 20));
    let wrong = format!("the signed answer to `{approval}`");
    for (changed, sentence) in [
        (flip("\"ApprovalRequested\"", &arguments), "the digest that was asked about is not of this action".to_owned()),
        (flip("\"ApprovalRequested\"", &arguments), format!("the answer to `{approval}` is about another action")),
        (flip("\"ApprovalRequested\"", &arguments), format!("the approval `{approval}` was for another action")),
        (flip("\"ActionAllowed\"", &arguments), format!("the approval `{approval}` was for another action")),
        (flip("\"ActionAllowed\"", &digest), format!("the approval `{approval}` was for another action")),
        (flip("\"ApprovalShown\"", &shown), format!("the answer to `{approval}` is about something else than")),
        (flip(voted, &shown), format!("the answer to `{approval}` is about something else than")),
        (flip(voted, &digest), format!("the answer to `{approval}` is about another action")),
        (
            with_record(&pack, voted, "\"note\":\"\"", "\"note\":\"-\""),
            format!("{wrong} was signed for another action, another document or another note"),
        ),
        (flip(voted, &signed.signature), format!("{wrong} does not hold: the signature")),
        (flip(voted, &signed.authenticator_data), format!("{wrong} does not hold: the signature")),
        (flip(voted, &signed.client_data), format!("{wrong} does not hold")),
        (flip(voted, &signed.credential), format!("{wrong} is by a passkey that nobody had enrolled")),
        (with_record(&pack, "\"PasskeyEnrolled\"", &key, &other_key), format!("{wrong} cannot be verified")),
        (
            with_record(
                &pack,
                "\"PasskeyEnrolled\"",
                &desk.ana.to_string(),
                &desk.world.person_named("root").to_string(),
            ),
            format!("{wrong} is by the passkey of somebody else"),
        ),
        (
            with_record(&pack, "\"PasskeyEnrolled\"", &format!("\"rp_id\":\"{RP_ID}\""), "\"rp_id\":\"elsewhere\""),
            format!("{wrong} was signed for another address than its passkey is for"),
        ),
        (without_record(&pack, "\"PasskeyEnrolled\""), format!("{wrong} is by a passkey that nobody had enrolled")),
        (
            without_record(&pack, "\"ApprovalShown\""),
            format!("the answer to `{approval}` is about something else than"),
        ),
        (without_record(&pack, "\"ApprovalGranted\""), format!("the approval `{approval}` was not given before")),
        (without_record(&pack, "\"ApprovalVoted\""), format!("the approval `{approval}` was given with 0 answers")),
        (
            without_record(&pack, "\"ApprovalRequested\""),
            format!("the question `{approval}`, to which this is a signed"),
        ),
    ] {
        let found = faults(&changed);
        assert!(found.iter().any(|fault| fault.contains(&sentence)), "{sentence}\n{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_byte_of_content_is_named() {
    let desk = refunded().await;
    let pack = desk.whole_pack().await;
    let record = desk.world.records().await.into_iter().find_map(|record| match record.record.event {
        remit_domain::Event::ApprovalShown(shown) => Some(shown),
        _ => None,
    });
    let (approval, shown) = record.map(|record| (record.approval, record.shown.commitment)).unwrap();
    let arguments = desk.world.engine.read(|state| state.approval(approval).unwrap().facts.arguments.commitment);
    for (commitment, from, to, what) in [
        (arguments, "18900", "18901", "the arguments of an action"),
        (shown, "18900", "18901", "what a person was shown"),
    ] {
        let mut changed = pack.clone();
        let contents = changed["contents"].as_array_mut().unwrap();
        let content = contents.iter_mut().find(|content| content["commitment"] == json!(commitment)).unwrap();
        content["content"] = json!(content["content"].as_str().unwrap().replacen(from, to, 1));
        let found = faults(&changed);
        let sentence = format!("the content for `{commitment}`, {what}, is not what the ledger commits to");
        assert!(found.contains(&sentence), "{found:?}");
        let sentence = format!("what was shown about `{approval}` has other arguments than the action");
        assert!(found.contains(&sentence), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_the_signature_that_its_person_could_give_is_found() {
    let desk = refunded().await;
    let mut pack = desk.whole_pack().await;
    for entry in pack["proofs"]["entries"].as_array_mut().unwrap() {
        let mut record: Value = serde_json::from_str(entry["entry"].as_str().unwrap()).unwrap();
        if record["event"]["type"] == "ApprovalVoted" {
            record["event"]["vote"].as_object_mut().unwrap().remove("signed").unwrap();
            entry["entry"] = json!(record.to_string());
        }
    }
    let found = faults(&pack);
    assert!(found.iter().any(|fault| fault.contains("is not signed, and `")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_in_which_a_pack_lists_its_records_changes_nothing() {
    let desk = refunded().await;
    let mut pack = desk.whole_pack().await;
    pack["proofs"]["entries"].as_array_mut().unwrap().reverse();
    assert_eq!(verified(&pack).answers_signed, 1);
}
