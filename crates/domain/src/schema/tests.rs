use serde_json::Value;

use super::*;
use crate::tests::fixtures::{VARIANTS, events};

/// Whether `value` is as `schema` says; every word of the schema that is not known here fails the test.
fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(words) = schema.as_object() else { return schema.as_bool().unwrap() };
    words.iter().all(|(word, says)| match word.as_str() {
        "$ref" => fits(root, root.pointer(says.as_str().unwrap().trim_start_matches('#')).unwrap(), value),
        "const" => says == value,
        "enum" => says.as_array().unwrap().contains(value),
        "type" => match says {
            Value::Array(types) => types.iter().any(|one| is_a(one, value)),
            one => is_a(one, value),
        },
        "oneOf" => says.as_array().unwrap().iter().filter(|one| fits(root, one, value)).count() == 1,
        "anyOf" => says.as_array().unwrap().iter().any(|one| fits(root, one, value)),
        "properties" => {
            let members = says.as_object().unwrap();
            members.iter().all(|(name, schema)| value.get(name).is_none_or(|member| fits(root, schema, member)))
        }
        "required" => says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(root, says, item))),
        "additionalProperties" => {
            let known = words.get("properties").and_then(Value::as_object);
            let other = |name: &str| known.is_none_or(|known| !known.contains_key(name));
            let members = value.as_object().into_iter().flatten();
            members.filter(|(name, _)| other(name)).all(|(_, member)| fits(root, says, member))
        }
        "minimum" => value.as_i64().is_none_or(|value| value >= says.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|value| value <= says.as_i64().unwrap()),
        "$schema" | "$defs" | "title" | "description" | "format" | "pattern" | "default" => true,
        other => panic!("the schema says `{other}`, which this test does not know"),
    })
}

fn is_a(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema has a `{other}`, which this test does not know"),
    }
}

/// The members that an event of one kind may have, those of the type behind it included.
fn members(root: &Value, variant: &Value) -> Vec<String> {
    let behind = variant.get("$ref").and_then(|link| root.pointer(link.as_str().unwrap().trim_start_matches('#')));
    let objects = [Some(variant), behind].into_iter().flatten().filter_map(|object| object["properties"].as_object());
    objects.flat_map(|properties| properties.keys().cloned()).collect()
}

#[test]
fn every_event_ever_written_is_as_the_schema_says() {
    let schema = event_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for (line, event) in events() {
        let value = serde_json::to_value(&event).unwrap();
        let variants = schema["oneOf"].as_array().unwrap();
        let variant = variants.iter().find(|one| one["properties"]["type"]["const"] == value["type"]).unwrap();
        assert!(fits(&schema, &schema, &value), "{line}\n{variant:#}");
        let named = members(&schema, variant);
        for name in value.as_object().unwrap().keys() {
            assert!(named.contains(name), "the schema does not name `{name}` of {line}");
        }
    }
}

#[test]
fn what_is_not_an_event_is_not_as_the_schema_says() {
    let schema = event_schema();
    for (line, event) in events() {
        let mut value = serde_json::to_value(&event).unwrap();
        value["type"] = "SomethingElse".into();
        assert!(!fits(&schema, &schema, &value), "{line}");
    }
}

#[test]
fn every_kind_of_event_is_in_the_schema_in_one_order() {
    let schema = event_schema();
    let kinds =
        schema["oneOf"].as_array().unwrap().iter().map(|one| one["properties"]["type"]["const"].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), VARIANTS);
    assert_eq!(schema.to_string(), event_schema().to_string());
    let names: Vec<_> = schema["$defs"].as_object().unwrap().keys().collect();
    assert!(names.is_sorted());
}
