//! A realm whose people have passkeys.

use remit_domain::{
    Actor, ApprovalId, Command, ConnectorSpec, DataClass, Digest, Event, OpenSession, PersonId, SessionId,
    SignInMethod, TaskId, Verb,
};
use remit_testkit::{Authenticator, World as Realm, operation};
use serde_json::{Value, json};

use crate::{Assertion, People, PeopleError, PeopleSettings, assertion, registration};

pub(super) const ORIGIN: &str = "http://localhost:7470";

/// Somebody who is signed in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Someone {
    pub(super) person: PersonId,
    pub(super) session: SessionId,
}

pub(super) struct World {
    pub(super) realm: Realm,
    pub(super) people: People,
}

pub(super) fn authenticator() -> Authenticator {
    Authenticator::new(ORIGIN, "localhost")
}

pub(super) fn shown(authenticator: &mut Authenticator, options: &Value) -> Assertion {
    assertion(&authenticator.get(options).to_string()).unwrap()
}

/// The code of the refusal in `outcome`.
pub(super) fn code<T: std::fmt::Debug>(outcome: Result<T, PeopleError>) -> String {
    outcome.unwrap_err().refusal().code
}

impl World {
    pub(super) async fn new() -> Self {
        Self::of(Realm::new().await).await
    }

    /// Where everybody has to have a passkey.
    pub(super) async fn with_passkeys_required() -> Self {
        Self::of(Realm::with(|options| options.passkeys_required = true).await).await
    }

    async fn of(realm: Realm) -> Self {
        let people = People::new(realm.engine.clone(), PeopleSettings::at("http://127.0.0.1:7470")).unwrap();
        for name in ["ana", "bob"] {
            realm.person(name, &["administrators"]).await;
        }
        Self { realm, people }
    }

    /// Signs `name` in by a one-time link.
    pub(super) async fn join(&self, name: &str) -> Someone {
        let (person, head) = (self.realm.person_named(name), self.realm.engine.head());
        let (code, token) = (Digest::of_bytes(&head.to_be_bytes()), Digest::of_bytes(name.as_bytes()));
        self.realm.submit(&self.realm.root(), Command::OfferSignIn { person, code, ttl_seconds: 60 }).await;
        let opened = self.realm.submit(&Actor::Remit, Command::OpenSession(OpenSession { code, token })).await;
        let session = opened.events.iter().find_map(|event| match event {
            Event::SessionOpened(opened) => Some(opened.session),
            _ => None,
        });
        Someone { person, session: session.unwrap() }
    }

    /// How `someone` acts now, as the doors say it.
    pub(super) fn actor(&self, someone: Someone) -> Actor {
        Actor::Person { person: someone.person, method: self.method(someone.session) }
    }

    pub(super) fn method(&self, session: SessionId) -> SignInMethod {
        let now = self.realm.engine.now();
        self.realm.engine.read(|state| state.sessions[&session].method_at(now))
    }

    /// Enrols `authenticator` for `someone`.
    pub(super) async fn enrol(&self, someone: Someone, authenticator: &mut Authenticator) -> Result<(), PeopleError> {
        let ceremony = self.people.begin_enrolment(someone.person, Some(someone.session)).unwrap();
        let made = registration(&authenticator.create(&ceremony.options).to_string()).unwrap();
        let (actor, session) = (self.actor(someone), Some(someone.session));
        self.people.enrol(actor, session, &ceremony.id, &made, "key").await.map(|_| ())
    }

    /// `name`, signed in, with a passkey that has been enrolled just now.
    pub(super) async fn with_passkey(&self, name: &str) -> (Someone, Authenticator) {
        let (someone, mut authenticator) = (self.join(name).await, authenticator());
        self.enrol(someone, &mut authenticator).await.unwrap();
        (someone, authenticator)
    }

    pub(super) async fn sign_in(&self, authenticator: &mut Authenticator) -> Result<Someone, PeopleError> {
        let ceremony = self.people.begin_sign_in().unwrap();
        let assertion = shown(authenticator, &ceremony.options);
        let opened = self.people.sign_in(None, &ceremony.id, &assertion).await?;
        let token = Digest::of_bytes(opened.token.expose().as_bytes());
        let now = self.realm.engine.now();
        let session = self.realm.engine.read(|state| state.session_of(&token, now).map(|session| session.id));
        Ok(Someone { person: opened.person, session: session.unwrap() })
    }

    pub(super) async fn step_up(&self, who: Someone, authenticator: &mut Authenticator) -> Result<(), PeopleError> {
        let ceremony = self.people.begin_step_up(who.person)?;
        let assertion = shown(authenticator, &ceremony.options);
        self.people.step_up(self.actor(who), who.session, &ceremony.id, &assertion).await.map(|_| ())
    }

    /// A question that `ana` can answer, about data of D2; and its task.
    pub(super) async fn ask(&self, arguments: Value) -> (ApprovalId, TaskId) {
        self.realm.agent("support", "ana", |_| {}).await;
        let properties = json!({"order": {"type": "string"}, "amount": {"type": "integer"}});
        let refund = operation("refund", Verb::Write, 3, DataClass::D2, &properties);
        let spec = ConnectorSpec::Http { url: "http://127.0.0.1:1/mcp".to_owned() };
        self.realm.connector("desk", spec, vec![refund]).await;
        self.realm.grant("support", &["desk/*"], 30 * 86_400).await;
        let task = self.realm.task("support").await;
        (self.realm.call(task, "desk/refund", arguments).await.asked(), task)
    }
}
