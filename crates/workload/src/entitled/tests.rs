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
    let launched = Some(ProcessId { pid: 7, started_at_ticks: 1 });
    let attested = Attested { launched, ..seen(&["unix:path:/usr/bin/triage"]) };
    assert!(identities(&world.engine.state(), &attested, world.engine.now()).is_empty());
}
