//! A realm whose records somebody else guards, with its control plane listening.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use futures_util::future::BoxFuture;
use remit_api::{Api, Settings};
use remit_domain::{
    AddConnector, AttemptAction, Command, ConnectorId, ConnectorSpec, DataClass, Definition, Event, OperationChoice,
    OperationName, Refusal, RequestGrant, Thing, Verb, Verdict,
};
use remit_engine::TOKEN_SECONDS_DEFAULT;
use remit_review::{Standing, ToolSource};
use serde_json::{Value, json};

use crate::bench::world::World;

/// No server of tools is behind it.
struct Nothing;

impl ToolSource for Nothing {
    fn definitions<'a>(&'a self, _: &'a ConnectorSpec) -> BoxFuture<'a, Result<Vec<Value>, Refusal>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn standing(&self, _: ConnectorId) -> BoxFuture<'_, Standing> {
        Box::pin(async { Standing { standard_error: Vec::new() } })
    }
}

/// The realm.
#[derive(Debug)]
pub struct Estate {
    world: World,
    operation: OperationName,
    /// Where its control plane is.
    pub address: SocketAddr,
}

impl Estate {
    /// Opens it in `data`, and serves it until the program ends.
    ///
    /// # Errors
    /// If it cannot be opened or bound.
    pub async fn open(data: &Path) -> anyhow::Result<Self> {
        let world = World::open(data).await?;
        guard(&world).await?;
        let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let settings = Settings::at(&format!("http://{address}"), world.engine.audience());
        let people =
            remit_people::People::new(world.engine.clone(), remit_people::PeopleSettings::at(&settings.console_url))?;
        let router = remit_api::router(Api::new(world.engine.clone(), Arc::new(Nothing), people, settings));
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the control plane that is measured has ended");
            }
        });
        Ok(Self { world, operation: OperationName::new("record", "read"), address })
    }

    /// A fresh token of the enforcer's task.
    ///
    /// # Errors
    /// If none can be issued.
    pub async fn token(&self) -> anyhow::Result<String> {
        let World { engine, root, task, .. } = &self.world;
        Ok(engine.issue_token(root.clone(), *task, TOKEN_SECONDS_DEFAULT).await?.token)
    }

    /// Has decided and recorded what an evaluation with this number asks.
    ///
    /// # Errors
    /// If the answer is not yes.
    pub async fn decide(&self, number: u64) -> anyhow::Result<()> {
        let World { engine, agent, task, .. } = &self.world;
        let resource = json!({"type": "record", "id": format!("record-{number}")});
        let arguments = json!({"subject": {"type": "user", "id": "alice", "role": "clerk"}, "resource": resource});
        let (content, kept) = engine.commitment(*task, "arguments", serde_json::to_vec(&arguments)?).await?;
        let attempt = AttemptAction {
            enforcer: Some(*agent),
            ask: false,
            ..AttemptAction::new(*task, self.operation.clone(), Arc::new(arguments), content)
        };
        let actor = remit_domain::Actor::Agent { agent: *agent, task: Some(*task) };
        let receipt = engine.submit_with(actor, Command::AttemptAction(Box::new(attempt)), vec![kept]).await?;
        match Verdict::among(&receipt.events) {
            Some(Verdict::Allowed(_)) => Ok(()),
            _ => anyhow::bail!("the decision to be measured was another: {:?}", receipt.events),
        }
    }
}

/// Adds what somebody else guards, and grants it to the world's agent, which is that somebody.
async fn guard(world: &World) -> anyhow::Result<()> {
    let World { engine, root, ana, agent, .. } = world;
    let properties = json!({"role": "clerk"}).as_object().cloned().unwrap_or_default();
    let spec = ConnectorSpec::Elsewhere {
        subjects: vec![Thing { id: "alice".to_owned(), properties }],
        resources: Vec::new(),
        trusts_properties: false,
    };
    let add = AddConnector { name: "record".to_owned(), owner: None, spec, sandbox: false };
    engine.submit(root.clone(), Command::AddConnector(Box::new(add))).await?;
    let connector = engine.read(|state| state.connector_named("record").map(|connector| connector.id))?;
    engine.submit(root.clone(), Command::ApproveOperations { connector, choices: vec![choice()] }).await?;
    let request = RequestGrant {
        agent: *agent,
        operations: vec!["record/*".parse()?],
        reason: "to be measured".to_owned(),
        ttl_seconds: 24 * 3_600,
    };
    let receipt = engine.submit(root.clone(), Command::RequestGrant(request)).await?;
    let grant = receipt.events.iter().find_map(|event| match event {
        Event::GrantRequested(request) => Some(request.id),
        _ => None,
    });
    let grant = grant.context("no grant was requested")?;
    engine.submit(ana.clone(), Command::ApproveGrant { grant }).await?;
    Ok(())
}

fn choice() -> OperationChoice {
    let text = json!({"type": "string"});
    let entity = |properties: Value| json!({"type": "object", "properties": properties, "required": ["id"]});
    let schema = json!({
        "type": "object",
        "properties": {
            "subject": entity(json!({"type": text, "id": text, "role": text})),
            "resource": entity(json!({"type": text, "id": text})),
        },
        "required": ["subject", "resource"],
    });
    OperationChoice {
        irreversible: false,
        tool: "read".to_owned(),
        verb: Verb::Read,
        risk: 0,
        data: DataClass::D1,
        external: false,
        projections: Vec::new(),
        definition: Definition { document: json!({"name": "read", "description": "reads", "inputSchema": schema}) },
    }
}
