//! What must never happen to workloads, realm keys, standing tasks, findings and signals.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

#[derive(Default)]
pub(super) struct Trust {
    keys: BTreeMap<String, (KeyPurpose, KeyStep)>,
    /// Bound workloads, as they are written.
    workloads: BTreeMap<String, AgentId>,
    arrived: BTreeSet<(String, String)>,
    launches: BTreeMap<(i32, u64), TaskId>,
    accounts: BTreeMap<String, LegacyAccountOpened>,
    findings: BTreeMap<Digest, (FindingId, Option<Timestamp>)>,
    /// Tasks that something shared opens.
    shared: BTreeSet<TaskId>,
    links: BTreeMap<(String, String), PersonId>,
    signals: BTreeMap<(String, String), Timestamp>,
    /// The person whose access the command that is being read has ended, and whether it ended their agents.
    silenced: Option<(PersonId, bool)>,
}

fn written(workload: &WorkloadIdentity) -> String {
    serde_json::to_string(workload).unwrap()
}

impl Observer {
    /// Reads the next event, before anything else does.
    pub(super) fn see_trust(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::RealmKeyStepped(stepped) => {
                assert!(self.groups.contains_key(&stepped.accountable), "nobody answers for a key");
                self.trust.key_stepped(stepped);
            }
            Event::WorkloadBound { agent, workload } => {
                assert_ne!(self.agents[agent].1, AgentStatus::Decommissioned);
                assert!(self.trust.workloads.insert(written(workload), *agent).is_none(), "a workload is two agents");
            }
            Event::WorkloadUnbound { agent, workload } => {
                assert_eq!(self.trust.workloads.remove(&written(workload)), Some(*agent), "it was not bound");
            }
            Event::WorkloadArrived(arrived) => self.arrived(arrived),
            Event::LaunchAttested(attested) => {
                let task = &self.live(attested.task, at).started;
                assert_eq!((task.agent, task.run), (attested.agent, attested.run));
                let process = (attested.process.pid, attested.process.started_at_ticks);
                assert!(!self.trust.launches.contains_key(&process), "a process runs two tasks");
                assert!(self.trust.launches.values().all(|task| *task != attested.task), "a task is two processes");
                // The number of a process that is gone may be used again.
                self.trust.launches.retain(|(pid, _), _| *pid != process.0);
                self.trust.launches.insert(process, attested.task);
            }
            Event::SvidIssued(issued) => {
                assert_eq!(self.agents[&issued.agent].1, AgentStatus::Active, "an identity for who is not active");
                if let Some(task) = issued.task {
                    let task = &self.live(task, at).started;
                    assert_eq!((task.agent, Some(task.run)), (issued.agent, issued.run));
                    assert!(issued.expires_at <= task.expires_at, "an identity outlives its task");
                }
            }
            Event::TaskStarted(started) => self.standing_started(started, at),
            Event::TaskEnded { task, .. } => self.trust.launches.retain(|_, own| own != task),
            Event::ActionAllowed(allowed) => self.is_attributed(&allowed.facts),
            Event::ActionDenied(denied) => self.is_attributed(&denied.facts),
            Event::ApprovalRequested(requested) => self.is_attributed(&requested.facts),
            Event::FindingOpened(opened) => self.finding_opened(opened, at),
            Event::PersonRemoved { person } => self.trust.links.retain(|_, linked| linked != person),
            _ => self.trust.see(event, at),
        }
    }

    fn arrived(&mut self, arrived: &WorkloadArrived) {
        let workload = WorkloadIdentity::Foreign { issuer: arrived.issuer.clone(), subject: arrived.subject.clone() };
        assert!(self.trust.workloads.insert(written(&workload), arrived.agent).is_none(), "somebody knew it");
        let external = (arrived.issuer.clone(), arrived.subject.clone());
        assert!(self.trust.arrived.insert(external), "it had arrived before");
        let nobody = (AgentProfile::default(), AgentStatus::Quarantined);
        assert!(self.agents.insert(arrived.agent, nobody).is_none());
    }

    fn standing_started(&mut self, started: &TaskStarted, at: Timestamp) {
        let Some(via) = &started.via else { return };
        let same = |task: &SeenTask| task.started.agent == started.agent && task.started.via == started.via;
        assert!(!self.tasks.values().any(|task| !task.ended && same(task)), "two standing tasks through `{via}`");
        let level = if via.starts_with("legacy:") { Level::Agent } else { Level::Environment };
        assert!(self.agents[&started.agent].0.level_needed() <= level, "an identity that is too coarse");
        if let Some(name) = via.strip_prefix("legacy:") {
            let account = &self.trust.accounts[name];
            assert!(at < account.due_at && started.expires_at <= account.due_at, "an overdue account");
            assert!(account.workflows.values().any(|agent| *agent == started.agent), "it is not behind the account");
            self.trust.shared.insert(started.task);
        }
    }

    fn is_attributed(&self, facts: &ActionFacts) {
        let shared = self.trust.shared.contains(&facts.task);
        assert_eq!(facts.attribution == Attribution::Shared, shared, "who acted is not what is known");
    }

    fn finding_opened(&mut self, opened: &FindingOpened, at: Timestamp) {
        let before = self.trust.findings.insert(opened.credential, (opened.finding, None));
        let forgotten = |closed: Timestamp| at >= closed.plus_seconds(limits::ENDED_SECONDS_KEPT);
        let told = before.is_some_and(|(_, closed)| closed.is_none_or(|closed| !forgotten(closed)));
        assert!(!told, "a finding was told twice");
        let of_agent = |task: &SeenTask| task.started.agent == opened.agent && !task.ended;
        let tasks = self.tasks.iter().filter(|(id, task)| match opened.task {
            Some(one) => **id == one,
            None => of_agent(task),
        });
        self.trust.shared.extend(tasks.map(|(id, _)| *id));
    }

    /// What must hold after every command.
    pub(super) fn settle_trust(&mut self, state: &State) {
        for agent in self.trust.workloads.values() {
            assert_ne!(self.agents[agent].1, AgentStatus::Decommissioned, "a workload outlived its agent");
        }
        assert!(self.trust.launches.values().all(|task| !self.tasks[task].ended), "a launch outlived its task");
        let at_work = |launch: &Launch| state.task(launch.task).is_ok_and(|task| task.is_live());
        let at_work = state.launches.values().filter(|launch| at_work(launch)).count();
        assert_eq!(at_work, self.trust.launches.len());
        let Some((person, account)) = self.trust.silenced.take() else { return };
        assert!(state.sessions.values().all(|session| session.person != person), "a session outlived a signal");
        for task in self.tasks.values().filter(|task| !task.ended) {
            let started = &task.started;
            assert!(
                started.acting_for != Some(person) && started.started_by != Some(person),
                "a task outlived a signal"
            );
        }
        let goes_on = |(profile, status): &(AgentProfile, AgentStatus)| {
            profile.owner == Some(person) && *status == AgentStatus::Active
        };
        assert!(!account || !self.agents.values().any(goes_on), "an agent outlived its owner's account");
    }
}

impl Trust {
    fn see(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::LegacyAccountOpened(opened) => {
                assert!(at < opened.due_at && opened.due_at <= at.plus_seconds(limits::LEGACY_SECONDS_MAX));
                assert!(self.accounts.insert(opened.name.clone(), (**opened).clone()).is_none(), "opened twice");
            }
            Event::LegacyAccountClosed { name, .. } => {
                assert!(self.accounts.remove(name).is_some(), "closed twice");
            }
            Event::FindingClosed { finding, .. } => {
                let known = self.findings.values_mut().find(|(id, _)| id == finding).unwrap();
                assert!(known.1.replace(at).is_none(), "closed twice");
            }
            Event::PersonLinked { person, issuer, subject } => {
                let before = self.links.insert((issuer.clone(), subject.clone()), *person);
                assert!(before.is_none(), "an account elsewhere is two people");
            }
            Event::SignalReceived(received) => {
                let jti = (received.transmitter.clone(), received.jti.clone());
                let before = self.signals.insert(jti, at);
                let kept = |before: Timestamp| at < before.plus_seconds(limits::SIGNAL_SECONDS_KEPT);
                assert!(!before.is_some_and(kept), "a signal was acted on twice");
                let linked = self.links.get(&(received.issuer.clone(), received.subject.clone()));
                assert_eq!(linked, received.person.as_ref());
                let account = received.kind != SignalKind::SessionRevoked;
                self.silenced = received.person.map(|person| (person, account));
            }
            _ => {}
        }
    }

    fn key_stepped(&mut self, stepped: &RealmKeyStepped) {
        let before = self.keys.insert(stepped.key.clone(), (stepped.purpose, stepped.step));
        match before {
            None => assert!(stepped.public.is_some(), "a key that nobody can know"),
            Some((purpose, step)) => assert!(purpose == stepped.purpose && step < stepped.step, "a key went back"),
        }
        for purpose in [KeyPurpose::Token, KeyPurpose::Ca] {
            let active = self.keys.values().filter(|key| **key == (purpose, KeyStep::Active)).count();
            assert!(active <= 1, "two keys sign for one purpose");
        }
    }
}

/// What the state says in two places, it says alike.
pub(crate) fn trust_agrees(state: &State) {
    let waiting = state.agents.values().filter(|agent| agent.status == AgentStatus::Quarantined);
    assert_eq!(waiting.map(|agent| agent.id).collect::<BTreeSet<_>>(), state.quarantined.iter().copied().collect());
    let by_task: BTreeSet<_> = state.launches_by_task.iter().map(|(task, pid)| (*pid, *task)).collect();
    assert_eq!(state.launches.iter().map(|(pid, launch)| (*pid, launch.task)).collect::<BTreeSet<_>>(), by_task);
    let standing = state.standing_by_agent.values().flat_map(|own| own.values());
    let live = state.live_tasks().filter(|task| task.via.is_some()).map(|task| task.id);
    assert_eq!(standing.copied().collect::<BTreeSet<_>>(), live.collect());
    let findings: BTreeSet<_> = state.findings.values().map(|finding| (finding.credential, finding.id)).collect();
    assert_eq!(state.findings_by_credential.iter().map(|(of, id)| (*of, *id)).collect::<BTreeSet<_>>(), findings);
    let accounts: BTreeSet<_> = state.legacy_accounts.values().map(|account| (account.secret, &account.name)).collect();
    assert_eq!(state.legacy_by_secret.iter().map(|(secret, name)| (*secret, name)).collect::<BTreeSet<_>>(), accounts);
    assert!(state.people_by_external.values().all(|person| state.people.contains_key(person)));
}
