//! The control plane over HTTP: the REST API that people, scripts, the command line and enrolled agents speak.
//!
//! Architecture invariant: nothing is decided here. A handler turns a request into a command or a reading and the answer
//! into JSON; whether a command may happen is for the domain. There is no default principal, no call to a tool goes
//! through here, and no other door is known.

mod access;
mod agents;
mod approvals;
mod as_of;
mod auth;
mod authzen;
mod changes;
mod clients;
mod connectors;
mod contents;
mod enrolment;
mod errors;
mod evidence;
mod findings;
mod grants;
mod health;
mod idempotency;
mod input;
mod keys;
mod launch;
mod ledger_files;
mod legacy;
pub mod limits;
mod names;
mod oauth;
mod openapi;
mod operations;
mod page;
mod passkeys;
mod people;
mod policies;
mod preview;
mod receipts;
mod records;
mod replay;
mod revocations;
mod router;
mod runs;
mod sessions;
mod signals;
mod simulate;
mod status_list;
mod stream;
mod tasks;
mod time;
mod who;
mod workloads;

use std::fmt;
use std::sync::{Arc, Mutex};

use remit_domain::{Actor, Command};
use remit_engine::{Engine, Receipt};
use remit_identity::ReplayCache;
use remit_people::People;
use remit_review::ToolSource;

pub use auth::{Peer, SESSION_COOKIE};
pub use errors::Problem;
pub use launch::{Observe, WorkloadApi};
pub use oauth::{Elsewhere, OAuthSettings, OidcIssuer, Range};
pub use openapi::openapi;
pub use router::router;
pub use signals::{Transmitter, Transmitters};

/// What the API has to know of the rest of the installation.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where people find the console, without a slash at the end: for sign-in links.
    pub console_url: String,
    /// Where agents find their tools (`…/mcp`): for whoever starts a task.
    pub mcp_url: String,
    /// Systems whose events about people are heeded, by issuer.
    pub transmitters: Arc<Transmitters>,
    /// The authorization server.
    pub oauth: OAuthSettings,
    /// How the processes of this machine get their identity, if they do.
    pub workload_api: Option<WorkloadApi>,
    /// Whether agents of other environments than production get no answers to enforce.
    pub production: bool,
}

impl Settings {
    /// Settings for a console at `console_url` and a gateway at `mcp_url`, with everything else as it is by default.
    pub fn at(console_url: &str, mcp_url: &str) -> Self {
        Self {
            console_url: console_url.trim_end_matches('/').to_owned(),
            mcp_url: mcp_url.to_owned(),
            transmitters: Arc::default(),
            oauth: OAuthSettings::default(),
            workload_api: None,
            production: false,
        }
    }
}

/// The control plane. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    engine: Engine,
    tools: Arc<dyn ToolSource>,
    people: People,
    settings: Arc<Settings>,
    /// Assertions that agents have shown: each is good for one use.
    assertions: Arc<Mutex<ReplayCache>>,
    /// Answers to requests that carried an idempotency key.
    answered: Arc<Mutex<idempotency::Answered>>,
    status_lists: status_list::StatusLists,
    /// What the authorization server remembers between requests.
    memory: Arc<oauth::Memory>,
    /// What is remembered of those who ask for decisions that they enforce.
    enforcers: authzen::Enforcers,
}

impl Api {
    /// An API over `engine` that asks `tools` what servers offer, and `people` who somebody is.
    pub fn new(engine: Engine, tools: Arc<dyn ToolSource>, people: People, settings: Settings) -> Self {
        let now = engine.now().as_seconds();
        let assertions = ReplayCache::new(now);
        let memory = Arc::new(oauth::Memory::new(&settings.oauth, now));
        Self {
            engine,
            tools,
            people,
            settings: Arc::new(settings),
            assertions: Arc::new(Mutex::new(assertions)),
            answered: Arc::default(),
            status_lists: status_list::StatusLists::default(),
            memory,
            enforcers: authzen::Enforcers::default(),
        }
    }

    /// Submits `command` and returns once it is durable.
    async fn submit(&self, actor: Actor, command: Command) -> Result<Receipt, Problem> {
        Ok(self.engine.submit(actor, command).await?)
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Api").field("settings", &self.settings).finish_non_exhaustive()
    }
}
