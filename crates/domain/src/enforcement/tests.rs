use super::*;
use crate::Command;
use crate::tests::world::{World, by};

#[test]
fn remit_records_what_took_effect_where() {
    let mut world = World::with_support();
    let agent = world.support();
    let record = RecordEnforcement {
        agent: Some(agent),
        cause: 7,
        point: "gateway-streams".to_owned(),
        took_effect_at: world.now,
        ended: 3,
        remaining: vec!["a token of the upstream `shop`, which has no revocation".to_owned()],
    };
    let command = |record: &RecordEnforcement| Command::RecordEnforcement(Box::new(record.clone()));
    assert_eq!(world.refused(&by(world.root), command(&record)), "not_permitted");
    let unnamed = RecordEnforcement { point: String::new(), ..record.clone() };
    assert_eq!(world.refused(&Actor::Remit, command(&unnamed)), "bad_name");
    let events = world.must(&Actor::Remit, command(&record));
    assert_eq!(events[0].agent(), Some(agent));
    let events = world.must(&Actor::Remit, command(&RecordEnforcement { agent: None, ..record }));
    assert_eq!(events[0].agent(), None);
}
