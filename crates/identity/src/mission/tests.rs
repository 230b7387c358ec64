use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn entry(change: impl FnOnce(&mut Value)) -> Result<Entry, MissionError> {
    let mut value = json!({
        "type": "mission_resource_access",
        "resource": "https://erp.example.com/mcp/books",
        "actions": ["invoices.read", "journal.*"],
        "constraints": {"max_amount": {"amount": "500.00", "currency": "USD"}},
        "delegation": {"max_depth": 2, "allowed_delegates": [{"sub_profile": "ai_agent"}]},
    });
    change(&mut value);
    Entry::parse(&value)
}

fn parent() -> Vec<Entry> {
    vec![entry(|_| ()).unwrap()]
}

/// Why a child of [`parent`] is wider, after one level less of delegation and whatever `change` does.
fn wider(change: impl FnOnce(&mut Value)) -> Option<Why> {
    let child = entry(|value| {
        value["delegation"]["max_depth"] = json!(1);
        change(value);
    });
    is_subset(&[child.unwrap()], &parent()).err().map(|wider| wider.why)
}

/// Whether the one entry is within the other, where they differ in resources only.
fn resource_within(child: (&str, bool), parent: (&str, bool)) -> bool {
    let one = |(resource, prefix): (&str, bool)| {
        let matching = if prefix { "prefix" } else { "exact" };
        let value = json!({
            "type": "mission_resource_access", "resource": resource, "resource_match": matching, "actions": ["a"],
        });
        Entry::parse(&value).unwrap()
    };
    is_subset(&[one(child)], &[one(parent)]).is_ok()
}

/// Whether the one constraint is no broader than the other.
fn constraint_within(name: &str, child: Value, parent: Value) -> bool {
    let one = |value: Value| {
        let value = json!({
            "type": "mission_resource_access", "resource": "https://a.example", "actions": ["a"],
            "constraints": {name: value},
        });
        Entry::parse(&value).unwrap()
    };
    is_subset(&[one(child)], &[one(parent)]).is_ok()
}

#[test]
fn the_anchors_are_those_of_the_draft() {
    let vectors: Value = serde_json::from_str(include_str!("anchors.json")).unwrap();
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let (issuer, value) = (vector["envelope"]["iss"].as_str().unwrap(), &vector["envelope"]["value"]);
        let digest = vector["digest"].as_str().unwrap();
        let anchor = match vector["anchor"].as_str().unwrap() {
            "intent_hash" => {
                let intent = MissionIntent::parse(&json!({"intent": value}).to_string()).unwrap();
                assert_eq!(intent.hash(issuer).unwrap(), digest, "as it was read");
                intent_hash(issuer, value)
            }
            "authority_hash" => {
                assert_eq!(authority_hash(issuer, &entries_of(value).unwrap()).unwrap(), digest, "as they were read");
                authority_hash(issuer, value)
            }
            "proposal_hash" => proposal_hash(issuer, &entries_of(value).unwrap()),
            "entry_digest" => entry_digest(issuer, &Entry::parse(value).unwrap()),
            other => panic!("{other}"),
        };
        assert_eq!(anchor.unwrap(), digest);
        assert!(parse_anchor(digest).is_ok());
    }
    assert_eq!(REVISION, "eed0ae6f");
}

#[test]
fn an_anchor_with_another_prefix_is_refused() {
    let digest = "6mIFoCz79uCHNzKLfBpBwqFjoFXdpmpuc65486IqimQ";
    assert!(parse_anchor(&format!("sha-256:{digest}")).is_ok());
    for text in ["", digest, "sha-256:", "sha-256:AAAA", &format!("sha-512:{digest}"), &format!("SHA-256:{digest}")] {
        assert_eq!(parse_anchor(text), Err(MissionError::Anchor), "{text}");
    }
}

#[test]
fn a_parameter_digest_tells_every_change() {
    let digest = |value: Value| parameter_digest(&value);
    assert_eq!(digest(json!({"a": 1, "b": "x"})), digest(json!({"b": "x", "a": 1})));
    assert_ne!(digest(json!({"a": 1})), digest(json!({"a": 2})));
    assert_ne!(digest(json!({"a": 1})), digest(json!({"a": "1"})));
    assert_ne!(digest(json!({})), digest(json!({"a": null})));
    // Two numbers that a double does not tell apart would have one digest.
    assert_eq!(digest(json!({"a": [9_007_199_254_740_993_u64]})), Err(MissionError::Number));
    assert_eq!(digest(json!({"a": i64::MIN})), Err(MissionError::Number));
    assert!(digest(json!({"a": 9_007_199_254_740_991_u64})).is_ok());
}

#[test]
fn entries_are_read_strictly() {
    let refused = |change: &dyn Fn(&mut Value)| entry(change).unwrap_err();
    assert_eq!(refused(&|value| value["type"] = json!("payment")), MissionError::Type);
    assert!(matches!(refused(&|value| value["locations"] = json!([])), MissionError::Json(JsonError::Unknown(_))));
    assert!(matches!(refused(&|value| value["actions"] = json!([])), MissionError::Json(JsonError::Count(_))));
    assert!(matches!(
        refused(&|value| value["actions"] = json!(vec!["a"; 65])),
        MissionError::Json(JsonError::Count(_))
    ));
    assert!(matches!(refused(&|value| value["actions"] = json!("a")), MissionError::Json(JsonError::NotList(_))));
    assert_eq!(refused(&|value| value["resource_match"] = json!("glob")), MissionError::Match);
    assert_eq!(refused(&|value| value["delegation"]["max_depth"] = json!(9)), MissionError::Depth);
    assert!(matches!(refused(&|value| value["delegation"]["max_depth"] = json!(-1)), MissionError::Json(_)));
    assert!(matches!(refused(&|value| value["delegation"]["children"] = json!({})), MissionError::Json(_)));
    assert!(matches!(refused(&|value| value["delegation"]["allowed_delegates"] = json!([])), MissionError::Json(_)));
    for delegate in [json!({}), json!({"sub": "a", "sub_profile": "ai_agent"}), json!({"sub_profile": "robot"})] {
        let change = |value: &mut Value| value["delegation"]["allowed_delegates"] = json!([delegate]);
        assert_eq!(refused(&change), MissionError::Delegate, "{delegate}");
    }
    for action in ["in*voices", "invoices*", ".*x", "**", "a b", "", "*.read", "é"] {
        assert!(entry(|value| value["actions"] = json!([action])).is_err(), "{action}");
    }
    for action in ["*", "a", "files.read", "files.*", "x:y-z_1/2"] {
        assert!(entry(|value| value["actions"] = json!([action])).is_ok(), "{action}");
    }
    assert_eq!(entries_of(&json!([])), Err(MissionError::Entries));
    assert_eq!(entries_of(&json!({})), Err(MissionError::Entries));
    let twice = r#"[{"type":"mission_resource_access","resource":"https://a","actions":["a"],"actions":["*"]}]"#;
    assert_eq!(parse_entries(twice), Err(MissionError::Json(JsonError::NotJson)));
    assert_eq!(parse_entries(&" ".repeat(limits::MISSION_BYTES_MAX + 1)), Err(MissionError::TooLong));
}

#[test]
fn an_entry_is_written_as_it_was_read() {
    for value in [
        json!({"type": "mission_resource_access", "resource": "HTTPS://A.example:443/x/../y", "actions": ["*"]}),
        json!({
            "type": "mission_resource_access", "resource": "https://a", "resource_match": "exact", "actions": ["b", "a"],
            "constraints": {}, "delegation": {"max_depth": 0, "allowed_delegates": [{"sub": "x"}]},
        }),
    ] {
        let entry = Entry::parse(&value).unwrap();
        assert_eq!(serde_json::to_value(&entry).unwrap(), value);
        assert_eq!(serde_json::from_value::<Entry>(value).unwrap(), entry);
    }
}

#[test]
fn resources_that_two_readers_could_take_differently_are_refused() {
    for resource in [
        "erp",
        "ftp://a.example/",
        "https://user@a.example/",
        "https://a.example/?q",
        "https://a.example/#f",
        "https://a.example/a//b",
        "https://a.example/a%2fb",
        "https://a.example/a%5Cb",
        "https://a.example/a%00b",
        "https://a.example/%zz",
        "https://a.example/%2",
        "https://a.example/é",
        "https://a.example:99999/",
    ] {
        let refused = entry(|value| value["resource"] = json!(resource));
        assert!(matches!(refused, Err(MissionError::Resource(_))), "{resource}");
    }
}

#[test]
fn constraints_that_could_not_be_compared_are_refused() {
    for (name, value) in [
        ("max_amount", json!("many")),
        ("max_amount", json!("1e3")),
        ("max_amount", json!(1e300)),
        ("max_amount", json!("1,000")),
        ("max_amount", json!("+1")),
        ("max_amount", json!({"amount": "1"})),
        ("max_amount", json!({"amount": "1", "currency": "USD", "per": "day"})),
        ("max_amount", json!([1])),
        ("max_", json!(1)),
        ("_after", json!("2026-07-01T00:00:00Z")),
        ("issued_after", json!("2026-07-01")),
        ("issued_before", json!("tomorrow")),
        ("issued_before", json!("2026-07-01T00:00:00+02:00[Europe/Berlin]")),
        ("tenant", json!(null)),
        ("tenant", json!([])),
        ("tenant", json!({"name": "a"})),
        ("tenant", json!([["a"]])),
        ("ten ant", json!("a")),
        ("", json!("a")),
    ] {
        let refused = entry(|entry| entry["constraints"] = json!({name: value}));
        assert!(matches!(refused, Err(MissionError::Constraint { .. })), "{name}");
    }
}

#[test]
fn an_entry_narrowed_in_every_way_is_a_subset() {
    assert_eq!(wider(|_| ()), None);
    assert_eq!(
        wider(|value| {
            value["actions"] = json!(["journal.write", "journal.q3.*"]);
            value["constraints"] = json!({"max_amount": {"amount": "20", "currency": "USD"}, "tenant": "north"});
            value["delegation"]["allowed_delegates"] = json!([{"sub": "spiffe://example.org/agent/reader/production"}]);
        }),
        None
    );
    assert_eq!(wider(|value| _ = value.as_object_mut().unwrap().remove("delegation")), None);
}

#[test]
fn a_missing_constraint_is_the_broadest_of_all() {
    let missing = Some(Why::ConstraintMissing("max_amount".to_owned()));
    assert_eq!(wider(|value| value["constraints"] = json!({})), missing);
    assert_eq!(wider(|value| value["constraints"] = json!({"tenant": "north"})), missing);
    assert_eq!(wider(|value| _ = value.as_object_mut().unwrap().remove("constraints")), missing);
}

#[test]
fn a_broader_number_and_another_currency_are_wider() {
    let broader = Some(Why::Constraint("max_amount".to_owned()));
    for value in [
        json!({"amount": "500.01", "currency": "USD"}),
        json!({"amount": "1000", "currency": "USD"}),
        json!({"amount": "1", "currency": "EUR"}),
        json!({"amount": "1", "currency": "usd"}),
        json!("1"),
        json!(1),
    ] {
        assert_eq!(wider(|entry| entry["constraints"]["max_amount"] = value.clone()), broader, "{value}");
    }
    for value in [json!({"amount": "500", "currency": "USD"}), json!({"amount": 499.99, "currency": "USD"})] {
        assert_eq!(wider(|entry| entry["constraints"]["max_amount"] = value.clone()), None, "{value}");
    }
}

#[test]
fn constraints_are_compared_by_what_they_mean() {
    assert!(constraint_within("max_size", json!("9"), json!("10")));
    assert!(!constraint_within("max_size", json!("10"), json!("9")));
    assert!(constraint_within("max_size", json!("-10"), json!("-9")));
    assert!(constraint_within("max_size", json!(0.5), json!("0.50")));
    assert!(constraint_within("min_size", json!(10), json!(9)));
    assert!(!constraint_within("min_size", json!(8), json!(9)));
    let (earlier, later) = (json!("2026-07-01T00:00:00Z"), json!("2026-07-01T01:00:00Z"));
    assert!(constraint_within("issued_after", later.clone(), earlier.clone()));
    assert!(!constraint_within("issued_after", earlier.clone(), later.clone()));
    assert!(constraint_within("issued_before", earlier.clone(), later.clone()));
    assert!(!constraint_within("issued_before", later, earlier.clone()));
    assert!(constraint_within("issued_after", json!("2026-07-01T02:00:00+02:00"), earlier.clone()));
    assert!(!constraint_within("issued_after", json!("2026-07-01T01:00:00+02:00"), earlier));
    assert!(constraint_within("tenant", json!("a"), json!(["a", "b"])));
    assert!(constraint_within("tenant", json!(["b", "a"]), json!(["a", "b", "c"])));
    assert!(!constraint_within("tenant", json!(["a", "d"]), json!(["a", "b"])));
    assert!(!constraint_within("tenant", json!("A"), json!("a")));
    assert!(!constraint_within("tenant", json!("1"), json!(1)));
}

#[test]
fn a_wider_prefix_is_refused_at_the_boundary_of_a_segment() {
    let base = ("https://h.example/a", true);
    for within in ["https://h.example/a", "https://h.example/a/", "https://h.example/a/b", "https://h.example/b/../a/c"]
    {
        assert!(resource_within((within, false), base), "{within}");
        assert!(resource_within((within, true), base), "{within}");
    }
    for outside in [
        "https://h.example/ab",
        "https://h.example/",
        "https://h.example/a/../b",
        "https://h.example/a/%2e%2e/b",
        "https://h.example/a/%2E./b",
        "https://h.example/a/./../b",
        "https://h.example/a/b/../..",
        "https://h.example/A",
        "https://other.example/a",
        "http://h.example/a",
        "https://h.example:8443/a",
        "https://h.example.evil.example/a",
    ] {
        assert!(!resource_within((outside, false), base), "{outside}");
        assert!(!resource_within((outside, true), base), "{outside}");
    }
    // Everything under a resource is never within the resource alone.
    assert!(!resource_within(("https://h.example/a", true), ("https://h.example/a", false)));
    assert!(!resource_within(("https://h.example/a/b", false), ("https://h.example/a", false)));
    assert!(resource_within(("https://h.example", true), ("https://h.example/", true)));
}

#[test]
fn spellings_of_one_resource_are_equal() {
    for same in [
        "HTTPS://H.Example/a/b~c",
        "https://h.example:443/a/b~c",
        "https://h.example/a/b%7ec",
        "https://h.example/%61/b%7Ec",
        "https://h.example/a/./b~c",
        "https://h.example/x/../a/b~c",
    ] {
        assert!(resource_within((same, false), ("https://h.example/a/b~c", false)), "{same}");
    }
    assert!(resource_within(("https://h.example/a%3fb", false), ("https://h.example/a%3Fb", false)));
    assert!(!resource_within(("https://h.example/a/", false), ("https://h.example/a", false)));
}

#[test]
fn a_wider_family_of_actions_is_refused() {
    let wide = |action: &str| wider(|value| value["actions"] = json!([action]));
    for action in ["invoices.*", "*", "journals.read", "journal", "invoices.read.all", "invoices.write"] {
        assert_eq!(wide(action), Some(Why::Action(action.to_owned())), "{action}");
    }
    for action in ["journal.*", "journal.q3.export", "invoices.read"] {
        assert_eq!(wide(action), None, "{action}");
    }
}

#[test]
fn what_is_passed_on_goes_less_far_and_to_nobody_new() {
    assert_eq!(wider(|value| value["delegation"]["max_depth"] = json!(2)), Some(Why::Depth));
    assert_eq!(wider(|value| value["delegation"]["max_depth"] = json!(3)), Some(Why::Depth));
    assert_eq!(wider(|value| value["delegation"]["max_depth"] = json!(0)), None);
    let delegates = |one: Value| wider(|value| value["delegation"]["allowed_delegates"] = json!([one]));
    assert_eq!(delegates(json!({"sub_profile": "service"})), Some(Why::Delegates));
    assert_eq!(delegates(json!({"sub": "somebody"})), Some(Why::Delegates));
    let undelegable = entry(|value| _ = value.as_object_mut().unwrap().remove("delegation")).unwrap();
    let delegable = entry(|value| value["delegation"]["max_depth"] = json!(0)).unwrap();
    assert_eq!(is_subset(&[delegable], &[undelegable]).unwrap_err().why, Why::Depth);
}

#[test]
fn nothing_is_not_a_subset_and_the_nearest_miss_is_told() {
    assert_eq!(is_subset(&[], &parent()), Err(Wider { entry: 0, why: Why::Nothing }));
    assert_eq!(is_subset(&parent(), &[]), Err(Wider { entry: 0, why: Why::Nothing }));
    let elsewhere = entry(|value| value["resource"] = json!("https://other.example")).unwrap();
    let child = entry(|value| {
        value["delegation"]["max_depth"] = json!(1);
        value["actions"] = json!(["payments.make"]);
    });
    let good = entry(|value| value["delegation"]["max_depth"] = json!(1)).unwrap();
    let parents = [parent(), vec![elsewhere]].concat();
    let wider = is_subset(&[good, child.unwrap()], &parents).unwrap_err();
    assert_eq!(wider, Wider { entry: 1, why: Why::Action("payments.make".to_owned()) });
    assert_eq!(wider.to_string(), "entry 1 is wider than what it comes from: its action `payments.make` is not within");
}

#[test]
fn what_one_entry_lacks_another_does_not_lend() {
    // Two parents that together would allow what neither allows: their bounds differ.
    let small = entry(|value| value["actions"] = json!(["invoices.read"])).unwrap();
    let free = entry(|value| {
        value["actions"] = json!(["journal.*"]);
        value["constraints"] = json!({});
    });
    let both = entry(|value| {
        value["delegation"]["max_depth"] = json!(1);
        value["constraints"] = json!({});
    });
    assert!(is_subset(&[both.unwrap()], &[small, free.unwrap()]).is_err());
}

#[test]
fn an_entry_covers_calls() {
    let entry = &parent()[0];
    assert!(entry.covers("https://ERP.example.com/mcp/books", "invoices.read"));
    assert!(entry.covers("https://erp.example.com/mcp/books", "journal.write"));
    assert!(!entry.covers("https://erp.example.com/mcp/books", "journal"));
    assert!(!entry.covers("https://erp.example.com/mcp/books/x", "invoices.read"));
    assert!(!entry.covers("nonsense", "invoices.read"));
}

#[test]
fn intents_are_read_strictly() {
    let intent = |change: &dyn Fn(&mut Value)| {
        let mut value = json!({"intent": {
            "goal": "Reconcile Q3 invoices", "resources": ["https://erp.example.com"],
            "expires_at": "2026-12-31T23:59:59Z", "constraints": ["no payments"], "success_criteria": ["books balance"],
            "purpose": "closing", "controls": {"acr": "urn:example:acr:mfa", "max_derivations": 20},
        }});
        change(&mut value);
        MissionIntent::parse(&value.to_string())
    };
    let read = intent(&|_| ()).unwrap();
    assert_eq!(read.goal, "Reconcile Q3 invoices");
    assert_eq!(read.expires_at, 1_798_761_599);
    assert_eq!(read.constraints, ["no payments"]);
    assert_eq!(read.controls.max_derivations, Some(20));
    assert!(intent(&|value| value["evidence"] = json!({"any": 1})).unwrap().evidence.is_some());
    assert!(intent(&|value| value["authority"] = json!([])).is_err());
    assert!(intent(&|value| value["intent"]["budget"] = json!(1)).is_err());
    assert!(intent(&|value| value["intent"]["controls"]["max_spend"] = json!(1)).is_err());
    assert!(intent(&|value| value["intent"]["goal"] = json!("")).is_err());
    assert!(intent(&|value| value["intent"]["resources"] = json!([])).is_err());
    assert!(intent(&|value| value["intent"]["resources"] = json!(["erp"])).is_err());
    assert_eq!(intent(&|value| value["intent"]["expires_at"] = json!("2026-12-31")), Err(MissionError::Time));
    for name in ["goal", "resources", "expires_at"] {
        let missing = intent(&|value| _ = value["intent"].as_object_mut().unwrap().remove(name));
        assert_eq!(missing, Err(MissionError::Json(JsonError::Missing(name))));
    }
    assert!(MissionIntent::parse(r#"{"intent":{"goal":"a","goal":"b"}}"#).is_err());
    assert!(MissionIntent::parse("[]").is_err());
}

fn arbitrary_entry() -> impl Strategy<Value = Value> {
    let resource = prop::sample::select(vec!["https://a.example", "https://a.example/x", "https://a.example/x/y"]);
    let action = prop::sample::select(vec!["*", "f.*", "f.g.*", "f.g.h", "f.g", "k"]);
    let amount = (0_i32..50).prop_map(|units| json!({"amount": format!("{units}.{}", units % 10), "currency": "EUR"}));
    let among = prop::collection::vec(prop::sample::select(vec!["n", "s", "e", "w"]), 1..4);
    let hour = (0_u8..24).prop_map(|hour| format!("2026-07-01T{hour:02}:00:00Z"));
    let bounds = (prop::option::of(amount), prop::option::of(among), prop::option::of(hour));
    let delegate = prop::sample::select(vec![
        json!({"sub_profile": "ai_agent"}),
        json!({"sub": "spiffe://a.example/agent/x/test"}),
        json!({"sub": "other"}),
    ]);
    let delegation = prop::option::of((0_u32..4, prop::collection::vec(delegate, 1..3)));
    (resource, any::<bool>(), prop::collection::vec(action, 1..3), bounds, delegation).prop_map(
        |(resource, prefix, actions, (most, among, after), delegation)| {
            let mut value = json!({
                "type": "mission_resource_access", "resource": resource, "actions": actions, "constraints": {},
                "resource_match": if prefix { "prefix" } else { "exact" },
            });
            let bounds = value["constraints"].as_object_mut().unwrap();
            bounds.extend(most.map(|most| ("max_amount".to_owned(), most)));
            bounds.extend(among.map(|among| ("side".to_owned(), json!(among))));
            bounds.extend(after.map(|after| ("made_after".to_owned(), json!(after))));
            if let Some((depth, delegates)) = delegation {
                value["delegation"] = json!({"max_depth": depth, "allowed_delegates": delegates});
            }
            value
        },
    )
}

/// Narrows an entry in the ways that `how` says, one bit each.
fn narrowed(mut value: Value, how: u8) -> Value {
    if how & 1 != 0 {
        value["constraints"]["extra"] = json!("only this");
    }
    if how & 2 != 0 && value["constraints"]["max_amount"].is_object() {
        value["constraints"]["max_amount"]["amount"] = json!("0");
    }
    if how & 4 != 0 && value["constraints"]["side"].is_array() {
        value["constraints"]["side"] = value["constraints"]["side"][0].clone();
    }
    if how & 8 != 0 && value["constraints"]["made_after"].is_string() {
        value["constraints"]["made_after"] = json!("2026-07-02T00:00:00Z");
    }
    if how & 16 != 0 {
        let resource = value["resource"].as_str().unwrap().to_owned();
        if value["resource_match"] == "prefix" {
            value["resource"] = json!(format!("{resource}/z"));
        }
    }
    if how & 32 != 0 {
        value["resource_match"] = json!("exact");
    }
    let depth = value["delegation"]["max_depth"].as_u64();
    match depth.and_then(|depth| depth.checked_sub(1)) {
        Some(depth) => value["delegation"]["max_depth"] = json!(depth),
        None => _ = value.as_object_mut().unwrap().remove("delegation"),
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn authority_contains_itself_but_for_passing_it_on(values in prop::collection::vec(arbitrary_entry(), 1..4)) {
        let parent = entries_of(&json!(values)).unwrap();
        let child: Vec<Value> = values.into_iter().map(|value| narrowed(value, 0)).collect();
        prop_assert_eq!(is_subset(&entries_of(&json!(child)).unwrap(), &parent), Ok(()));
        let kept: Vec<Entry> = parent.into_iter().filter(|entry| entry.delegation().is_none()).collect();
        prop_assert!(kept.is_empty() || is_subset(&kept, &kept).is_ok());
    }

    #[test]
    fn narrowing_never_widens(value in arbitrary_entry(), how in any::<u8>()) {
        let parent = [Entry::parse(&value).unwrap()];
        let child = [Entry::parse(&narrowed(value, how)).unwrap()];
        prop_assert_eq!(is_subset(&child, &parent), Ok(()));
    }

    #[test]
    fn containment_is_transitive(
        value in arbitrary_entry(), first in any::<u8>(), second in any::<u8>(), other in arbitrary_entry(),
    ) {
        let top = [Entry::parse(&value).unwrap()];
        let middle_value = narrowed(value, first);
        let middle = [Entry::parse(&middle_value).unwrap()];
        let bottom = [Entry::parse(&narrowed(middle_value, second)).unwrap()];
        prop_assert_eq!(is_subset(&bottom, &top), Ok(()));
        // And whatever happens to be contained in the middle is contained in the top.
        let any = [Entry::parse(&other).unwrap()];
        if is_subset(&any, &middle).is_ok() {
            prop_assert_eq!(is_subset(&any, &top), Ok(()));
        }
    }

    #[test]
    fn arbitrary_containment_is_transitive(values in prop::collection::vec(arbitrary_entry(), 3)) {
        let one = |index: usize| [Entry::parse(&values[index]).unwrap()];
        if is_subset(&one(0), &one(1)).is_ok() && is_subset(&one(1), &one(2)).is_ok() {
            prop_assert_eq!(is_subset(&one(0), &one(2)), Ok(()));
        }
    }

    #[test]
    fn reading_never_panics(text in "\\PC{0,200}", path in "[a%./2eEfF5cC]{0,24}") {
        let _ = parse_entries(&text);
        let _ = MissionIntent::parse(&text);
        let _ = parse_anchor(&text);
        let _ = entry(|value| value["resource"] = json!(format!("https://a.example/{path}")));
    }

    #[test]
    fn no_spelling_leaves_its_prefix(path in "(/|a|b|%2e|%2E|\\.|%61){0,12}") {
        let inside = format!("https://h.example/a/{path}");
        let Ok(child) = entry(|value| value["resource"] = json!(inside)) else { return Ok(()) };
        let base = entry(|value| {
            value["resource"] = json!("https://h.example/a");
            value["resource_match"] = json!("prefix");
        }).unwrap();
        // The other way to say it: a reader that resolves the address stays under the base.
        let resolved = path.replace("%2e", ".").replace("%2E", ".").replace("%61", "a");
        let mut depth = 0_i32;
        let mut left = false;
        for segment in resolved.split('/') {
            match segment { ".." => depth -= 1, "" | "." => {}, _ => depth += 1 }
            left |= depth < 0;
        }
        if !left {
            prop_assert!(child.place.is_under(&base.place));
        }
        if depth < 0 && child.place.is_under(&base.place) {
            // It left and came back: only by naming the base again.
            prop_assert!(resolved.contains("a"));
        }
    }
}
