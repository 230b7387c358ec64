use super::*;
use crate::tests::world::World;

/// Texts that differ from those of every other number.
fn texts(number: usize) -> Arc<BTreeMap<String, String>> {
    Arc::new(BTreeMap::from([(format!("text-{number}"), String::new())]))
}

#[test]
fn what_is_found_is_the_last_to_be_forgotten() {
    let (world, tried) = (World::with_support(), Tried::default());
    let first = tried.compiled(&world.state, &texts(0));
    for number in 1..2 * limits::POLICY_SETS_KEPT_MAX {
        tried.compiled(&world.state, &texts(number));
        assert!(Arc::ptr_eq(&first, &tried.compiled(&world.state, &texts(0))), "forgotten after {number} others");
    }
    assert_eq!(tried.len(), limits::POLICY_SETS_KEPT_MAX);
}

#[test]
fn the_same_compiled_twice_takes_one_place() {
    let (world, tried) = (World::with_support(), Tried::default());
    let other = tried.compiled(&world.state, &texts(1));
    for _ in 0..limits::POLICY_SETS_KEPT_MAX {
        // As when two begin before either is done.
        let beside = Tried::default();
        beside.compiled(&world.state, &texts(0));
        let kept = beside.of_sources(&texts(0)).pop().unwrap();
        tried.keep(kept);
    }
    assert_eq!(tried.len(), 2);
    assert!(Arc::ptr_eq(&other, &tried.compiled(&world.state, &texts(1))), "nothing else was pushed out");
}
