//! What the matrix asks about, and everybody who asks.

use std::collections::BTreeMap;

use axum::body::Body;
use http::Request;
use remit_domain::{Actor, Command, Digest, Edit, Event, PolicyEdit, SignInMethod};
use serde_json::json;

use super::form;
use super::rows::Row;
use crate::world::World;

/// Everybody who asks, from whom least is expected.
pub(super) const ASKERS: [&str; 8] =
    ["nobody", "member", "content-reader", "auditor", "reviewer", "approver", "owner", "administrator"];

/// Who they are. `olga` owns `support-bot`, and `maria` is named there.
const PEOPLE: [(&str, &str, &[&str]); 7] = [
    ("member", "mia", &[]),
    ("content-reader", "carl", &["content-readers"]),
    ("auditor", "aida", &["auditors"]),
    ("reviewer", "rita", &["reviewers"]),
    ("approver", "maria", &[]),
    ("owner", "olga", &[]),
    ("administrator", "root", &["administrators"]),
];

pub(super) struct Estate {
    pub world: World,
    /// What stands for `$name` in the rows.
    names: BTreeMap<&'static str, String>,
    /// The cookie of each, and what goes into their forms.
    people: BTreeMap<&'static str, (String, String)>,
}

impl Estate {
    pub(super) async fn build() -> Self {
        let world = World::new().await;
        for (_, name, groups) in PEOPLE.iter().filter(|(_, name, _)| !["maria", "olga", "root"].contains(name)) {
            world.join(name, groups).await;
        }
        let approval = world.ask(json!({"order": "A-1"})).await;
        let digest = world.engine.read(|state| state.approval(approval).unwrap().digest);
        let about = world.engine.head() - 1;
        let wanted = world.wants(world.task, "archive").await;
        let mut names = changes(&world).await;
        let mut people = BTreeMap::new();
        for (asker, name, _) in PEOPLE {
            let cookie = world.sign_in(name).await;
            let token = world.get("/settings", &cookie).await.field("form_token");
            people.insert(asker, (cookie, token));
        }
        let (definition, textbase) = world.engine.read(|state| {
            let text = state.policies.sources["applied"].as_bytes();
            (state.operations["helpdesk/lookup"].digest.to_string(), Digest::of_bytes(text).to_string())
        });
        names.extend([("definition", definition), ("textbase", textbase)]);
        world.sign_in("carla").await;
        let session = world.engine.read(|state| {
            let carla = state.person_named("carla").unwrap().id;
            state.sessions.values().find(|session| session.person == carla).map(|session| session.id.to_string())
        });
        let grant = world.engine.read(|state| state.grants_of(world.agent).next().map(|grant| grant.id.to_string()));
        names.extend([
            ("grant", grant.unwrap()),
            ("wanted", wanted.to_string()),
            ("approval", approval.to_string()),
            ("digest", digest.to_string()),
            ("about", about.to_string()),
            ("session", session.unwrap()),
            ("task", world.task.to_string()),
        ]);
        Self { world, names, people }
    }

    /// What `asker` sends for `row`.
    pub(super) fn request(&self, row: &Row, asker: &str) -> Request<Body> {
        let (cookie, token) = self.people.get(asker).cloned().unwrap_or_default();
        let path = self.filled(row.asked());
        if row.method == "get" {
            return Request::get(path)
                .header("host", "remit.test")
                .header("cookie", cookie)
                .body(Body::empty())
                .unwrap();
        }
        let own = row.fields.iter().map(|(name, value)| (*name, self.filled(value)));
        let fields: Vec<(&str, String)> = own.chain([("form_token", token)]).collect();
        form(&path, &cookie, &fields)
    }

    /// The cookie of `asker`.
    pub(super) fn cookie(&self, asker: &str) -> &str {
        &self.people[asker].0
    }

    /// `text` with what each `$name` stands for.
    fn filled(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }
}

/// A second administrator, and what he proposed: one was approved, one was an emergency, and one waits.
async fn changes(world: &World) -> BTreeMap<&'static str, String> {
    world.join("ben", &["administrators"]).await;
    let ben = world.engine.read(|state| state.person_named("ben").unwrap().id);
    let ben = Actor::Person { person: ben, method: SignInMethod::LocalSocket };
    let mut names = BTreeMap::new();
    for name in ["applied", "emergency", "change"] {
        let text = format!(
            "@id(\"{name}\") @reason(\"a test\") forbid (principal, action, resource) when {{ resource.risk > 3 }};"
        );
        let edit = json!({"name": name, "text": text});
        let edits = vec![Edit::Policy(serde_json::from_value::<PolicyEdit>(edit).unwrap())];
        let reason = "tries".to_owned();
        let command = match name {
            "emergency" => Command::EmergencyChange { edits, reason },
            _ => Command::ProposeChange { edits, reason, revert_of: None },
        };
        let receipt = world.engine.submit(ben.clone(), command).await.unwrap();
        let change = receipt.events.iter().find_map(|event| match event {
            Event::ChangeProposed(proposed) => Some(proposed.change),
            _ => None,
        });
        let change = change.unwrap();
        if name == "applied" {
            world.engine.submit(world.root(), Command::ApproveChange { change }).await.unwrap();
        }
        names.insert(name, change.to_string());
    }
    names
}
