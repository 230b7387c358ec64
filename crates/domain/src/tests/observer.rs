//! Somebody who reads only the ledger, believes nothing else, and says what must never happen.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::{ActionAllowed, ActionFacts};
use crate::approval::ApprovalRequested;
use crate::grant::Grant;
use crate::task::TaskStarted;
use crate::*;

mod people;
mod trust;

pub(crate) use trust::trust_agrees;

use people::People;
use trust::Trust;

#[derive(Default)]
pub(crate) struct Observer {
    groups: BTreeMap<PersonId, Vec<String>>,
    agents: BTreeMap<AgentId, (AgentProfile, AgentStatus)>,
    tasks: BTreeMap<TaskId, SeenTask>,
    grants: BTreeMap<GrantId, Grant>,
    /// What tasks have asked for.
    asked: BTreeMap<GrantId, GrantRequest>,
    withdrawn: BTreeSet<OperationName>,
    /// Whether the connector that last had each name was for experiments.
    sandboxes: BTreeMap<String, bool>,
    /// Remit's own agent.
    built_in: Option<AgentId>,
    questions: BTreeMap<ApprovalId, Question>,
    open_actions: BTreeMap<ActionId, AgentId>,
    authors: BTreeMap<ChangeId, PersonId>,
    entries: BTreeMap<AgentId, u64>,
    trust: Trust,
    people: People,
}

struct SeenTask {
    started: TaskStarted,
    calls: u64,
    ended: bool,
}

struct Question {
    requested: ApprovalRequested,
    /// Who said yes, and the roles that they had by the ledger.
    yes: BTreeMap<PersonId, Vec<String>>,
    use_until: Option<Timestamp>,
    /// Answered with no, used, or over.
    closed: bool,
}

impl Observer {
    /// Reads the next event, and fails if it must not be there.
    pub(crate) fn see(&mut self, event: &Event, at: Timestamp) {
        self.see_trust(event, at);
        self.see_people(event, at);
        if let Some(agent) = event.agent() {
            *self.entries.entry(agent).or_default() += 1;
        }
        match event {
            Event::PersonAdded(added) => {
                self.groups.insert(added.person, added.groups.clone());
            }
            Event::PersonGroupsSet { person, groups } => {
                self.groups.insert(*person, groups.clone());
            }
            Event::PersonRemoved { person } => self.person_removed(*person),
            Event::ConnectorAdded(added) => {
                self.sandboxes.insert(added.name.clone(), added.sandbox);
            }
            Event::OperationApproved(approved) => {
                self.withdrawn.remove(&approved.name);
            }
            Event::OperationWithdrawn { operation, .. } => {
                self.withdrawn.insert(operation.clone());
            }
            Event::ChangeProposed(proposed) => {
                self.authors.insert(proposed.change, proposed.author);
            }
            Event::ChangeApproved { change, by } | Event::ChangeReviewed { change, by, .. } => {
                assert_ne!(self.authors.get(change), Some(by), "its author approved or reviewed a change");
            }
            Event::GrantRequested(request) => self.grant_requested(request, at),
            Event::GrantGiven(given) => self.grant_given(given, at),
            Event::GrantRevoked { agent, grant, .. } | Event::GrantExpired { agent, grant } => {
                assert_eq!(self.grants.remove(grant).map(|grant| grant.agent), Some(*agent), "a grant ends once");
            }
            _ => self.see_agent(event, at),
        }
    }

    fn see_agent(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::AgentRegistered(registered) => {
                if registered.name == SANDBOX {
                    assert!(
                        self.built_in.replace(registered.agent).is_none(),
                        "Remit's own agent was registered twice"
                    );
                }
                self.agents.insert(registered.agent, (registered.profile.clone(), AgentStatus::Draft));
            }
            Event::AgentDescribed { agent, profile } => self.agents.get_mut(agent).unwrap().0 = (**profile).clone(),
            Event::AgentActivated { agent } | Event::AgentResumed { agent } => {
                let (profile, status) = self.agents.get_mut(agent).unwrap();
                assert!(
                    matches!(status, AgentStatus::Draft | AgentStatus::Quarantined | AgentStatus::Suspended),
                    "{status:?} became active"
                );
                assert!(profile.owner.is_some_and(|owner| self.groups.contains_key(&owner)), "active without an owner");
                assert!(profile.review_at.is_some_and(|review| at < review), "active past its review");
                *status = AgentStatus::Active;
            }
            Event::AgentSuspended { agent, .. } => self.agents.get_mut(agent).unwrap().1 = AgentStatus::Suspended,
            Event::AgentDecommissioned { agent, .. } => {
                self.agents.get_mut(agent).unwrap().1 = AgentStatus::Decommissioned;
            }
            Event::TaskStarted(started) => self.task_started(started, at),
            Event::TokenIssued { agent, task, expires_at, bound_to, .. } => {
                let task = self.live(*task, at);
                assert_eq!(*agent, task.started.agent);
                assert_eq!(*bound_to, task.started.key);
                assert!(*expires_at <= task.started.expires_at, "a token outlives its task");
            }
            Event::TaskEnded { agent, task, .. } => {
                let task = self.tasks.get_mut(task).unwrap();
                assert_eq!(task.started.agent, *agent);
                assert!(!std::mem::replace(&mut task.ended, true), "a task ended twice");
            }
            Event::ActionAllowed(allowed) => self.action_allowed(allowed, at),
            Event::ActionDenied(denied) => self.facts_are_those_of_the_task(&denied.facts),
            Event::OutcomeRecorded(recorded) => {
                let agent = self.open_actions.remove(&recorded.action);
                assert_eq!(agent, Some(recorded.agent), "an outcome is recorded once, of what was allowed");
            }
            _ => self.see_approval(event, at),
        }
    }

    fn see_approval(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::ApprovalRequested(requested) => {
                self.facts_are_those_of_the_task(&requested.facts);
                let task = self.live(requested.facts.task, at);
                assert!(requested.expires_at <= task.started.expires_at, "a question outlives its task");
                assert_eq!(requested.digest, requested.facts.digest());
                let question =
                    Question { requested: (**requested).clone(), yes: BTreeMap::new(), use_until: None, closed: false };
                assert!(
                    self.questions.insert(requested.approval, question).is_none(),
                    "an approval's id was given twice"
                );
            }
            Event::ApprovalVoted { agent, approval, vote } => self.voted(*agent, *approval, vote, at),
            Event::ApprovalGranted { approval, use_until, .. } => {
                let question = self.question(*approval, at);
                assert!(question.use_until.is_none() && question.is_satisfied(), "granted without everybody needed");
                question.use_until = Some(*use_until);
            }
            Event::ApprovalDenied { approval, by, .. } => {
                assert!(self.groups.contains_key(by), "nobody said no");
                self.question(*approval, at).closed = true;
            }
            Event::ApprovalExpired { agent, approval } => {
                let question = self.questions.get_mut(approval).unwrap();
                assert_eq!(question.requested.facts.agent, *agent);
                assert!(!std::mem::replace(&mut question.closed, true), "an approval ended twice");
                assert!(!self.tasks[&question.requested.facts.task].ended, "expired after its task had voided it");
            }
            _ => {}
        }
    }

    /// What must hold after every command.
    pub(crate) fn settle(&mut self, state: &State) {
        self.settle_trust(state);
        self.settle_people(state);
        for (id, task) in self.tasks.iter().filter(|(_, task)| !task.ended) {
            assert!(state.task(*id).is_ok_and(|task| task.is_live()), "a live task was forgotten");
            let started = &task.started;
            assert_eq!(
                self.agents[&started.agent].1,
                AgentStatus::Active,
                "a live task of an agent that is not active"
            );
            for person in started.acting_for.iter().chain(&started.started_by) {
                assert!(self.groups.contains_key(person), "a live task of a person who is gone");
            }
            assert!(started.parent.is_none_or(|parent| !self.tasks[&parent].ended), "a sub-task outlived its parent");
        }
        assert!(self.groups.values().any(|groups| groups.iter().any(|group| group == "administrators")));
        for (profile, status) in self.agents.values().filter(|(_, status)| *status != AgentStatus::Decommissioned) {
            let owner = profile.owner.is_none_or(|owner| self.groups.contains_key(&owner));
            assert!(owner, "an orphan: {status:?} agent without its owner");
        }
        for grant in self.grants.values() {
            assert_ne!(self.agents[&grant.agent].1, AgentStatus::Decommissioned, "a grant outlived its agent");
            assert!(grant.task.is_none_or(|task| !self.tasks[&task].ended), "a grant outlived its task");
        }
    }

    /// How many entries each agent has.
    pub(crate) fn entries(&self) -> &BTreeMap<AgentId, u64> {
        &self.entries
    }

    fn live(&self, id: TaskId, at: Timestamp) -> &SeenTask {
        let task = &self.tasks[&id];
        assert!(!task.ended, "`{id}` had ended");
        assert!(at < task.started.expires_at, "the time of `{id}` was over");
        assert_eq!(self.agents[&task.started.agent].1, AgentStatus::Active, "its agent was not active");
        task
    }

    fn question(&mut self, id: ApprovalId, at: Timestamp) -> &mut Question {
        let question = self.questions.get_mut(&id).unwrap();
        assert!(!question.closed && at < question.requested.expires_at, "`{id}` was no longer open");
        assert!(!self.tasks[&question.requested.facts.task].ended, "`{id}` was void: its task had ended");
        question
    }

    fn person_removed(&mut self, person: PersonId) {
        assert!(self.groups.remove(&person).is_some(), "a person is removed once");
    }

    fn grant_given(&mut self, given: &Grant, at: Timestamp) {
        let (profile, status) = &self.agents[&given.agent];
        assert_ne!(*status, AgentStatus::Decommissioned);
        assert_ne!(given.requested_by, Some(given.approved_by), "approved by who asked");
        assert_ne!(given.requested_by.is_some(), given.task.is_some(), "asked for by a person, or under a task");
        if let Some(task) = given.task {
            self.access_given(given, task, at);
        }
        assert!(profile.owner == Some(given.approved_by) || profile.approvers.contains(&given.approved_by));
        assert!(at < given.expires_at && given.expires_at <= at.plus_seconds(limits::GRANT_SECONDS_MAX));
        assert!(self.grants.insert(given.id, given.clone()).is_none(), "a grant is given once");
    }

    /// A task asks for nothing that it, or what it comes from, was not started for.
    fn grant_requested(&mut self, request: &GrantRequest, at: Timestamp) {
        let Some(task) = request.task else { return };
        assert_eq!((self.live(task, at).started.agent, request.requested_by), (request.agent, None));
        for pattern in &request.operations {
            assert!(pattern.connector().is_none(), "a task asked for all of a connector");
            for above in self.lineage(task) {
                let covers = |patterns: &[OperationPattern]| patterns.iter().any(|own| own.contains(pattern));
                let parts = above.authority.iter().any(|authority| covers(&authority.operations));
                let within = above.scope.is_empty() || covers(&above.scope);
                assert!(
                    within && (above.authority.is_empty() || parts),
                    "a task asked for more than it was started for"
                );
            }
        }
        assert!(self.asked.insert(request.id, request.clone()).is_none(), "a request's id was given twice");
    }

    /// Given by somebody who approves for everybody concerned, and neither began the work nor has it done in their name.
    fn access_given(&self, given: &Grant, task: TaskId, at: Timestamp) {
        let asked = &self.asked[&given.id];
        assert_eq!((asked.task, &asked.operations, asked.agent), (Some(task), &given.operations, given.agent));
        assert!(given.expires_at <= self.live(task, at).started.expires_at, "a grant outlives its task");
        for above in self.lineage(task) {
            let (by, profile) = (given.approved_by, &self.agents[&above.agent].0);
            assert!(above.started_by != Some(by) && above.acting_for != Some(by), "given by who it is for");
            assert!(profile.owner == Some(by) || profile.approvers.contains(&by), "given past the approvers above");
        }
    }

    /// A task and all above it.
    fn lineage(&self, task: TaskId) -> impl Iterator<Item = &TaskStarted> {
        let above = |started: &&TaskStarted| started.parent.map(|parent| &self.tasks[&parent].started);
        std::iter::successors(Some(&self.tasks[&task].started), above)
    }

    fn task_started(&mut self, started: &TaskStarted, at: Timestamp) {
        assert_eq!(self.agents[&started.agent].1, AgentStatus::Active, "started for an agent that is not active");
        assert!(at < started.expires_at);
        if let Some(parent) = started.parent {
            let parent = &self.live(parent, at).started;
            let same = started.agent == parent.agent;
            assert_eq!(same, started.run == parent.run, "a delegate works in a run of its own");
            assert_eq!(started.acting_for, parent.acting_for, "a sub-task acts for somebody else");
            assert_eq!(same, started.key == parent.key, "a delegate proves a key of its own");
            assert!(started.expires_at <= parent.expires_at, "a sub-task lives longer");
            assert!(started.budget.calls_max <= parent.budget.calls_max, "a sub-task may do more");
            for name in ["helpdesk/read", "helpdesk/update", "helpdesk/refund", "helpdesk/mail", "billing/read"] {
                let covers = |scope: &[OperationPattern]| {
                    scope.is_empty() || scope.iter().any(|pattern| pattern.covers(&super::world::operation(name)))
                };
                assert!(covers(&parent.scope) || !covers(&started.scope), "a sub-task reaches further: `{name}`");
            }
        }
        let seen = SeenTask { started: started.clone(), calls: 0, ended: false };
        assert!(self.tasks.insert(started.task, seen).is_none(), "a task's id was given twice");
    }

    fn facts_are_those_of_the_task(&self, facts: &ActionFacts) {
        let started = &self.tasks[&facts.task].started;
        assert_eq!((facts.agent, facts.run, facts.acting_for), (started.agent, started.run, started.acting_for));
    }

    fn action_allowed(&mut self, allowed: &ActionAllowed, at: Timestamp) {
        let (facts, operation) = (&allowed.facts, &allowed.facts.operation);
        self.facts_are_those_of_the_task(facts);
        let scope = &self.live(facts.task, at).started.scope;
        assert!(scope.is_empty() || scope.iter().any(|pattern| pattern.covers(operation)), "outside the task's scope");
        assert!(!self.withdrawn.contains(operation), "a withdrawn operation");
        let experiment = self.stays_on_its_side(facts);
        match allowed.grant.and_then(|grant| self.grants.get(&grant)) {
            Some(grant) => {
                assert!(grant.agent == facts.agent && grant.covers(operation, at), "the grant does not cover it");
                assert!(grant.task.is_none_or(|task| task == facts.task), "the grant is for another task");
            }
            None => assert!(experiment, "allowed without a live grant"),
        }
        let mut above = self.tasks[&facts.task].started.parent;
        while let Some(task) = above {
            let delegator = &self.tasks[&task].started;
            let granted = |grant: &Grant| {
                let own = delegator.agent == facts.agent && grant.task == Some(facts.task);
                grant.agent == delegator.agent && (own || grant.task.is_none()) && grant.covers(operation, at)
            };
            let granted = self.grants.values().any(granted);
            assert!(granted || experiment, "an agent passed on what it was not granted itself");
            above = delegator.parent;
        }
        assert_eq!(allowed.digest, facts.digest());
        match allowed.approval {
            Some(approval) => self.approval_used(allowed, approval, at),
            None => assert_ne!(operation.as_str(), "helpdesk/refund", "high risk without an approval"),
        }
        let mut next = Some(facts.task);
        while let Some(id) = next {
            let task = self.tasks.get_mut(&id).unwrap();
            task.calls += 1;
            assert!(task.calls <= task.started.budget.calls_max, "beyond the budget of `{id}`");
            next = task.started.parent;
        }
        assert!(self.open_actions.insert(allowed.action, facts.agent).is_none(), "an action's id was given twice");
    }

    /// Fails if the action crosses the border of the sandbox; says whether it lies within.
    fn stays_on_its_side(&self, facts: &ActionFacts) -> bool {
        let marked = self.sandboxes.get(facts.operation.connector()).is_some_and(|sandbox| *sandbox);
        let environment = self.agents[&facts.agent].0.environment;
        assert!(!marked || environment == Some(Environment::Sandbox), "a sandbox was reached from outside");
        assert!(marked || self.built_in != Some(facts.agent), "Remit's own agent left the sandbox");
        marked
    }

    fn approval_used(&mut self, allowed: &ActionAllowed, approval: ApprovalId, at: Timestamp) {
        let question = self.questions.get_mut(&approval).unwrap();
        assert_eq!(question.requested.digest, allowed.digest, "approved was something else");
        assert!(question.use_until.is_some_and(|use_until| at < use_until), "not approved, or too long ago");
        assert!(!std::mem::replace(&mut question.closed, true), "an approval was used after its end");
        assert!(
            question.yes.keys().all(|person| self.groups.contains_key(person)),
            "a yes of somebody who left counted"
        );
        if allowed.facts.operation.as_str() == "helpdesk/refund" {
            assert!(question.yes.values().flatten().any(|role| role == "owner"), "the owner was not asked");
        }
    }

    fn roles(&self, agent: AgentId, person: PersonId) -> Vec<String> {
        let groups = self.groups.get(&person).expect("somebody who is not there voted").clone();
        let profile = &self.agents[&agent].0;
        let owner = (profile.owner == Some(person)).then(|| "owner".to_owned());
        let approver = profile.approvers.contains(&person).then(|| "approver".to_owned());
        groups.into_iter().chain(owner).chain(approver).collect()
    }

    fn voted(&mut self, agent: AgentId, approval: ApprovalId, vote: &Vote, at: Timestamp) {
        let mut roles = self.roles(agent, vote.person);
        for absent in &vote.deputy_of {
            let theirs = self.deputised(approval, vote.person, *absent, agent, at);
            roles.extend(theirs.into_iter().filter(|role| !roles.contains(role)).collect::<Vec<_>>());
        }
        assert_eq!(roles, vote.roles, "the vote claims other roles");
        self.signed(approval, vote);

        let task = self.questions[&approval].requested.facts.task;
        let started = &self.live(task, at).started;
        assert_ne!(started.started_by, Some(vote.person), "approved by who started the task");
        assert_ne!(started.acting_for, Some(vote.person), "approved by the person acted for");
        let question = self.question(approval, at);
        assert_eq!(question.requested.facts.agent, agent);
        assert_eq!(question.requested.digest, vote.digest, "shown was something else");
        let asked = question.requested.ask.approvers.iter().flatten().any(|role| roles.contains(role));
        assert!(asked, "approved by somebody who was not asked");
        assert!(question.yes.insert(vote.person, roles).is_none(), "the same person counted twice");
    }
}

impl Question {
    fn is_satisfied(&self) -> bool {
        let ask = &self.requested.ask;
        let each = ask.approvers.iter().all(|any_of| self.yes.values().flatten().any(|role| any_of.contains(role)));
        each && !self.yes.is_empty() && self.yes.len() >= ask.quorum as usize
    }
}
