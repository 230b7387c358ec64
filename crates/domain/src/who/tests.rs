mod estates;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::held::Held;
use super::inquiry::Inquiry;
use super::*;
use crate::tests::world::{DAY, World, by, operation, pattern, propose, tool};
use crate::{
    AddConnector, Agent, AgentId, Command, Configuration, ConnectorSpec, DataClass, Edit, Environment, PolicyEdit,
    State, Timestamp, Verb, facts, limits,
};
use estates::Estate;

/// Everything that `walk` finds.
pub(super) fn all<W: Walk>(mut walk: W) -> Vec<W::Found> {
    let (mut found, mut asked) = (Vec::new(), 0);
    while let Some(step) = walk.step() {
        asked += 1;
        found.extend(step);
    }
    assert_eq!(asked, walk.total(), "each is asked once");
    found
}

/// Who can call `name`, by name, and whether always.
fn callers(state: &State, name: &str, now: Timestamp) -> BTreeMap<String, Reachable> {
    let found = all(who_can_call(state, &operation(name), None, now).unwrap());
    found.iter().map(|caller| (caller.agent.name.clone(), caller.reaches[0].prospect.reachable)).collect()
}

/// The rules that keep the operation `name` out of the reach of `agent`, looked for in this one case.
fn bars(estate: &Estate, agent: &Agent, name: &OperationName) -> Vec<String> {
    let inquiry = Inquiry::of(&estate.state, estate.now).unwrap();
    let (subject, target) = (inquiry.subject(agent), inquiry.target(&estate.state.operations[name]));
    let held = Held::by(&estate.state, agent.id, estate.now);
    let grant = held.covering(name).map(|grant| facts::grant_facts(grant, name));
    inquiry.barring(&subject, &target, grant.as_ref()).into_iter().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn who_can_call_is_what_asking_every_agent_gives(seed in any::<u64>()) {
        let estate = Estate::random(seed);
        for name in estate.operations() {
            let expected = estate.callers_one_by_one(&name);
            let found = all(who_can_call(&estate.state, &name, None, estate.now).unwrap());
            let reached = found.iter().map(|caller| {
                let reached = &caller.reaches[0];
                (caller.agent.id, (reached.prospect.reachable, reached.grant))
            });
            prop_assert_eq!(reached.collect::<BTreeMap<_, _>>(), expected, "{} under {}", name, estate.policies);
        }
    }

    #[test]
    fn what_is_foreseen_for_an_agent_is_what_it_reaches(seed in any::<u64>()) {
        let estate = Estate::random(seed);
        let active = estate.state.agents.values().filter(|agent| agent.must_be_active().is_ok());
        for agent in active {
            let foreseen = foresee(&estate.state, agent.id, estate.now).unwrap();
            let names: Vec<_> = foreseen.iter().map(|one| one.operation.clone()).collect();
            prop_assert_eq!(names, estate.operations());
            let reached: BTreeSet<_> = all(what_agent_reaches(&estate.state, agent.id, None, estate.now).unwrap())
                .into_iter().map(|reached| reached.operation).collect();
            for one in foreseen {
                let is_denied = one.foresight == Foresight::Deny;
                prop_assert_eq!(!is_denied, reached.contains(&one.operation), "{:?} under {}", one, estate.policies);
                // A denial says why, and by which line where a rule does it.
                prop_assert!(!is_denied || one.reason.is_some() || !one.rules.is_empty(), "{:?}", one);
                prop_assert!(!is_denied || one.rules.iter().all(|rule| rule.effect == "forbid"), "{:?}", one);
                if is_denied && one.reason.as_ref().is_none_or(|reason| reason.starts_with("no rule permits")) {
                    let rules: Vec<String> = one.rules.into_iter().map(|rule| rule.id).collect();
                    prop_assert_eq!(rules, bars(&estate, agent, &one.operation), "{}", one.operation);
                }
            }
        }
    }

    #[test]
    fn who_can_see_is_whoever_can_call_something_of_the_class(seed in any::<u64>()) {
        let estate = Estate::random(seed);
        for data in [DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3] {
            let touching = estate.operations().into_iter().filter(|name| estate.state.operations[name].data >= data);
            let touching: BTreeSet<_> = touching.collect();
            let expected: BTreeSet<AgentId> =
                touching.iter().flat_map(|name| estate.callers_one_by_one(name).into_keys()).collect();
            let found = all(who_can_see(&estate.state, data, None, estate.now).unwrap());
            for caller in &found {
                let names: BTreeSet<_> = caller.reaches.iter().map(|reached| reached.operation.clone()).collect();
                prop_assert!(names.len() == caller.reaches.len() && names.is_subset(&touching));
                prop_assert!(caller.more || caller.reaches.len() < limits::WHO_EXAMPLES || touching.len() == 1);
            }
            prop_assert_eq!(found.iter().map(|caller| caller.agent.id).collect::<BTreeSet<_>>(), expected);
        }
    }

    #[test]
    fn what_an_agent_and_a_person_reach_is_what_asking_for_every_operation_gives(seed in any::<u64>()) {
        let estate = Estate::random(seed);
        let mut by_agent: BTreeMap<AgentId, BTreeMap<OperationName, Reachable>> = BTreeMap::new();
        for name in estate.operations() {
            for (agent, (reachable, _)) in estate.callers_one_by_one(&name) {
                by_agent.entry(agent).or_default().insert(name.clone(), reachable);
            }
        }
        for agent in estate.state.agents.keys() {
            let found = all(what_agent_reaches(&estate.state, *agent, None, estate.now).unwrap());
            let found: BTreeMap<_, _> = found.into_iter().map(|it| (it.operation, it.prospect.reachable)).collect();
            prop_assert_eq!(found, by_agent.get(agent).cloned().unwrap_or_default());
        }
        for person in estate.state.people.values() {
            let through = |agent: &&AgentId| {
                people_through(&estate.state, &estate.state.agents[*agent]).0.iter().any(|it| it.person == person.id)
            };
            let mut expected: BTreeMap<OperationName, usize> = BTreeMap::new();
            for name in by_agent.keys().filter(through).flat_map(|agent| by_agent[agent].keys()) {
                if person.is_entitled(name) != Some(true) {
                    *expected.entry(name.clone()).or_default() += 1;
                }
            }
            let found = all(what_person_reaches(&estate.state, person.id, None, estate.now).unwrap());
            let found: BTreeMap<_, _> = found.into_iter().map(|it| (it.operation, it.agents)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_tool_that_the_approved_configuration_does_not_give_is_out_of_reach() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    assert!(callers(&world.state, "helpdesk/update", world.now).contains_key("support"));
    let configuration = Some(Configuration { tools: vec![pattern("helpdesk/read")], ..Configuration::default() });
    let root = by(world.root);
    world.must(&root, propose(vec![Edit::Configuration { agent, configuration }]));
    assert!(!callers(&world.state, "helpdesk/update", world.now).contains_key("support"));
    assert!(callers(&world.state, "helpdesk/read", world.now).contains_key("support"));
    let names = |found: Vec<OperationName>| found.iter().map(ToString::to_string).collect::<Vec<_>>();
    let reached = all(what_agent_reaches(&world.state, agent, None, world.now).unwrap());
    assert_eq!(names(reached.into_iter().map(|it| it.operation).collect()), ["helpdesk/read"]);
    let beyond = all(what_person_reaches(&world.state, ana, None, world.now).unwrap());
    assert_eq!(names(beyond.into_iter().map(|it| it.operation).collect()), ["helpdesk/read"]);
}

#[test]
fn what_somebody_else_enforces_is_said_to_be() {
    let mut world = World::with_support();
    let (agent, root) = (world.support(), by(world.root));
    let spec = ConnectorSpec::Elsewhere { subjects: Vec::new(), resources: Vec::new(), trusts_properties: false };
    let add = AddConnector { name: "todo".to_owned(), owner: None, spec, sandbox: false };
    world.must(&root, Command::AddConnector(Box::new(add)));
    let connector = world.state.connector_named("todo").unwrap().id;
    let choices = vec![tool("can_read", Verb::Read, 0, &json!({}))];
    world.must(&root, Command::ApproveOperations { connector, choices });
    world.grant(agent, &["todo/*"]);
    let reached = all(what_agent_reaches(&world.state, agent, None, world.now).unwrap());
    let elsewhere = |name: &str| reached.iter().find(|it| it.operation == operation(name)).unwrap().enforced_elsewhere;
    assert_eq!((elsewhere("todo/can_read"), elsewhere("helpdesk/read")), (true, false));
}
