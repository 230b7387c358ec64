use super::*;
use crate::tests::world::{DAY, World, by, digest};
use crate::{Attribution, Command};

fn report(agent: AgentId, task: Option<TaskId>) -> ReportSharing {
    let parties = vec!["run_1 at 10.0.0.1".to_owned(), "run_2 at 10.0.0.2".to_owned()];
    ReportSharing { credential: digest("token-7"), kind: CredentialKind::Token, agent, task, parties }
}

fn command(report: ReportSharing) -> Command {
    Command::ReportSharing(Box::new(report))
}

fn opened(events: &[Event]) -> FindingId {
    match events {
        [Event::FindingOpened(opened)] => opened.finding,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shared_credential_is_told_once_and_its_task_graded() {
    let mut world = World::with_support();
    let agent = world.support();
    let (task, other) = (world.task(agent), world.task(agent));
    let report = report(agent, Some(task));
    let finding = opened(&world.must(&Actor::Remit, command(report.clone())));
    assert!(world.must(&Actor::Remit, command(report.clone())).is_empty(), "once");
    assert_eq!(world.state.finding_of(&report.credential).unwrap().id, finding);
    assert_eq!(world.state.task(task).unwrap().attribution(), Attribution::Shared);
    assert_eq!(world.state.task(other).unwrap().attribution(), Attribution::Asserted);
    let denied = world.call(task, "helpdesk/nothing", serde_json::json!({})).denied();
    assert_eq!(denied.facts.attribution, Attribution::Shared);
}

#[test]
fn what_opens_all_of_an_agents_tasks_is_shared_by_all_of_them() {
    let mut world = World::with_support();
    let agent = world.support();
    let tasks = [world.task(agent), world.task(agent)];
    world.must(&Actor::Remit, command(report(agent, None)));
    assert!(tasks.iter().all(|task| world.state.task(*task).unwrap().shared));
    let later = world.task(agent);
    assert!(!world.state.task(later).unwrap().shared);
}

#[test]
fn only_remit_reports_and_only_what_fits() {
    let mut world = World::with_support();
    let (agent, bob) = (world.support(), world.named("bob"));
    let clerk = world.agent("clerk", bob);
    let task = world.task(agent);
    let good = report(agent, Some(task));
    assert_eq!(world.refused(&by(world.root), command(good.clone())), "not_permitted");
    assert_eq!(world.refused(&Actor::Remit, command(ReportSharing { agent: clerk, ..good.clone() })), "other_agent");
    let alone = ReportSharing { parties: vec!["run_1".to_owned()], ..good.clone() };
    assert_eq!(world.refused(&Actor::Remit, command(alone)), "bad_finding");
    let long = ReportSharing { parties: vec!["x".repeat(limits::FACT_BYTES_MAX + 1); 2], ..good };
    assert_eq!(world.refused(&Actor::Remit, command(long)), "text_too_long");
}

#[test]
fn a_closed_finding_is_forgotten_later_and_told_again() {
    let mut world = World::with_support();
    let (agent, ana, bob) = (world.support(), by(world.named("ana")), by(world.named("bob")));
    let task = world.task(agent);
    let finding = opened(&world.must(&Actor::Remit, command(report(agent, Some(task)))));
    let close = Command::CloseFinding { finding, note: "two replicas by mistake".to_owned() };
    assert_eq!(world.refused(&bob, close.clone()), "not_permitted");
    world.must(&ana, close.clone());
    assert!(world.must(&ana, close).is_empty(), "it is closed");
    assert!(world.state.task(task).unwrap().shared, "its records stay what they are");
    assert!(world.must(&Actor::Remit, command(report(agent, None))).is_empty());
    world.advance(DAY + 1);
    world.task(agent);
    assert!(world.state.findings.is_empty());
    opened(&world.must(&Actor::Remit, command(report(agent, None))));
}
