use super::*;
use crate::world::{self, World};

/// Policies of which the world's refund fulfils the scopes of two: the permit for live grants, and `p3`.
const SCOPES: &str = r#"@id("p1") forbid(principal == Agent::"other", action, resource);
    @id("p2") forbid(principal in Class::"read", action in [Action::"write"], resource);
    @id("p3") permit(principal is Agent in Class::"act", action in [Action::"read", Action::"write"], resource in Connector::"helpdesk");
    @id("p4") forbid(principal, action == Action::"helpdesk/read_ticket", resource);"#;

#[test]
fn the_index_names_what_cedar_says() {
    let world = World::with(SCOPES);
    assert!((0..3).all(|lot| found_all(&world.set, &world.schema, &world.facts, lot)));
}

#[test]
fn a_candidate_too_few_or_too_many_is_found() {
    let world = World::with(SCOPES);
    let scene = Scene::set(&world.facts, &world.schema).expect("a scene");
    let right = world.set.index().candidates(&scene);
    assert_eq!(right, [0, 3]);
    assert!(agrees(&world.set, &scene, &right, 7));
    for wrong in [&[0][..], &[3], &[], &[0, 2, 3], &[0, 1, 3], &[0, 3, 4]] {
        assert!(!agrees(&world.set, &scene, wrong, 7), "{wrong:?}");
    }
}

#[test]
fn every_part_of_a_large_set_has_its_turn() {
    let mut texts = vec![world::source(world::PERMIT)];
    for text in 0..11 {
        let rules = (0..200).map(|number| {
            format!("@id(\"t{text}/{number}\") forbid(principal == Agent::\"a{number}\", action, resource);\n")
        });
        texts.push(crate::PolicySource { name: format!("text-{text}"), text: rules.collect() });
    }
    let schema = world::schema();
    let set = PolicySet::compile(&texts, &schema).expect("a set");
    let scene = Scene::set(&world::facts(), &schema).expect("a scene");
    assert_eq!(set.index().candidates(&scene), [0]);
    // The last of them is named, though its scope is another agent's: whoever looks at the third part sees it.
    let wrong = [0, 2_200];
    let sees: Vec<bool> = (0..6).map(|lot| !agrees(&set, &scene, &wrong, lot)).collect();
    assert_eq!(sees, [false, false, true, false, false, true]);
}
