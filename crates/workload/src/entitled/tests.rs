use remit_domain::Command;
use remit_domain::WorkloadIdentity;
use remit_testkit::World;

use super::*;

fn seen(selectors: &[&str]) -> Attested {
    Attested {
        process: ProcessId { pid: 42, started_at_ticks: 7 },
        selectors: selectors.iter().map(|selector| (*selector).to_owned()).collect(),
        launched: None,
    }
}

#[tokio::test]
async fn all_selectors_have_to_be_met() {
    let world = World::new().await;
    let agent = world.agent("triage", "root", |_| {}).await;
    let selectors = vec!["unix:uid:1000".to_owned(), "unix:path:/usr/bin/triage".to_owned()];
    let bind = Command::BindWorkload { agent, workload: WorkloadIdentity::Local { selectors } };
    world.submit(&world.root(), bind).await;
    let (state, now) = (world.engine.state(), world.engine.now());
    let identities = |selectors: &[&str]| identities(&state, &seen(selectors), now);
    assert!(identities(&[]).is_empty());
    assert!(identities(&["unix:uid:1000"]).is_empty());
    assert!(identities(&["unix:uid:1001", "unix:path:/usr/bin/triage"]).is_empty());
    let found = identities(&["unix:path:/usr/bin/triage", "unix:uid:1000", "unix:gid:5"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, "spiffe://remit.test/agent/triage/production");
    assert!(stands(&state, agent, None, now));
}

#[tokio::test]
async fn what_was_launched_for_nothing_known_is_nobody() {
    let world = World::new().await;
    let agent = world.agent("triage", "root", |_| {}).await;
    let selectors = vec!["unix:path:/usr/bin/triage".to_owned()];
    let bind = Command::BindWorkload { agent, workload: WorkloadIdentity::Local { selectors } };
    world.submit(&world.root(), bind).await;
    let process = ProcessId { pid: 7, started_at_ticks: 1 };
    let launched = Some(Launched { process, task: remit_domain::Moment::new(world.engine.now(), 7).fresh_id() });
    let attested = Attested { launched, ..seen(&["unix:path:/usr/bin/triage"]) };
    assert!(identities(&world.engine.state(), &attested, world.engine.now()).is_empty());
}

#[tokio::test]
async fn the_launch_of_an_ended_task_is_found_and_is_nobody() {
    let world = World::new().await;
    let agent = world.agent("triage", "root", |_| {}).await;
    let selectors = vec!["unix:path:/usr/bin/triage".to_owned()];
    let bind = Command::BindWorkload { agent, workload: WorkloadIdentity::Local { selectors } };
    world.submit(&world.root(), bind).await;
    let task = world.task("triage").await;
    let process = ProcessId { pid: 7, started_at_ticks: 1 };
    let (exe_sha256, cgroup) = (remit_domain::Digest::of_bytes(b"program"), String::new());
    let observed = remit_domain::Process { pid: 7, started_at_ticks: 1, exe_sha256, cgroup };
    world.submit(&world.root(), Command::AttestLaunch { task, process: observed }).await;
    let seen_now = || {
        let launched = launch(&world.engine.state(), process);
        let attested = Attested { launched, ..seen(&["unix:path:/usr/bin/triage"]) };
        (launched, identities(&world.engine.state(), &attested, world.engine.now()).len())
    };
    assert_eq!(seen_now(), (Some(Launched { process, task }), 1));
    world.end(task).await;
    assert_eq!(seen_now(), (Some(Launched { process, task }), 0), "neither its run nor what else describes it");
}

#[tokio::test]
async fn a_program_is_read_only_if_that_decides() {
    let world = World::new().await;
    let agent = world.agent("triage", "root", |_| {}).await;
    let bind = |selectors: &[&str]| Command::BindWorkload {
        agent,
        workload: WorkloadIdentity::Local { selectors: selectors.iter().map(|own| (*own).to_owned()).collect() },
    };
    let digest = format!("unix:sha256:{}", remit_domain::Digest::of_bytes(b"program"));
    let needs = |selectors: &[&str]| needs_digest(&world.engine.state(), &seen(selectors));
    world.submit(&world.root(), bind(&["unix:uid:1000"])).await;
    assert!(!needs(&["unix:uid:1000"]));
    world.submit(&world.root(), bind(&["unix:uid:1001", &digest])).await;
    assert!(!needs(&["unix:uid:1000"]), "of another user");
    assert!(needs(&["unix:uid:1001"]));
    let process = ProcessId { pid: 7, started_at_ticks: 1 };
    let launched = Some(Launched { process, task: remit_domain::Moment::new(world.engine.now(), 7).fresh_id() });
    let attested = Attested { launched, ..seen(&["unix:uid:1001"]) };
    assert!(!needs_digest(&world.engine.state(), &attested), "a launch decides by itself");
}
