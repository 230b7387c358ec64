use super::*;

#[test]
fn a_tool_is_named_with_its_connector_where_tools_are_joined() {
    assert_eq!(Door::All.operation("desk__find__all").as_str(), "desk/find__all");
    assert_eq!(Door::All.operation("alone").as_str(), "/alone");
    let one = Door::One("desk".to_owned());
    assert_eq!(one.operation("find__all").as_str(), "desk/find__all");
    assert_eq!(Door::All.tool(&one.operation("find")), "desk__find");
    assert_eq!(one.tool(&one.operation("find")), "find");
}

#[test]
fn a_resource_is_addressed_with_its_connector_where_they_are_joined() {
    assert_eq!(Door::All.uri("desk", "git+ssh://host/x"), "desk+git+ssh://host/x");
    assert_eq!(Door::All.located("desk+git+ssh://host/x"), ("desk", "git+ssh://host/x"));
    assert_eq!(Door::All.located("file:///x"), ("", "file:///x"));
    let one = Door::One("desk".to_owned());
    assert_eq!((one.uri("desk", "file:///x"), one.located("a+b:c")), ("file:///x".to_owned(), ("desk", "a+b:c")));
}
