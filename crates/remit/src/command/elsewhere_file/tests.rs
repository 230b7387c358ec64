use super::*;

const FILE: &str = r#"
[[resource]]
id = "1"
properties = { owner = "rick" }

[[operation]]
name = "can_read"
verb = "read"
risk = 0
data = "D1"

[[operation]]
name = "can_delete"
verb = "write"
risk = 2
data = "D1"
irreversible = true
[operation.input_schema]
type = "object"
[operation.input_schema.properties.resource]
type = "object"
properties = { id = { type = "string" }, owner = { type = "string" } }
"#;

#[test]
fn a_catalogue_and_its_operations_stand_in_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("todo.toml");
    std::fs::write(&path, FILE).unwrap();
    let file = read(&path).unwrap();
    assert!(matches!(file.spec(), ConnectorSpec::Elsewhere { resources, .. } if resources[0].id == "1"));
    let choices = file.choices();
    assert_eq!((choices[0]["tool"].as_str(), choices[1]["irreversible"].as_bool()), (Some("can_read"), Some(true)));
    assert_eq!(choices[1]["definition"]["document"]["inputSchema"]["properties"]["resource"]["type"], "object");
}
