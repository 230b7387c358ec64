use super::*;
use crate::tests::world::{World, by, work};
use crate::{Command, Event, Level, StartTask};

const SPIRE: &str = "spiffe://build.example.org";
const RUNNER: &str = "spiffe://build.example.org/ci/runner";

fn local(selectors: &[&str]) -> WorkloadIdentity {
    WorkloadIdentity::Local { selectors: selectors.iter().map(|selector| (*selector).to_owned()).collect() }
}

fn foreign(issuer: &str, subject: &str) -> WorkloadIdentity {
    WorkloadIdentity::Foreign { issuer: issuer.to_owned(), subject: subject.to_owned() }
}

fn bind(agent: AgentId, workload: WorkloadIdentity) -> Command {
    Command::BindWorkload { agent, workload }
}

fn unbind(agent: AgentId, workload: WorkloadIdentity) -> Command {
    Command::UnbindWorkload { agent, workload }
}

fn arrive(issuer: &str, subject: &str) -> Command {
    let evidence = "an X.509-SVID".to_owned();
    Command::ArriveWorkload { issuer: issuer.to_owned(), subject: subject.to_owned(), evidence }
}

/// The agent that a workload has just become.
fn arrived(world: &mut World, issuer: &str, subject: &str) -> AgentId {
    match world.must(&Actor::Remit, arrive(issuer, subject)).as_slice() {
        [Event::WorkloadArrived(arrived)] => arrived.agent,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_workload_is_one_agent_and_its_owner_says_which() {
    let mut world = World::with_support();
    let (support, ana, bob) = (world.support(), by(world.named("ana")), world.named("bob"));
    let other = world.agent("clerk", bob);
    for workload in [local(&["unix:uid:1000", "unix:path:/opt/support"]), foreign(SPIRE, RUNNER)] {
        assert_eq!(world.refused(&by(bob), bind(support, workload.clone())), "not_permitted");
        world.must(&ana, bind(support, workload.clone()));
        assert!(world.must(&ana, bind(support, workload.clone())).is_empty(), "twice is no error");
        let taken = world.refusal(&by(bob), bind(other, workload));
        assert!(taken.code == "workload_taken" && taken.sentence.contains("`support`"), "{taken}");
    }
    let turned = local(&["unix:path:/opt/support", "unix:uid:1000", "unix:uid:1000"]);
    assert_eq!(world.refused(&by(bob), bind(other, turned.clone())), "workload_taken", "in whatever order");
    assert_eq!(world.state.workload_of(SPIRE, RUNNER).unwrap().id, support);
    assert_eq!(world.state.local_workloads.len(), 1);
    world.must(&ana, unbind(support, turned.clone()));
    assert!(world.must(&ana, unbind(support, turned.clone())).is_empty(), "it is gone");
    world.must(&by(bob), bind(other, turned));
    assert_eq!(world.state.workloads_of(support), [foreign(SPIRE, RUNNER)]);
}

#[test]
fn selectors_describe_a_program_and_not_everything_a_person_runs() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let digest = format!("unix:sha256:{}", "ab".repeat(32));
    for good in [
        vec!["unix:path:/usr/bin/python3"],
        vec!["unix:cgroup:/system.slice/agent.service"],
        vec![digest.as_str(), "unix:uid:0"],
        vec!["unix:uid:998"],
        vec!["unix:uid:998", "unix:gid:998"],
    ] {
        world.must(&ana, bind(agent, local(&good)));
    }
    // Root is a person of this realm in every world, and everybody's on every machine.
    for wide in [vec!["unix:uid:0"], vec!["unix:gid:998"], vec!["unix:uid:0", "unix:gid:0"]] {
        assert_eq!(world.refused(&ana, bind(agent, local(&wide))), "selectors_too_wide", "{wide:?}");
    }
    for bad in [
        vec![],
        vec!["unix:uid:+7"],
        vec!["unix:uid:07"],
        vec!["unix:uid:4294967296"],
        vec!["unix:path:bin/x"],
        vec!["unix:path:/opt/../bin/x"],
        vec!["unix:path:/bin/x\n"],
        vec!["unix:sha256:AB"],
        vec!["unix:pid:7"],
        vec!["k8s:ns:default"],
        vec!["unix:path:/a", "unix:path:/b"],
    ] {
        assert_eq!(world.refused(&ana, bind(agent, local(&bad))), "bad_selector", "{bad:?}");
    }
}

#[test]
fn what_is_foreign_has_an_issuer_of_its_own() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    for (issuer, subject) in [
        ("spiffe://example.org", "spiffe://example.org/agent/support/production"),
        ("spiffe://EXAMPLE.org", "spiffe://EXAMPLE.org/x"),
        ("https://remit.example.org", "prs_1"),
        (SPIRE, "spiffe://build.example.org.evil.example/x"),
        (SPIRE, "/ci/runner"),
        ("https://ci.example.org", " "),
        ("https://ci.example .org", "job"),
        ("https://ci.example.org", "job\u{202e}"),
        ("ci.example.org", "job"),
        ("https://", "job"),
    ] {
        assert_eq!(world.refused(&ana, bind(agent, foreign(issuer, subject))), "bad_identity", "{issuer} {subject}");
    }
    world.must(&ana, bind(agent, foreign("https://ci.example.org", "repo:shop:environment:the shop")));
    assert!(world.state.workload_of("https://ci.example.org", "repo:shop:environment:the shop").is_some());
}

#[test]
fn an_agent_has_so_many_workloads_of_a_sort_and_no_more() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    for number in 0..limits::AGENT_WORKLOADS_MAX {
        world.must(&ana, bind(agent, local(&[&format!("unix:path:/opt/{number}")])));
    }
    assert_eq!(world.refused(&ana, bind(agent, local(&["unix:path:/opt/more"]))), "too_many_workloads");
    world.must(&ana, bind(agent, foreign(SPIRE, RUNNER)));
}

#[test]
fn an_unknown_workload_arrives_once_and_can_do_nothing() {
    let mut world = World::with_support();
    let agent = arrived(&mut world, SPIRE, RUNNER);
    assert!(world.must(&Actor::Remit, arrive(SPIRE, RUNNER)).is_empty(), "it is here already");
    let record = world.state.agent(agent).unwrap().clone();
    let digits = record.name.strip_prefix("arrived-").unwrap();
    assert!(digits.len() == 8 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')), "{digits}");
    assert_eq!((record.status, record.profile.owner), (AgentStatus::Quarantined, None));
    let refusal = world.refusal(&by(world.root), Command::StartTask(Box::new(work(agent))));
    assert!(refusal.code == "agent_quarantined" && refusal.sentence.contains("nobody answers for it yet"), "{refusal}");
    let alone = Actor::Agent { agent, task: None };
    assert_eq!(world.refused(&alone, Command::StartTask(Box::new(work(agent)))), "agent_quarantined");
    assert_eq!(world.refused(&by(world.root), Command::ResumeAgent { agent }), "agent_quarantined");
    assert_eq!(world.refused(&by(world.root), arrive(SPIRE, "spiffe://build.example.org/x")), "not_permitted");
}

#[test]
fn an_administrator_says_who_answers_for_what_arrived() {
    let mut world = World::with_support();
    let (agent, ana, root) = (arrived(&mut world, SPIRE, RUNNER), world.named("ana"), by(world.root));
    let describe = |profile: AgentProfile| Command::DescribeAgent { agent, profile: Box::new(profile) };
    let profile = world.profile(ana);
    assert_eq!(world.refused(&by(ana), describe(profile.clone())), "not_permitted");
    assert_eq!(world.refused(&root, Command::ActivateAgent { agent }), "agent_incomplete");
    world.must(&root, describe(AgentProfile { purpose: String::new(), ..profile.clone() }));
    assert_eq!(world.refused(&by(ana), describe(profile.clone())), "not_permitted", "not even whoever was named");
    assert_eq!(world.refused(&by(ana), Command::ActivateAgent { agent }), "agent_incomplete");
    world.must(&root, describe(profile));
    world.must(&by(ana), Command::ActivateAgent { agent });
    assert!(world.state.quarantined.is_empty());
    assert_eq!(world.state.workload_of(SPIRE, RUNNER).unwrap().status, AgentStatus::Active);
    world.task(agent);
}

#[test]
fn what_was_ended_does_not_come_back_by_itself() {
    let mut world = World::with_support();
    let (agent, root) = (arrived(&mut world, SPIRE, RUNNER), by(world.root));
    let gone = world.must(&root, Command::DecommissionAgent { agent, reason: "nobody knows it".to_owned() });
    assert!(gone.contains(&Event::WorkloadUnbound { agent, workload: foreign(SPIRE, RUNNER) }), "{gone:?}");
    assert_eq!(world.refused(&Actor::Remit, arrive(SPIRE, RUNNER)), "workload_unbound");
    let support = world.support();
    world.must(&root, bind(support, foreign(SPIRE, RUNNER)));
    assert!(world.must(&Actor::Remit, arrive(SPIRE, RUNNER)).is_empty());
}

#[test]
fn only_so_many_wait_in_quarantine() {
    let mut world = World::with_support();
    for number in 0..limits::QUARANTINED_AGENTS_MAX {
        arrived(&mut world, SPIRE, &format!("{SPIRE}/{number}"));
    }
    let agents = world.state.agents.len();
    assert_eq!(world.refused(&Actor::Remit, arrive(SPIRE, RUNNER)), "too_many_arrivals");
    assert_eq!(world.state.agents.len(), agents);
    let agent = world.state.workload_of(SPIRE, &format!("{SPIRE}/0")).unwrap().id;
    world.must(&by(world.root), Command::DecommissionAgent { agent, reason: "unknown".to_owned() });
    arrived(&mut world, SPIRE, RUNNER);
}

#[test]
fn a_taken_name_is_made_longer() {
    let mut world = World::with_support();
    let digits = External::new(SPIRE, RUNNER).digest().to_string();
    let ana = world.named("ana");
    world.agent(&format!("arrived-{}", &digits[..8]), ana);
    let agent = arrived(&mut world, SPIRE, RUNNER);
    assert_eq!(world.state.agent(agent).unwrap().name, format!("arrived-{}", &digits[..16]));
}

#[test]
fn with_the_last_workload_ends_what_the_certificate_opened() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let (one, two) = (local(&["unix:path:/opt/support"]), foreign(SPIRE, RUNNER));
    world.must(&ana, bind(agent, one.clone()));
    world.must(&ana, bind(agent, two.clone()));
    let id = world.state.agent(agent).unwrap().spiffe_id("example.org");
    let certified = world.start(&ana, StartTask { key: Some(id), ..work(agent) });
    let bearer = world.task(agent);
    assert_eq!(world.must(&ana, unbind(agent, one)).len(), 1, "another workload still has the certificate");
    let events = world.must(&ana, unbind(agent, two));
    let ended: Vec<_> = events.iter().filter(|event| matches!(event, Event::TaskEnded { .. })).collect();
    assert_eq!(ended, [&Event::TaskEnded { agent, task: certified, reason: EndReason::KeyRevoked }]);
    assert!(world.state.task(bearer).unwrap().is_live());
}

#[test]
fn a_finer_identity_is_needed_for_more() {
    let ana = World::with_support().named("ana");
    let profile = |autonomy, data: &[crate::DataClass]| AgentProfile {
        autonomy,
        data_classes: data.to_vec(),
        ..World::with_support().profile(ana)
    };
    use crate::DataClass::{D0, D1, D3};
    assert_eq!(profile(Some(1), &[D0]).level_needed(), Level::Agent);
    assert_eq!(profile(Some(1), &[D0, D1]).level_needed(), Level::Environment);
    assert_eq!(profile(Some(3), &[D0]).level_needed(), Level::Environment);
    assert_eq!(profile(Some(4), &[D0]).level_needed(), Level::Task);
    assert_eq!(profile(Some(1), &[D3]).level_needed(), Level::Task);
    assert_eq!(profile(None, &[]).level_needed(), Level::Task, "what was not said counts as the most");
    assert!(Level::Agent < Level::Environment && Level::Environment < Level::Task);
}
