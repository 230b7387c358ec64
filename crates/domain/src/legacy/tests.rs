use super::*;
use crate::tests::world::{DAY, World, by, digest};
use crate::{AgentProfile, Attribution, Command, DataClass, Environment};

/// A world whose agents `intake` and `lookup` only assist, on public data.
fn world() -> (World, AgentId, AgentId) {
    let mut world = World::with_support();
    let ana = world.named("ana");
    let [intake, lookup] = ["intake", "lookup"].map(|name| {
        let profile = AgentProfile { autonomy: Some(1), data_classes: vec![DataClass::D0], ..world.profile(ana) };
        let agent = world.draft(name, profile);
        world.must(&by(ana), Command::ActivateAgent { agent });
        agent
    });
    (world, intake, lookup)
}

fn account(world: &World, workflows: &[(&str, AgentId)]) -> OpenLegacyAccount {
    OpenLegacyAccount {
        name: "n8n".to_owned(),
        secret: digest("secret"),
        workflows: workflows.iter().map(|(name, agent)| ((*name).to_owned(), *agent)).collect(),
        header_key: false,
        due_at: world.now.plus_seconds(30 * DAY),
        reason: "the vendor has one key for all".to_owned(),
    }
}

fn open(account: OpenLegacyAccount) -> Command {
    Command::OpenLegacyAccount(Box::new(account))
}

fn stand_in(agent: AgentId, via: &str) -> Command {
    Command::StandIn { agent, via: via.to_owned() }
}

#[test]
fn workflows_behind_one_secret_are_agents_of_their_own() {
    let (mut world, intake, lookup) = world();
    let root = by(world.root);
    let account = account(&world, &[("intake", intake), ("lookup", lookup)]);
    assert_eq!(world.refused(&by(world.named("ana")), open(account.clone())), "not_permitted");
    world.must(&root, open(account.clone()));
    assert_eq!(world.state.legacy_account_of(&digest("secret")).unwrap().via(), "legacy:n8n");
    assert_eq!(world.refused(&root, open(account.clone())), "name_taken");
    let same = OpenLegacyAccount { name: "make".to_owned(), ..account };
    assert_eq!(world.refused(&root, open(same)), "secret_taken");
    assert_eq!(world.must(&Actor::Remit, stand_in(intake, "legacy:n8n")).len(), 1);
    assert!(world.must(&Actor::Remit, stand_in(intake, "legacy:n8n")).is_empty(), "one is enough");
    assert_eq!(world.must(&Actor::Remit, stand_in(lookup, "legacy:n8n")).len(), 1);
    let task = world.state.standing_task(intake, "legacy:n8n", world.now).unwrap();
    assert_eq!(task.purpose, "standing work of `intake` through `legacy:n8n`");
    assert_eq!((task.attribution(), task.started_by, &task.key), (Attribution::Shared, None, &None));
}

#[test]
fn a_debt_names_what_it_is_for_and_when_it_is_due() {
    let (mut world, intake, _) = world();
    let (root, support) = (by(world.root), world.support());
    let good = account(&world, &[("intake", intake)]);
    let latest = world.now.plus_seconds(limits::LEGACY_SECONDS_MAX);
    let bad = [
        ("missing_text", OpenLegacyAccount { reason: " ".to_owned(), ..good.clone() }),
        ("bad_due_date", OpenLegacyAccount { due_at: world.now, ..good.clone() }),
        ("bad_due_date", OpenLegacyAccount { due_at: latest.plus_seconds(1), ..good.clone() }),
        ("bad_workflows", account(&world, &[])),
        ("bad_name", account(&world, &[("In Take", intake)])),
        ("identity_too_coarse", account(&world, &[("intake", intake), ("support", support)])),
    ];
    for (code, account) in bad {
        assert_eq!(world.refused(&root, open(account)), code);
    }
    world.must(&root, open(OpenLegacyAccount { due_at: latest, ..good }));
}

#[test]
fn whoever_took_up_a_debt_stays_until_it_is_paid() {
    let (mut world, intake, _) = world();
    let groups = vec![crate::ADMINISTRATORS.to_owned()];
    let bob = world.named("bob");
    world.must(&by(world.root), Command::SetPersonGroups { person: bob, groups });
    let account = account(&world, &[("intake", intake)]);
    world.must(&by(bob), open(account));
    assert_eq!(world.refused(&by(world.root), Command::RemovePerson { person: bob }), "still_owner");
    world.must(&by(world.root), Command::CloseLegacyAccount { name: "n8n".to_owned(), reason: "paid".to_owned() });
    world.must(&by(world.root), Command::RemovePerson { person: bob });
}

#[test]
fn nothing_goes_through_what_is_overdue() {
    let (mut world, intake, _) = world();
    let account = account(&world, &[("intake", intake)]);
    let due_at = account.due_at;
    world.must(&by(world.root), open(account));
    world.now = due_at.minus_seconds(60);
    world.must(&Actor::Remit, stand_in(intake, "legacy:n8n"));
    assert_eq!(world.state.standing_task(intake, "legacy:n8n", world.now).unwrap().expires_at, due_at);
    world.now = due_at;
    assert_eq!(world.refused(&Actor::Remit, stand_in(intake, "legacy:n8n")), "debt_overdue");
    assert!(world.state.standing_task(intake, "legacy:n8n", world.now).is_none());
}

#[test]
fn with_the_account_ends_what_it_opened() {
    let (mut world, intake, lookup) = world();
    let root = by(world.root);
    world.must(&root, open(account(&world, &[("intake", intake), ("also", intake), ("lookup", lookup)])));
    world.must(&Actor::Remit, stand_in(intake, "legacy:n8n"));
    world.must(&Actor::Remit, stand_in(lookup, "legacy:n8n"));
    let close = Command::CloseLegacyAccount { name: "n8n".to_owned(), reason: "paid".to_owned() };
    assert_eq!(world.refused(&by(world.named("ana")), close.clone()), "not_permitted");
    let events = world.must(&root, close.clone());
    assert!(matches!(events[0], Event::LegacyAccountClosed { .. }) && events.len() == 3, "{events:?}");
    assert_eq!(world.refused(&root, close), "not_found");
    assert_eq!(world.refused(&Actor::Remit, stand_in(intake, "legacy:n8n")), "not_found");
    assert!(world.state.legacy_account_of(&digest("secret")).is_none() && world.state.standing_by_agent.is_empty());
}

fn bind(world: &mut World, agent: AgentId) {
    let workload = crate::WorkloadIdentity::Foreign {
        issuer: "spiffe://partner.example".to_owned(),
        subject: "spiffe://partner.example/support".to_owned(),
    };
    let root = by(world.root);
    world.must(&root, Command::BindWorkload { agent, workload });
}

#[test]
fn a_certificate_stands_in_where_a_task_is_not_needed() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    assert_eq!(world.refused(&ana, stand_in(agent, VIA_X509_SVID)), "not_permitted");
    assert_eq!(world.refused(&Actor::Remit, stand_in(agent, VIA_X509_SVID)), "workload_unbound");
    bind(&mut world, agent);
    assert_eq!(world.refused(&Actor::Remit, stand_in(agent, "svid:other")), "bad_via");
    world.must(&Actor::Remit, stand_in(agent, VIA_X509_SVID));
    world.must(&Actor::Remit, stand_in(agent, VIA_JWT_SVID));
    let task = |world: &World, via| world.state.standing_task(agent, via, world.now).unwrap().clone();
    assert_eq!(task(&world, VIA_X509_SVID).key.as_deref(), Some("spiffe://example.org/agent/support/production"));
    assert_eq!(task(&world, VIA_X509_SVID).attribution(), Attribution::Proven);
    assert_eq!(task(&world, VIA_JWT_SVID).attribution(), Attribution::Asserted);
    let profile = AgentProfile { autonomy: Some(4), ..world.profile(world.named("ana")) };
    world.must(&by(world.root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    let refusal = world.refusal(&Actor::Remit, stand_in(agent, VIA_X509_SVID));
    assert!(refusal.code == "identity_too_coarse" && refusal.sentence.contains("`task`"), "{refusal}");
}

#[test]
fn a_standing_task_is_renewed_when_its_time_is_over_or_its_certificate_another() {
    let mut world = World::with_support();
    let agent = world.support();
    bind(&mut world, agent);
    world.must(&Actor::Remit, stand_in(agent, VIA_X509_SVID));
    world.now = world.now.plus_seconds(limits::TASK_SECONDS_MAX);
    let events = world.must(&Actor::Remit, stand_in(agent, VIA_X509_SVID));
    assert!(matches!(events.as_slice(), [Event::TaskEnded { .. }, Event::TaskStarted(_)]), "{events:?}");
    let profile = AgentProfile { environment: Some(Environment::Test), ..world.profile(world.named("ana")) };
    world.must(&by(world.root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    let events = world.must(&Actor::Remit, stand_in(agent, VIA_X509_SVID));
    assert!(matches!(events.as_slice(), [Event::TaskEnded { .. }, Event::TaskStarted(_)]), "{events:?}");
    assert!(world.must(&Actor::Remit, stand_in(agent, VIA_X509_SVID)).is_empty());
}
