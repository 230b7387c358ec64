use remit_policy::Shape;
use serde_json::json;

use super::*;

#[test]
fn each_has_its_own_reserved_name_and_methods() {
    for feature in Feature::all() {
        assert!(Feature::is_reserved(feature.name()));
        assert_eq!(Feature::of_tool(feature.name()), Some(feature));
        for method in feature.methods() {
            assert_eq!(Feature::of_method(method), Some(feature), "{method}");
        }
    }
    assert_eq!(Feature::of_tool("resources"), None);
    assert_eq!(Feature::of_tool("@other"), None);
    assert_eq!(Feature::of_method("tools/call"), None);
    assert!(!Feature::is_reserved("send@home"));
}

#[test]
fn its_definition_is_the_same_every_time() {
    for feature in Feature::all() {
        assert_eq!(feature.definition().digest(), feature.digest());
        assert_eq!(feature.definition().document["name"], feature.name());
    }
}

#[test]
fn the_protocols_parameters_are_arguments() {
    let fitting = [
        json!({"method": "resources/list", "cursor": "2"}),
        json!({"method": "resources/read", "uri": "file:///a"}),
        json!({"method": "prompts/get", "name": "review", "arguments": {"code": "x"}}),
        json!({"method": "completion/complete", "ref": {"type": "ref/prompt", "name": "review"},
               "argument": {"name": "language", "value": "ru"}, "context": {"arguments": {"framework": "x"}}}),
        json!({"method": "completion/complete", "ref": {"type": "ref/resource", "uri": "file:///{path}"},
               "argument": {"name": "path", "value": ""}}),
        json!({"method": "logging/setLevel", "level": "info"}),
        json!({"method": "sampling/createMessage", "messages": [{"role": "user", "content": {"type": "text", "text": "?"}}],
               "maxTokens": 100, "temperature": 0.123_456_7, "modelPreferences": {"hints": [{"name": "a"}]},
               "stopSequences": ["."], "metadata": {"a": [1]}, "tools": [{"name": "t"}], "toolChoice": {"mode": "auto"}}),
        json!({"method": "elicitation/create", "mode": "form", "message": "your name?",
               "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}}),
        json!({"method": "elicitation/create", "mode": "url", "message": "sign in", "url": "https://a", "elicitationId": "1"}),
        json!({"method": "roots/list"}),
    ];
    for arguments in fitting {
        let feature = Feature::of_method(arguments["method"].as_str().unwrap()).unwrap();
        let shape = Shape::from_json_schema(&feature.definition().input_schema()).unwrap();
        assert_eq!(shape.check(&arguments), Ok(()), "{arguments}");
    }
}

#[test]
fn what_a_feature_does_not_know_does_not_fit() {
    for feature in Feature::all() {
        let shape = Shape::from_json_schema(&feature.definition().input_schema()).unwrap();
        assert!(shape.check(&json!({"method": feature.methods()[0], "force": true})).is_err(), "{feature}");
        assert!(shape.check(&json!({})).is_err(), "{feature}");
    }
}
