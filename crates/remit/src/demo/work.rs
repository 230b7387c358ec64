//! The agent at work: allowed, denied, asked, ended.

use std::time::Duration;

use serde_json::{Value, json};

use super::agent::{Agent, Called};
use super::estate::{Estate, text};
use super::people::People;
use super::step::Steps;
use crate::command::{Client, Failure};

/// How long the approver looks for the question.
const QUESTION_SECONDS_MAX: u64 = 20;

/// A task and the agent that works on it.
pub struct Work {
    task: String,
    agent: Agent,
}

pub async fn begin(people: &People, estate: &Estate, steps: &mut Steps) -> Result<Work, Failure> {
    let start =
        json!({"agent": estate.agent, "purpose": "ticket 17: a headset that arrived broken", "acting_for": "carla"});
    let started = people.ana.post("/v1/tasks", start).await?;
    let (task, token) = (text(&started, "task"), text(&started, "token"));
    let agent = Agent::connect(&estate.mcp_url, &token).await?;
    let tools = agent.tools().await?;
    let ok = tools.len() == 5 && !tools.iter().any(|tool| tool == "close_account");
    steps.note("tools/list", "the agent sees its five tools and no other", format!("it sees {}", tools.join(", ")), ok);
    Ok(Work { task, agent })
}

pub async fn allowed_and_denied(work: &Work, steps: &mut Steps) -> Result<(), Failure> {
    let shown = work.agent.call("show_order", json!({"order_id": "O-5003"}), None).await?;
    let item = shown.structured.get("item").and_then(Value::as_str).unwrap_or_default();
    steps.note(
        "allowed call",
        "the order is read through the gateway",
        format!("order O-5003: {item}"),
        !shown.is_error && !item.is_empty(),
    );
    let small = json!({"order_id": "O-5004", "amount_cents": 1_290, "reason": "the cable is broken"});
    let refunded = work.agent.call("refund_order", small, None).await?;
    steps.note("small refund", "12.90 is refunded without asking anybody", first_line(&refunded), !refunded.is_error);
    let closed = work.agent.call("close_account", json!({"customer_id": "C-1002"}), None).await?;
    refused(steps, "denied call", "denied_by_policy", &closed);
    Ok(())
}

/// A large refund is held; ben sees its exact arguments and says yes; it runs once, and never again on that answer.
pub async fn asked_and_approved(work: &Work, people: &People, steps: &mut Steps) -> Result<(), Failure> {
    let refund = json!({"order_id": "O-5003", "amount_cents": 18_900, "reason": "arrived broken"});
    let (held, answered) = tokio::join!(work.agent.call("refund_order", refund.clone(), None), answer(&people.ben));
    let (held, (approval, shown)) = (held?, answered?);
    let same = shown == refund;
    steps.note("what ben saw", "exactly the arguments of the call", shown.to_string(), same);
    steps.note("held call", "189.00 is refunded once ben approved", first_line(&held), !held.is_error);
    let again = work.agent.call("refund_order", refund, Some(&approval)).await?;
    refused(steps, "approval used again", "approval_used", &again);
    let other = json!({"order_id": "O-5011", "amount_cents": 18_900, "reason": "arrived broken"});
    let changed = work.agent.call("refund_order", other, Some(&approval)).await?;
    refused(steps, "other arguments", "approval_other_arguments", &changed);
    Ok(())
}

/// Waits for the question and says yes to what it shows. Gives the approval and the arguments as shown.
async fn answer(ben: &Client) -> Result<(String, Value), Failure> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(QUESTION_SECONDS_MAX);
    loop {
        let waiting = ben.get("/v1/approvals?status=pending").await?;
        if let Some(first) = waiting.pointer("/items/0") {
            let id = text(first, "id");
            let shown = ben.get(&format!("/v1/approvals/{id}")).await?;
            let seen = shown.get("shown_commitment");
            let yes = json!({"digest": shown.get("digest"), "shown": seen, "note": "the customer sent a photo"});
            ben.post(&format!("/v1/approvals/{id}/approve"), yes).await?;
            return Ok((id, shown.get("arguments").cloned().unwrap_or_default()));
        }
        if tokio::time::Instant::now() > deadline {
            return Err(remit_domain::Refusal::new("demo_no_question", "nobody was asked about the large refund")
                .help("the rule `large-refunds-ask` should have asked ben")
                .into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// When the task ends, so does the remit.
pub async fn ended(work: &Work, people: &People, steps: &mut Steps) -> Result<(), Failure> {
    let ended = people.ana.post(&format!("/v1/tasks/{}/end", work.task), json!({"note": "ticket 17 is done"})).await?;
    let status = text(&ended, "status");
    steps.note("task end", "its owner ends the task", format!("the task is {status}"), status == "ended");
    let late = work.agent.call("show_order", json!({"order_id": "O-5003"}), None).await;
    let happened = match &late {
        Ok(called) => called.text.clone(),
        Err(Failure::Fault(fault)) => fault.sentence.clone(),
        Err(other) => format!("{other:?}"),
    };
    let ok = late.as_ref().map_or(true, |called| called.is_error);
    steps.note("call after the end", "the token of an ended task is refused", happened, ok);
    Ok(())
}

fn first_line(called: &Called) -> String {
    called.text.lines().next().unwrap_or_default().chars().take(120).collect()
}

fn refused(steps: &mut Steps, name: &'static str, code: &str, called: &Called) {
    let found = called.code.clone().unwrap_or_else(|| "not refused".to_owned());
    let ok = called.is_error && found == code;
    steps.note(name, &format!("refused: {code}"), format!("{found} ({})", first_line(called)), ok);
}
