use super::*;
use crate::tests::world::{HOUR, World, by, digest, work};
use crate::{Command, StartTask};

fn process(pid: i32, started_at_ticks: u64) -> Process {
    Process { pid, started_at_ticks, exe_sha256: digest("python3"), cgroup: "/user.slice".to_owned() }
}

fn attest(task: TaskId, process: Process) -> Command {
    Command::AttestLaunch { task, process }
}

fn svid(world: &World, agent: AgentId, task: Option<TaskId>) -> IssueSvid {
    IssueSvid {
        agent,
        task,
        kind: SvidKind::X509,
        serial: "7f".to_owned(),
        audience: Vec::new(),
        expires_at: world.now.plus_seconds(HOUR),
        attested: vec!["unix:uid:1000".to_owned()],
    }
}

#[test]
fn whoever_started_a_task_says_what_was_launched_for_it() {
    let mut world = World::with_support();
    let (agent, ana, bob) = (world.support(), by(world.named("ana")), by(world.named("bob")));
    let (mine, own) = (world.start(&ana, work(agent)), world.task(agent));
    let itself = Actor::Agent { agent, task: None };
    for (actor, task) in [(&bob, mine), (&itself, mine), (&ana, own), (&Actor::Remit, mine), (&world.under(own), own)] {
        assert_eq!(world.refused(actor, attest(task, process(7, 1))), "not_permitted", "{actor:?}");
    }
    world.must(&ana, attest(mine, process(7, 1)));
    world.must(&itself, attest(own, process(8, 1)));
    let launch = &world.state.launches[&7];
    assert_eq!((launch.task, launch.run, launch.agent), (mine, world.state.task(mine).unwrap().run, agent));
    assert!(world.must(&ana, attest(mine, process(7, 1))).is_empty(), "twice is no error");
}

#[test]
fn a_process_runs_one_task_and_a_task_one_process() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let (one, two) = (world.start(&ana, work(agent)), world.start(&ana, work(agent)));
    assert_eq!(world.refused(&ana, attest(one, process(0, 1))), "bad_process");
    assert_eq!(world.refused(&ana, attest(one, process(-7, 1))), "bad_process");
    world.must(&ana, attest(one, process(7, 1)));
    assert_eq!(world.refused(&ana, attest(one, process(8, 1))), "task_launched");
    let other = Process { exe_sha256: digest("bash"), ..process(7, 1) };
    assert_eq!(world.refused(&ana, attest(one, other)), "task_launched");
    assert_eq!(world.refused(&ana, attest(two, process(7, 1))), "process_taken");
    world.must(&ana, attest(two, process(7, 2)));
    assert_eq!(world.state.launches[&7].task, two, "the number was used again");
    assert_eq!(world.state.launches_by_task.len(), 1);
}

#[test]
fn a_process_whose_task_has_ended_stays_known_as_that_until_its_task_is_forgotten() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let task = world.start(&ana, StartTask { ttl_seconds: Some(60), ..work(agent) });
    world.must(&ana, attest(task, process(7, 1)));
    world.advance(61);
    assert_eq!(world.state.launches[&7].task, task, "or it would be taken for a part of what launched it");
    assert_eq!(world.refused(&ana, attest(task, process(7, 1))), "task_ended");
    let other = world.start(&ana, work(agent));
    world.must(&ana, attest(other, process(7, 1)));
    let late = LaunchAttested { agent, run: world.state.task(task).unwrap().run, task, process: process(7, 1) };
    world.advance(limits::TASK_SECONDS_DEFAULT);
    world.now = world.now.plus_seconds(limits::ENDED_SECONDS_KEPT + 1);
    world.state.apply(&Event::LaunchAttested(Box::new(late)), world.now);
    assert!(world.state.launches.is_empty() && world.state.launches_by_task.is_empty());
}

#[test]
fn an_identity_document_is_for_what_is_alive_and_never_outlives_it() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let task = world.start(&ana, StartTask { ttl_seconds: Some(HOUR), ..work(agent) });
    let clerk = world.agent("clerk", world.named("bob"));
    let good = svid(&world, agent, Some(task));
    let issue = |issue: IssueSvid| Command::IssueSvid(Box::new(issue));
    assert_eq!(world.refused(&ana, issue(good.clone())), "not_permitted");
    assert_eq!(world.refused(&Actor::Remit, issue(IssueSvid { agent: clerk, ..good.clone() })), "other_agent");
    let late = IssueSvid { expires_at: good.expires_at.plus_seconds(1), ..good.clone() };
    assert_eq!(world.refused(&Actor::Remit, issue(late.clone())), "svid_too_long");
    let over = IssueSvid { expires_at: world.now, ..good.clone() };
    assert_eq!(world.refused(&Actor::Remit, issue(over)), "svid_too_long");
    world.must(&Actor::Remit, issue(IssueSvid { task: None, ..late }));
    let days = world.now.plus_seconds(limits::SVID_SECONDS_MAX + 1);
    let days = IssueSvid { task: None, expires_at: days, ..good.clone() };
    assert_eq!(world.refused(&Actor::Remit, issue(days)), "svid_too_long");
    let token = IssueSvid { kind: SvidKind::Jwt, ..good.clone() };
    assert_eq!(world.refused(&Actor::Remit, issue(token.clone())), "bad_audience");
    world.must(&Actor::Remit, issue(IssueSvid { audience: vec!["https://shop.example".to_owned()], ..token }));
    match world.must(&Actor::Remit, issue(good.clone())).as_slice() {
        [Event::SvidIssued(issued)] => assert_eq!(issued.run, Some(world.state.task(task).unwrap().run)),
        other => panic!("{other:?}"),
    }
    world.must(&ana, Command::SuspendAgent { agent, reason: "pause".to_owned() });
    assert_eq!(world.refused(&Actor::Remit, issue(good.clone())), "agent_suspended");
    world.must(&ana, Command::ResumeAgent { agent });
    assert_eq!(world.refused(&Actor::Remit, issue(good)), "task_ended");
}
