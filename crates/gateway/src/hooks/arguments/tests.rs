use http::HeaderValue;

use super::*;

fn reported() -> Reported {
    let mut headers = HeaderMap::new();
    for (name, value) in [("content-type", "application/json"), ("x-region", "eu"), ("authorization", "Bearer secret")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Reported {
        method: "POST".to_owned(),
        path: "/orders/7".to_owned(),
        query: Some("full=1&part=a&part=b".to_owned()),
        host: "shop.example".to_owned(),
        scheme: "https".to_owned(),
        headers,
        body: Body::Whole(br#"{"amount": 5, "note": "x"}"#.to_vec()),
        connector: "orders".to_owned(),
        agent: None,
        mcp_path: None,
        principal: None,
        from: None,
    }
}

fn read(reported: &Reported, schema: Value) -> Result<Value, String> {
    let subject = Subject { agent: "triage", principal: Some("spiffe://a.example/b") };
    of(reported, &subject, None, &schema)
        .map(|arguments| Value::Object(arguments.named))
        .map_err(|denial| denial.refusal.code)
}

/// A schema that names `members` of the context.
fn naming(members: Value) -> Value {
    json!({"type": "object", "properties": {"context": {"type": "object", "properties": members}}})
}

#[test]
fn arguments_are_what_the_schema_names_and_nothing_else() {
    let schema = json!({"type": "object", "properties": {
        "subject": {"type": "object", "properties": {"id": {"type": "string"}, "principal": {"type": "string"}}},
        "action": {"type": "object", "properties": {"name": {"type": "string"}}},
        "resource": {"type": "object", "properties": {"id": {"type": "string"}}},
        "context": {"type": "object", "properties": {
            "host": {"type": "string"},
            "query": {"type": "object", "properties": {"full": {"type": "string"}}},
            "headers": {"type": "object", "properties": {
                "x-region": {"type": "string"}, "x-none": {"type": "string"}, "authorization": {"type": "string"}}},
            "body": {"type": "object", "properties": {"amount": {"type": "integer"}}},
        }},
    }});
    let expected = json!({
        "subject": {"id": "triage", "principal": "spiffe://a.example/b"},
        "action": {"name": "POST"},
        "resource": {"id": "/orders/7"},
        "context": {"host": "shop.example", "query": {"full": "1"}, "headers": {"x-region": "eu"}, "body": {"amount": 5}},
    });
    assert_eq!(read(&reported(), schema), Ok(expected));
    assert_eq!(read(&reported(), json!({"type": "object"})), Ok(json!({})));
    assert_eq!(read(&reported(), Value::Null), Ok(json!({})));
}

#[test]
fn who_asks_for_what_is_kept_whatever_the_schema_names() {
    let subject = Subject { agent: "triage", principal: Some("spiffe://a.example/b") };
    let arguments = of(&reported(), &subject, None, &Value::Null).unwrap();
    let Body::Whole(body) = reported().body else { panic!("no body") };
    let context = json!({
        "host": "shop.example",
        "query": "full=1&part=a&part=b",
        "body_sha256": Digest::of_bytes(&body).to_string(),
        "body_size_bytes": body.len(),
    });
    let expected = json!({
        "subject": {"id": "triage", "principal": "spiffe://a.example/b"},
        "resource": {"id": "/orders/7"},
        "context": context,
    });
    assert_eq!((arguments.named.is_empty(), Value::Object(arguments.beside)), (true, expected));
    let schema = json!({"type": "object", "properties": {"resource": {}, "subject": {"type": "object", "properties": {"id": {}}}}});
    let arguments = of(&reported(), &subject, None, &schema).unwrap();
    let expected = json!({"subject": {"principal": "spiffe://a.example/b"}, "context": context});
    assert_eq!(Value::Object(arguments.beside), expected);
}

#[test]
fn query_and_body_stand_beside_unless_the_arguments_hold_all_of_them() {
    let context = |reported: &Reported, members: Value| {
        let subject = Subject { agent: "triage", principal: None };
        let arguments = of(reported, &subject, None, &naming(members)).unwrap();
        let kept = arguments.beside.get("context").and_then(Value::as_object).cloned().unwrap_or_default();
        kept.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let reported = reported();
    assert!(context(&reported, json!({"host": {}, "query": {"type": "string"}, "body": {}})).is_empty());
    let some = json!({"type": "object", "properties": {"amount": {"type": "integer"}}});
    assert_eq!(context(&reported, json!({"host": {}, "query": {}, "body": some})), ["body_sha256", "body_size_bytes"]);
    let full = json!({"type": "object", "properties": {"full": {"type": "string"}}});
    assert_eq!(context(&reported, json!({"host": {}, "query": full, "body": {}})), ["query"]);
    let bare = Reported { query: None, body: Body::None, ..reported.clone() };
    assert!(context(&bare, json!({"host": {}})).is_empty());
    let asked = Reported { query: Some(String::new()), ..bare.clone() };
    assert_eq!(context(&asked, json!({"host": {}})), ["query"], "`/orders?` is not `/orders`");
    assert_eq!(context(&Reported { body: Body::Unknown, ..bare }, json!({"host": {}})), ["body"]);
}

#[test]
fn what_a_schema_takes_as_a_whole_holds_no_secrets() {
    let headers = read(&reported(), naming(json!({"headers": {"type": "object"}})));
    assert_eq!(headers, Ok(json!({"context": {"headers": {"content-type": "application/json"}}})));
    let body = read(&reported(), naming(json!({"body": {}})));
    assert_eq!(body, Ok(json!({"context": {"body": {"amount": 5, "note": "x"}}})));
    let query = read(&reported(), naming(json!({"query": {"type": "string"}})));
    assert_eq!(query, Ok(json!({"context": {"query": "full=1&part=a&part=b"}})));
}

#[test]
fn what_could_be_read_in_two_ways_is_refused_where_the_decision_depends_on_it() {
    let query = naming(json!({"query": {"type": "object"}}));
    assert_eq!(read(&reported(), query), Err("query_ambiguous".to_owned()));
    let body = || naming(json!({"body": {"type": "object"}}));
    let code = |change: fn(&mut Reported)| {
        let mut reported = reported();
        change(&mut reported);
        // What the schema does not name does not matter.
        assert!(read(&reported, naming(json!({"host": {"type": "string"}}))).is_ok());
        read(&reported, body()).unwrap_err()
    };
    assert_eq!(code(|reported| reported.body = Body::Unknown), "body_unknown");
    assert_eq!(code(|reported| reported.body = Body::Whole(br#"{"a": 1, "a": 2}"#.to_vec())), "body_malformed");
    assert_eq!(code(|reported| reported.body = Body::Whole(b"{} {}".to_vec())), "body_malformed");
    assert_eq!(code(|reported| reported.body = Body::Whole(b"9007199254740993".to_vec())), "body_malformed");
    assert_eq!(
        code(|reported| drop(reported.headers.insert("content-encoding", HeaderValue::from_static("gzip")))),
        "body_unreadable"
    );
}

#[test]
fn a_body_that_is_no_json_is_its_text_and_none_is_none() {
    let schema = || naming(json!({"body": {"type": "string"}}));
    let mut reported = reported();
    reported.headers.remove("content-type");
    reported.body = Body::Whole(b"a=1".to_vec());
    assert_eq!(read(&reported, schema()), Ok(json!({"context": {"body": "a=1"}})));
    reported.body = Body::None;
    assert_eq!(read(&reported, schema()), Ok(json!({"context": {}})));
}

#[test]
fn the_catalogue_adds_what_is_known_and_never_says_who_somebody_is() {
    let properties = json!({"department": "sales", "id": "somebody else"}).as_object().cloned().unwrap();
    let thing = |id: &str| Thing { id: id.to_owned(), properties: properties.clone() };
    let spec = ConnectorSpec::Elsewhere {
        subjects: vec![thing("triage")],
        resources: vec![thing("/orders/7")],
        trusts_properties: true,
    };
    let subject = Subject { agent: "triage", principal: None };
    let schema = json!({"type": "object", "properties": {"subject": {}, "resource": {}}});
    let arguments = of(&reported(), &subject, Some(&spec), &schema).unwrap();
    let expected = json!({
        "subject": {"id": "triage", "type": "agent", "department": "sales"},
        "resource": {"id": "/orders/7", "type": "orders", "department": "sales"},
    });
    assert_eq!(Value::Object(arguments.named), expected);
    assert!(!arguments.beside.contains_key("subject") && !arguments.beside.contains_key("resource"));
}
