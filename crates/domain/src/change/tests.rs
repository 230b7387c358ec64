use serde_json::json;

use super::*;
use crate::tests::world::{BEGINNING, DAY, HOUR, World, by, helpdesk, operation, pattern, policy, propose, tool};
use crate::{
    ADMINISTRATORS, Absence, AddConnector, AddPerson, AgentId, Command, Configuration, ConnectorSpec, PersonId,
    SignInMethod, Verb,
};

const NO_UPDATE: &str = "@id(\"no-update\") forbid (principal, action == Action::\"helpdesk/update\", resource);";

/// The help desk after its founding: `eve` is a second administrator.
fn founded() -> (World, PersonId) {
    let mut world = World::with_support();
    let eve = world.person("eve", &[ADMINISTRATORS]);
    (world, eve)
}

fn approve(change: ChangeId) -> Command {
    Command::ApproveChange { change }
}

/// The one change that `events` propose.
fn proposed(events: &[Event]) -> ChangeId {
    let mut found = events.iter().filter_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    found.next().unwrap_or_else(|| panic!("nothing was proposed: {events:?}"))
}

fn add_connector(name: &str, url: &str) -> AddConnector {
    let spec = ConnectorSpec::Http { url: url.to_owned() };
    AddConnector { name: name.to_owned(), owner: None, spec, sandbox: false }
}

/// One edit of each artefact, as `root` may propose them.
fn one_of_each(world: &World) -> Vec<Edit> {
    let (agent, bob) = (world.support(), world.named("bob"));
    let operation = OperationEdit { connector: world.helpdesk(), choice: tool("read", Verb::Read, 2, &json!({})) };
    vec![
        policy("mail", Some(NO_UPDATE)),
        Edit::Connector(Box::new(add_connector("billing", "https://billing.example.org/mcp"))),
        Edit::Operation(Box::new(operation)),
        Edit::Groups { person: bob, groups: vec!["leads".to_owned(), "finance".to_owned()] },
        Edit::Approvers { agent, owner: bob, approvers: vec![bob] },
        Edit::Entitlements { person: bob, operations: Some(vec![pattern("helpdesk/read")]) },
        absence(bob, world.named("ana"), 0, DAY),
        Edit::Configuration { agent, configuration: Some(Configuration::default()) },
    ]
}

#[test]
fn no_artefact_is_changed_by_one_person_alone() {
    let (beginning, eve) = founded();
    let root = beginning.root;
    for edit in one_of_each(&beginning) {
        let mut world = beginning.clone();
        let change = proposed(&world.must(&by(root), propose(vec![edit.clone()])));
        assert_eq!(world.refused(&by(root), approve(change)), "self_approval", "{edit:?}");
        assert_eq!(world.refused(&by(world.named("cleo")), approve(change)), "not_an_approver", "{edit:?}");
        let events = world.must(&by(eve), approve(change));
        assert!(matches!(events.as_slice(), [Event::ChangeApproved { .. }, _]), "{events:?}");
        assert_eq!(world.refused(&by(eve), approve(change)), "not_found");
    }
}

#[test]
fn the_deeds_come_out_as_proposals_once_somebody_else_could_approve() {
    let (mut world, eve) = founded();
    let root = by(world.root);
    let change = proposed(&world.must(&root, Command::AddConnector(Box::new(add_connector("billing", "https://b/")))));
    assert!(world.state.connector_named("billing").is_err());
    world.must(&by(eve), approve(change));
    let connector = world.state.connector_named("billing").unwrap();
    assert_eq!((connector.owner, connector.name.as_str()), (world.root, "billing"), "its author's, not the approver's");

    let connector = connector.id;
    let change = proposed(&world.must(&root, Command::ApproveOperations { connector, choices: helpdesk() }));
    assert!(world.state.operation(&operation("billing/read")).is_err());
    world.must(&by(eve), approve(change));
    assert_eq!(world.state.operation(&operation("billing/read")).unwrap().approved_by, eve);

    let add = AddPerson { name: "max".to_owned(), groups: vec!["finance".to_owned()] };
    let change = proposed(&world.must(&root, Command::AddPerson(add)));
    assert!(world.state.person_named("max").unwrap().groups.is_empty(), "a person, and nothing more yet");
    world.must(&by(eve), approve(change));
    assert!(world.state.person_named("max").unwrap().in_group("finance"));

    let (agent, bob) = (world.support(), world.named("bob"));
    let profile = crate::AgentProfile {
        approvers: vec![bob],
        purpose: "answers all".to_owned(),
        ..world.profile(world.named("ana"))
    };
    let change = proposed(&world.must(&root, Command::DescribeAgent { agent, profile: Box::new(profile) }));
    let known = &world.state.agent(agent).unwrap().profile;
    assert_eq!((known.purpose.as_str(), known.approvers.contains(&bob)), ("answers all", false));
    world.must(&by(eve), approve(change));
    assert!(world.state.agent(agent).unwrap().profile.approvers.contains(&bob));
}

#[test]
fn taking_something_away_is_done_at_once() {
    let (mut world, _) = founded();
    let (root, bob) = (by(world.root), world.named("bob"));
    let events = world.must(&root, Command::SetPersonGroups { person: bob, groups: Vec::new() });
    assert!(matches!(events.as_slice(), [Event::PersonGroupsSet { .. }]), "{events:?}");
    let events = world.must(&root, Command::RemoveConnector { connector: world.helpdesk() });
    assert!(matches!(events.last(), Some(Event::ConnectorRemoved { .. })));
}

#[test]
fn the_founding_is_over_for_ever() {
    let mut world = World::new();
    assert!(world.state.is_founding());
    let root = by(world.root);
    assert!(matches!(
        world
            .must(
                &root,
                propose(vec![policy(
                    "x",
                    Some("@id(\"x\") forbid (principal in Class::\"read\", action in Action::\"write\", resource);")
                )])
            )
            .as_slice(),
        [Event::PolicyActivated { change: None, .. }]
    ));
    let eve = world.person("eve", &[ADMINISTRATORS]);
    assert!(!world.state.is_founding());
    world.must(&root, Command::RemovePerson { person: eve });
    assert!(!world.state.is_founding(), "with one administrator left as well");
    let change = proposed(&world.must(&root, Command::AddConnector(Box::new(add_connector("billing", "https://b/")))));
    assert_eq!(world.refused(&root, approve(change)), "self_approval");
}

#[test]
fn nobody_approves_what_gives_something_to_themselves() {
    let (mut world, eve) = founded();
    let (root, agent) = (by(world.root), world.support());
    let edits = [
        Edit::Groups { person: eve, groups: vec![ADMINISTRATORS.to_owned(), "finance".to_owned()] },
        Edit::Entitlements { person: eve, operations: None },
        Edit::Approvers { agent, owner: world.named("ana"), approvers: vec![eve] },
    ];
    for edit in edits {
        let change = proposed(&world.must(&root, propose(vec![edit.clone()])));
        assert_eq!(world.refused(&by(eve), approve(change)), "not_an_approver", "{edit:?}");
    }
}

#[test]
fn what_changed_meanwhile_makes_a_proposal_stale() {
    let (beginning, eve) = founded();
    let root = by(beginning.root);
    for edit in one_of_each(&beginning).into_iter().filter(|edit| !matches!(edit, Edit::Connector(_))) {
        let mut world = beginning.clone();
        let first = proposed(&world.must(&root, propose(vec![edit.clone()])));
        let second = proposed(&world.must(&root, propose(vec![edit.clone()])));
        world.must(&by(eve), approve(first));
        assert_eq!(world.refused(&by(eve), approve(second)), "change_stale", "{edit:?}");
    }
}

#[test]
fn an_emergency_is_active_at_once_and_two_others_look_at_it() {
    let (mut world, eve) = founded();
    let (root, task) = (by(world.root), world.task(world.support()));
    let emergency = |edits| Command::EmergencyChange { edits, reason: "mail is being abused".to_owned() };
    let events = world.must(&root, emergency(vec![policy("mail", Some(NO_UPDATE))]));
    let change = proposed(&events);
    assert_eq!(world.call(task, "helpdesk/update", json!({"id": 7})).denied().determining, ["no-update"]);
    let review = |upheld| Command::ReviewChange { change, upheld, note: String::new() };
    assert_eq!(world.refused(&root, review(true)), "self_approval");
    assert_eq!(world.refused(&by(world.named("bob")), review(true)), "not_an_approver");
    assert_eq!(world.refused(&by(eve), approve(change)), "change_active");
    world.must(&by(eve), review(true));
    assert_eq!(world.refused(&by(eve), review(true)), "already_reviewed");
    world.now = world.now.plus_seconds(DAY + HOUR);
    assert_eq!(world.refused(&root, emergency(vec![policy("mail", None)])), "review_overdue");
    let max = world.person("max", &[]);
    let admin = Edit::Groups { person: max, groups: vec![ADMINISTRATORS.to_owned()] };
    let joined = proposed(&world.must(&by(eve), propose(vec![admin])));
    world.must(&root, approve(joined));
    world.must(&by(max), review(false));
    assert!(world.state.changes.get(&change).is_none(), "two people have looked at it");
    world.must(&root, emergency(vec![policy("mail", None)]));
    let own = Edit::Groups { person: world.root, groups: vec![ADMINISTRATORS.to_owned(), "finance".to_owned()] };
    assert_eq!(world.refused(&root, emergency(vec![own])), "self_approval");
}

#[test]
fn a_change_is_all_or_nothing_and_about_one_artefact_once() {
    let (mut world, _) = founded();
    let root = by(world.root);
    let broken = vec![
        policy("mail", Some(NO_UPDATE)),
        policy("other", Some("@id(\"o\") forbid (principal, action == Action::\"helpdesk/udpate\", resource);")),
    ];
    assert_eq!(world.refused(&root, propose(broken)), "policy_invalid");
    assert_eq!(
        world.refused(&root, propose(vec![policy("mail", Some(NO_UPDATE)), policy("mail", None)])),
        "bad_proposal"
    );
    let nobody = Edit::Groups { person: PersonId::from_uuid(uuid::Uuid::nil()), groups: Vec::new() };
    assert_eq!(world.refused(&root, propose(vec![nobody])), "not_found");
    // A policy about an operation that the same change approves.
    let choice = tool("burn", Verb::Write, 1, &json!({}));
    let edits = vec![
        Edit::Operation(Box::new(OperationEdit { connector: world.helpdesk(), choice })),
        policy("burn", Some("@id(\"no-burn\") forbid (principal, action == Action::\"helpdesk/burn\", resource);")),
    ];
    world.must(&root, propose(edits));
}

#[test]
fn what_it_was_can_be_proposed_again() {
    let (mut world, eve) = founded();
    let root = by(world.root);
    let before = world.state.clone();
    for edit in one_of_each(&world) {
        let Some(back) = edit.as_it_was(&before) else { continue };
        let change = proposed(&world.must(&root, propose(vec![edit])));
        world.must(&by(eve), approve(change));
        let undo = Command::ProposeChange { edits: vec![back], reason: "undo it".to_owned(), revert_of: Some(change) };
        let undo = proposed(&world.must(&root, undo));
        world.must(&by(eve), approve(undo));
    }
    assert_eq!(before.policies.digest(), world.state.policies.digest());
    let bob = world.named("bob");
    assert_eq!(before.people[&bob], world.state.people[&bob]);
    assert_eq!(before.agent(world.support()).unwrap(), world.state.agent(world.support()).unwrap());
}

#[test]
fn a_process_is_proposed_on_the_machine_and_approved_anywhere() {
    let (mut world, eve) = founded();
    let spec = ConnectorSpec::Stdio { command: "server".to_owned(), arguments: Vec::new(), environment: Vec::new() };
    let edit = Edit::Connector(Box::new(AddConnector { spec, ..add_connector("local", "") }));
    let remote = Actor::Person { person: world.root, method: SignInMethod::OneTimeLink };
    assert_eq!(world.refused(&remote, propose(vec![edit.clone()])), "local_only");
    let change = proposed(&world.must(&by(world.root), propose(vec![edit])));
    world.must(&Actor::Person { person: eve, method: SignInMethod::OneTimeLink }, approve(change));
}

#[test]
fn only_remit_records_what_a_check_came_to() {
    let (mut world, eve) = founded();
    let change = world.propose(world.root, "mail", NO_UPDATE);
    let named = |name: &str| Command::RecordCheck {
        change,
        check: name.to_owned(),
        passed: true,
        summary: "3 of 100 actions would be denied".to_owned(),
    };
    assert_eq!(world.refused(&by(eve), named("replay")), "not_permitted");
    for _ in 0..2 * limits::CHANGE_CHECKS_MAX {
        world.must(&Actor::Remit, named("replay"));
    }
    assert_eq!(world.state.changes[&change].checks.len(), 1, "the newest of each kind");
    for kind in 1..limits::CHANGE_CHECKS_MAX {
        world.must(&Actor::Remit, named(&format!("check-{kind}")));
    }
    assert_eq!(world.refused(&Actor::Remit, named("another")), "too_many_checks");
    world.must(&Actor::Remit, named("replay"));
}

#[test]
fn what_there_is_no_place_for_is_refused_before_anything_is_compiled() {
    let (mut world, _) = founded();
    let (root, broken) = (by(world.root), || vec![policy("mail", Some("forbid (principal"))]);
    let emergency = |edits| Command::EmergencyChange { edits, reason: "mail is being abused".to_owned() };
    assert_eq!(world.refused(&root, emergency(broken())), "policy_invalid");
    for nth in 0..limits::EMERGENCIES_UNREVIEWED_MAX {
        let rule = NO_UPDATE.replace("no-update", &format!("no-update-{nth}"));
        world.must(&root, emergency(vec![policy("mail", Some(&rule))]));
    }
    assert_eq!(world.refused(&root, emergency(broken())), "too_many_proposals");
    assert_eq!(world.refused(&root, propose(broken())), "policy_invalid", "emergencies take no places of proposals");
    for _ in 0..limits::AUTHOR_PROPOSALS_MAX {
        world.propose(world.root, "other", NO_UPDATE);
    }
    assert_eq!(world.refused(&root, propose(broken())), "too_many_proposals", "of its author");
    let others = limits::PROPOSALS_PENDING_MAX - world.state.changes.len();
    for nth in 0..others {
        let person = world.person(&format!("person-{nth}"), &[]);
        world.propose(person, "other", NO_UPDATE);
    }
    let ana = by(world.named("ana"));
    assert_eq!(world.refused(&ana, propose(broken())), "too_many_proposals", "of everybody");
}

#[test]
fn an_agent_proposes_nothing() {
    let (mut world, _) = founded();
    let agent: AgentId = world.support();
    assert_eq!(
        world.refused(&Actor::Agent { agent, task: None }, propose(vec![policy("mail", Some(NO_UPDATE))])),
        "person_needed"
    );
}

#[test]
fn an_emergency_makes_no_second_person_for_its_author() {
    let (mut world, _) = founded();
    let (root, bob, agent) = (by(world.root), world.named("bob"), world.support());
    let emergency = |edit| Command::EmergencyChange { edits: vec![edit], reason: "nobody answers".to_owned() };
    let admin = |person| Edit::Groups { person, groups: vec![ADMINISTRATORS.to_owned()] };
    assert_eq!(world.refused(&root, emergency(admin(bob))), "self_approval", "another administrator could approve it");
    let mine = Edit::Approvers { agent, owner: world.root, approvers: Vec::new() };
    assert_eq!(world.refused(&root, emergency(mine)), "self_approval");
    // Whom an unreviewed emergency gives something approves nothing.
    let cleo = world.named("cleo");
    world.must(&root, emergency(Edit::Groups { person: cleo, groups: vec!["leads".to_owned(), "finance".to_owned()] }));
    let connector = world.helpdesk();
    let choice = tool("read", Verb::Read, 2, &json!({}));
    let change =
        proposed(&world.must(&root, propose(vec![Edit::Operation(Box::new(OperationEdit { connector, choice }))])));
    assert_eq!(world.refused(&by(cleo), approve(change)), "not_an_approver");
}

#[test]
fn alone_an_administrator_may_still_add_another() {
    let (mut world, eve) = founded();
    let (root, bob) = (by(world.root), world.named("bob"));
    let emergency = |edits| Command::EmergencyChange { edits, reason: "nobody is left".to_owned() };
    world.must(&root, emergency(vec![policy("mail", Some(NO_UPDATE))]));
    world.must(&root, Command::RemovePerson { person: eve });
    world.now = world.now.plus_seconds(2 * DAY);
    assert_eq!(world.refused(&root, emergency(vec![policy("mail", None)])), "review_overdue");
    let admin = Edit::Groups { person: bob, groups: vec![ADMINISTRATORS.to_owned()] };
    world.must(&root, emergency(vec![admin]));
    // The way out: whom they added proposes a third, who is given nothing by an emergency and so approves what the first proposes.
    let cleo = world.named("cleo");
    let third = Edit::Groups { person: cleo, groups: vec![ADMINISTRATORS.to_owned()] };
    let change = proposed(&world.must(&by(bob), propose(vec![third])));
    world.must(&root, approve(change));
    let change = proposed(&world.must(&root, propose(vec![policy("mail", None)])));
    assert_eq!(world.refused(&by(bob), approve(change)), "not_an_approver", "not before it has been looked at");
    world.must(&by(cleo), approve(change));
}

#[test]
fn another_way_to_a_connector_is_another_connector() {
    let (mut world, eve) = founded();
    let (root, before) = (by(world.root), world.helpdesk());
    let moved = Edit::Connector(Box::new(add_connector("helpdesk", "https://new.example.org/mcp")));
    let change = proposed(&world.must(&root, propose(vec![moved])));
    world.must(&by(eve), approve(change));
    let connector = world.state.connector_named("helpdesk").unwrap();
    assert!(connector.id != before && !world.state.connectors.contains_key(&before));
    assert_eq!(connector.owner, world.root, "its owner stays");
    assert!(world.state.operation(&operation("helpdesk/read")).is_ok(), "what was approved stays approved");
}

#[test]
fn what_no_longer_holds_is_not_activated() {
    let mut world = World::with_support();
    let pilot = world.person("max", &["pilots"]);
    let eve = world.person("eve", &[ADMINISTRATORS]);
    let (root, connector) = (by(world.root), world.helpdesk());
    let seven = "@id(\"seven\") forbid (principal, action == Action::\"helpdesk/update\", resource) \
                 when { context.arguments has id && context.arguments.id == 7 };";
    let pilots = "@id(\"pilots\") @approvers(\"pilots\") forbid (principal, action == Action::\"helpdesk/update\", resource) \
                  unless { context has approval && context.approval.roles.contains(\"pilots\") };";
    let numbers = world.propose(world.root, "seven", seven);
    let asking = world.propose(world.root, "pilots", pilots);
    // An operation is no part of what these were proposed against, and yet they hold against it or not.
    let choice = tool("update", Verb::Write, 1, &json!({"id": {"type": "string"}}));
    let edit = Edit::Operation(Box::new(OperationEdit { connector, choice }));
    let change = proposed(&world.must(&root, propose(vec![edit])));
    world.must(&by(eve), approve(change));
    assert!(!world.state.changes[&numbers].is_stale(&world.state));
    let refusal = world.refusal(&by(eve), approve(numbers));
    assert_eq!((refusal.code.as_str(), refusal.fields[0].field.as_str()), ("policy_invalid", "seven"), "{refusal:?}");
    world.must(&root, Command::SetPersonGroups { person: pilot, groups: Vec::new() });
    let refusal = world.refusal(&by(eve), approve(asking));
    assert_eq!((refusal.code.as_str(), refusal.fields[0].field.as_str()), ("policy_invalid", "pilots"), "{refusal:?}");
    assert!(world.state.changes.contains_key(&numbers), "it waits until it is taken back or holds again");
}

#[test]
fn what_an_operation_was_is_proposed_for_the_connector_of_its_name() {
    let (mut world, eve) = founded();
    let (root, connector) = (by(world.root), world.helpdesk());
    let before = world.state.clone();
    let choice = tool("read", Verb::Read, 2, &json!({}));
    let edit = Edit::Operation(Box::new(OperationEdit { connector, choice }));
    let change = proposed(&world.must(&root, propose(vec![edit.clone()])));
    world.must(&by(eve), approve(change));
    let moved = Edit::Connector(Box::new(add_connector("helpdesk", "https://new.example.org/mcp")));
    let change = proposed(&world.must(&root, propose(vec![moved])));
    world.must(&by(eve), approve(change));
    let back = edit.as_it_was(&before).unwrap();
    assert_eq!(world.refused(&root, propose(vec![back.clone()])), "not_found", "that connector is gone");
    let back = back.moved_on(&before, &world.state);
    assert_eq!(back.clone().moved_on(&before, &world.state), back);
    let change = proposed(&world.must(&root, propose(vec![back])));
    world.must(&by(eve), approve(change));
    assert_eq!(world.state.operation(&operation("helpdesk/read")).unwrap().risk, 0);
    world.must(&root, Command::RemoveConnector { connector: world.helpdesk() });
    assert_eq!(edit.clone().moved_on(&before, &world.state), edit, "there is none of that name");
}

fn absence(person: PersonId, deputy: PersonId, from_seconds: u64, until_seconds: u64) -> Edit {
    let at = |seconds| BEGINNING.plus_seconds(seconds);
    Edit::Absence { person, absence: Some(Absence { deputy, from: at(from_seconds), until: at(until_seconds) }) }
}

#[test]
fn an_absence_is_for_somebody_else_to_approve() {
    let (mut world, eve) = founded();
    let (bob, cleo, root) = (world.named("bob"), world.named("cleo"), world.root);
    let edit = absence(bob, cleo, 0, DAY);
    assert_eq!(
        world.refused(&by(cleo), propose(vec![edit.clone()])),
        "not_permitted",
        "neither hers nor hers to manage"
    );
    let change = proposed(&world.must(&by(bob), propose(vec![edit])));
    assert_eq!(world.refused(&by(bob), approve(change)), "self_approval");
    assert_eq!(world.refused(&by(cleo), approve(change)), "not_an_approver");
    world.must(&by(eve), approve(change));
    assert_eq!(world.state.absent_for(cleo, world.now).len(), 1);
    // Nobody approves that they stand in for somebody, or that somebody stands in for them.
    for edit in [absence(bob, eve, 0, DAY), absence(eve, bob, 0, DAY)] {
        let change = proposed(&world.must(&by(root), propose(vec![edit.clone()])));
        assert_eq!(world.refused(&by(eve), approve(change)), "not_an_approver", "{edit:?}");
    }
    let emergency = |edit| Command::EmergencyChange { edits: vec![edit], reason: "nobody answers".to_owned() };
    assert_eq!(world.refused(&by(root), emergency(absence(bob, root, 0, DAY))), "self_approval");
    assert_eq!(world.refused(&by(root), emergency(absence(root, bob, 0, DAY))), "self_approval");
}

#[test]
fn an_absence_is_bounded_and_names_somebody_else() {
    let (mut world, _) = founded();
    let (bob, cleo, root) = (world.named("bob"), world.named("cleo"), by(world.root));
    let longest = limits::ABSENCE_SECONDS_MAX;
    world.now = BEGINNING.plus_seconds(DAY);
    assert_eq!(world.refused(&root, propose(vec![absence(bob, bob, 0, 2 * DAY)])), "bad_deputy");
    let nobody = PersonId::from_uuid(uuid::Uuid::nil());
    assert_eq!(world.refused(&root, propose(vec![absence(bob, nobody, 0, 2 * DAY)])), "not_found");
    for (from, until) in [(0, DAY), (2 * DAY, 2 * DAY), (3 * DAY, 2 * DAY), (DAY, DAY + longest + 1)] {
        assert_eq!(
            world.refused(&root, propose(vec![absence(bob, cleo, from, until)])),
            "bad_absence",
            "{from} to {until}"
        );
    }
    world.must(&root, propose(vec![absence(bob, cleo, DAY, DAY + longest)]));
    world.must(&root, propose(vec![Edit::Absence { person: bob, absence: None }]));
}

#[test]
fn an_absence_that_is_over_is_not_approved() {
    let (mut world, eve) = founded();
    let (bob, cleo) = (world.named("bob"), world.named("cleo"));
    let change = proposed(&world.must(&by(bob), propose(vec![absence(bob, cleo, 0, DAY)])));
    world.now = BEGINNING.plus_seconds(DAY);
    assert_eq!(world.refused(&by(eve), approve(change)), "bad_absence");
}
