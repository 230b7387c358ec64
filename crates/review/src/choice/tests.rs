use serde_json::{Value, json};

use super::{Choice, by_name, pin, projections_in};

fn offered() -> Vec<Value> {
    vec![json!({"name": "read", "description": "reads"}), json!({"name": "close"}), json!({"nameless": true})]
}

fn choice(tool: &str, digest: &str) -> Choice {
    let choice = json!({"tool": tool, "verb": "read", "risk": 0, "data": "D1", "digest": digest, "projections": ["host = url_host(url)"]});
    serde_json::from_value(choice).unwrap()
}

#[test]
fn exactly_what_was_shown_is_pinned() {
    let tools = by_name("desk", offered()).unwrap();
    assert_eq!(tools.keys().collect::<Vec<_>>(), ["close", "read"]);
    let digest = tools["read"].digest().to_string();
    let pinned = pin("desk", tools.clone(), vec![choice("read", &digest)]).unwrap();
    assert_eq!((pinned.len(), &pinned[0].definition), (1, &tools["read"]));
    assert_eq!(pinned[0].projections[0].to_string(), "host = url_host(url)");
    let refused = |choices: Vec<Choice>| pin("desk", tools.clone(), choices).unwrap_err().code;
    assert_eq!(refused(vec![choice("close", &digest)]), "definition_changed");
    assert_eq!(refused(vec![choice("read", &digest), choice("read", &digest)]), "not_found");
    assert_eq!(refused(vec![choice("other", &digest)]), "not_found");
}

#[test]
fn a_name_that_is_listed_twice_is_refused() {
    let mut twice = offered();
    twice.push(json!({"name": "read", "description": "another"}));
    assert_eq!(by_name("desk", twice).unwrap_err().code, "bad_tools");
}

#[test]
fn projections_stand_one_a_line() {
    let read = projections_in("\r\n host = url_host(url)\r\n\r\nn = count(items)\r\n").unwrap();
    assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["host = url_host(url)", "n = count(items)"]);
    assert_eq!(projections_in("host of url").unwrap_err().code, "bad_projection");
}
