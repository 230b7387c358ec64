//! Tasks, tokens of them, and calls under them.

use std::sync::Arc;

use anyhow::Context;
use remit_domain::{
    Actor, AgentId, AttemptAction, Budget, Command, Event, OperationName, StartTask, TaskId, Verdict, limits,
};
use remit_engine::{Engine, Receipt, TOKEN_SECONDS_DEFAULT};
use remit_identity::SpiffeId;
use serde_json::json;

use crate::bench::submit::report;
use crate::bench::world::World;

/// Commands on their way at a time while an estate is made.
pub const AT_A_TIME: usize = 256;

/// Starts a task of `agent`, by the person who owns it.
pub async fn start(engine: &Engine, root: &Actor, agent: AgentId, parent: Option<TaskId>) -> anyhow::Result<TaskId> {
    let start = StartTask {
        configuration: None,
        agent,
        purpose: "to be measured".to_owned(),
        acting_for: None,
        scope: Vec::new(),
        ttl_seconds: None,
        // A sub-task takes what its parent has left.
        budget: parent.is_none().then_some(Budget { calls_max: limits::TASK_CALLS_MAX }),
        parent,
        key: None,
        authority: Vec::new(),
        delegation: None,
    };
    let receipt = engine.submit(root.clone(), Command::StartTask(Box::new(start))).await?;
    let started = receipt.events.iter().find_map(|event| match event {
        Event::TaskStarted(started) => Some(started.task),
        _ => None,
    });
    started.context("no task was started")
}

/// Issues `count` tokens for `task`.
pub async fn tokens(world: &World, task: TaskId, count: usize) -> anyhow::Result<Vec<String>> {
    let mut tokens = Vec::with_capacity(count);
    while tokens.len() < count {
        let batch = (0..AT_A_TIME.min(count - tokens.len())).map(|_| {
            let (engine, root) = (world.engine.clone(), world.root.clone());
            tokio::spawn(async move { engine.issue_token(root, task, TOKEN_SECONDS_DEFAULT).await })
        });
        for issued in batch.collect::<Vec<_>>() {
            tokens.push(issued.await??.token);
        }
    }
    Ok(tokens)
}

/// The SPIFFE ID of the agent that `world` has.
pub fn spiffe_id(world: &World) -> anyhow::Result<SpiffeId> {
    let domain = world.engine.realm().trust_domain;
    let id = world.engine.read(|state| state.agent(world.agent).map(|agent| agent.spiffe_id(&domain)))?;
    Ok(SpiffeId::parse(&id)?)
}

/// Calls under one task.
#[derive(Debug, Clone)]
pub struct Caller {
    engine: Engine,
    actor: Actor,
    task: TaskId,
    operation: OperationName,
}

impl Caller {
    pub fn of(world: &World, agent: AgentId, task: TaskId) -> Self {
        let actor = Actor::Agent { agent, task: Some(task) };
        Self { engine: world.engine.clone(), actor, task, operation: world.operation.clone() }
    }

    /// One call, decided by the starter policies and recorded, with arguments of its own. True if it was allowed.
    pub async fn call(&self, number: u64) -> anyhow::Result<(bool, Receipt)> {
        let arguments = json!({"key": format!("key-{number}")});
        let canonical = serde_json::to_vec(&arguments)?;
        let (content, sealed) = self.engine.commitment(self.task, "arguments", canonical).await?;
        let attempt = AttemptAction::new(self.task, self.operation.clone(), Arc::new(arguments), content);
        let command = Command::AttemptAction(Box::new(attempt));
        let receipt = self.engine.submit_with(self.actor.clone(), command, vec![sealed]).await?;
        match Verdict::among(&receipt.events) {
            Some(Verdict::Allowed(allowed)) => {
                report(self.engine.clone(), allowed.action);
                Ok((true, receipt))
            }
            Some(Verdict::Denied(_)) => Ok((false, receipt)),
            _ => anyhow::bail!("the call to be measured was not decided: {:?}", receipt.events),
        }
    }
}
