use remit_domain::{ConnectorSpec, DataClass, Verb};
use remit_testkit::{World, operation};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_says_what_was_called_under_it_and_one_that_nobody_used_says_nothing() {
    let world = World::new().await;
    world.person("ana", &[]).await;
    world.agent("helper", "ana", |_| {}).await;
    let properties = json!({"id": {"type": "integer"}});
    let read = |tool: &str| operation(tool, Verb::Read, 0, DataClass::D1, &properties);
    let spec = ConnectorSpec::Http { url: "http://127.0.0.1:9/mcp".to_owned() };
    world.connector("desk", spec, vec![read("look"), read("list")]).await;
    let unused = world.grant("helper", &["desk/list"], 300).await;
    let used = world.grant("helper", &["desk/*"], 600).await;
    let task = world.task("helper").await;
    for id in [1, 2] {
        world.call(task, "desk/look", json!({"id": id})).await.allowed();
    }
    // What is refused uses no grant.
    world.call(task, "desk/look", json!({"id": "three"})).await;
    let uses = world.engine.grant_uses(&[unused, used]).await.unwrap();
    assert_eq!(uses.len(), 2);
    assert_eq!(uses[0], []);
    assert_eq!(uses[1].len(), 1);
    let one = &uses[1][0];
    assert_eq!((one.operation.as_str(), one.calls, one.last_at), ("desk/look", 2, remit_testkit::NOW));
    let record = world.engine.record(one.last_seq).await.unwrap().unwrap();
    assert_eq!(record.record.event.agent(), Some(world.agent_named("helper")));
}
