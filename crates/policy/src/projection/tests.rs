use serde_json::json;

use super::*;
use crate::ArgumentError;

fn declare(schema: &Value, text: &str) -> Result<Shape, ProjectionError> {
    Shape::from_json_schema(schema).expect("a shape").projecting(schema, &[text.parse()?])
}

/// What `function` makes of `value`, declared of one required argument of `schema`.
fn made(function: &str, schema: Value, value: Value) -> Result<Value, String> {
    let schema = json!({"type": "object", "properties": {"it": schema}, "required": ["it"]});
    let shape = declare(&schema, &format!("x = {function}")).expect("declared");
    let values = shape.projected(&json!({"it": value})).map_err(|error| error.to_string())?;
    Ok(values["x"].clone())
}

fn text(function: &str, value: &str) -> Option<String> {
    let value = made(&format!("{function}(it)"), json!({"type": "string"}), json!(value)).ok()?;
    Some(value.as_str().expect("a text").to_owned())
}

#[test]
fn a_projection_reads_and_writes_as_one_text() {
    for written in ["recipient_domain = email_domain(to)", "a = value(b.c[].$d-e)", "n = count(items[].x)"] {
        assert_eq!(written.parse::<Projection>().expect("reads").to_string(), written);
    }
    let loose: Projection = " a=value( b ) ".parse().expect("reads");
    assert_eq!(loose.to_string(), "a = value(b)");
    let json = serde_json::to_value(&loose).expect("writes");
    assert_eq!(json, json!("a = value(b)"));
    assert_eq!(serde_json::from_value::<Projection>(json).expect("reads"), loose);
}

#[test]
fn what_is_not_a_projection_is_refused_with_a_way_out() {
    let sentence = |text: &str| text.parse::<Projection>().expect_err("refused").to_string();
    assert_eq!(sentence("email_domain(to)"), "`email_domain(to)` is not a projection");
    assert_eq!(sentence("a = b"), "`a = b` is not a projection");
    assert_eq!(sentence("Recipient = value(to)"), "`Recipient` cannot be a projection's name");
    assert_eq!(sentence("if = value(to)"), "`if` cannot be a projection's name");
    assert_eq!(sentence("a = domain(to)"), "there is no function `domain` for projections");
    for path in ["", ".", "a..b", "[]", "a[0]", "a[", "a b(", " a. b", "a.b.c.d.e.f.g.h.i"] {
        let error = format!("x = value({path})").parse::<Projection>().expect_err("refused");
        assert!(matches!(error, ProjectionError::Path { .. }), "{path}: {error}");
        assert!(error.help().is_some());
    }
    assert!(matches!("x".repeat(10_000).parse::<Projection>(), Err(ProjectionError::Form { .. })));
}

#[test]
fn a_projection_fits_its_schema_or_is_refused() {
    let schema = json!({"type": "object", "properties": {
        "to": {"type": "array", "items": {"type": "string"}},
        "amount": {"type": "number"},
        "customer": {"$ref": "#/$defs/customer"},
        "any": {},
        "both": {"type": ["string", "integer"]},
    }, "$defs": {"customer": {"type": "object", "properties": {"email": {"type": "string"}}}}});
    let sentence = |text: &str| declare(&schema, text).expect_err("refused").to_string();
    assert_eq!(sentence("x = value(too)"), "the projection `x` reads `too`, which the schema does not describe");
    assert_eq!(
        sentence("x = value(customer.name)"),
        "the projection `x` reads `customer.name`, which the schema does not describe"
    );
    let help = |text: &str| declare(&schema, text).expect_err("refused").help().expect("help");
    assert_eq!(help("x = value(too)"), "did you mean `to`?");
    assert_eq!(help("x = value(customer.emal)"), "did you mean `customer.email`?");
    assert_eq!(help("x = value(recipient)"), "it describes `amount`, `any`, `both`, `customer`, `to`");
    assert_eq!(help("x = value(customer.name)"), "it describes `customer.email`");
    assert_eq!(help("x = value(any.name)"), "it describes no argument there; leave the projection out");
    assert_eq!(
        sentence("x = email_domain(to)"),
        "the projection `x` applies `email_domain` to `to`, which is not a text"
    );
    assert_eq!(sentence("x = count(amount)"), "the projection `x` applies `count` to `amount`, which is not a list");
    assert_eq!(sentence("x = value(amount[])"), "the projection `x` applies `value` to `amount`, which is not a list");
    assert_eq!(sentence("x = lower(any)"), "the projection `x` applies `lower` to `any`, which is not a text");
    assert!(sentence("x = value(both)").ends_with("of one type: a text, a number, or true or false"));
    for fitting in [
        "x = email_domain(to[])",
        "x = email_domain(customer.email)",
        "x = count(to)",
        "x = value(amount)",
        "x = lower(both)",
    ] {
        assert!(declare(&schema, fitting).is_ok(), "{fitting}");
    }
    let shape = Shape::from_json_schema(&schema).expect("a shape");
    let one: Projection = "x = count(to)".parse().expect("reads");
    let twice = shape.clone().projecting(&schema, &[one.clone(), one.clone()]);
    assert_eq!(twice, Err(ProjectionError::Twice { name: "x".to_owned() }));
    let many = vec![one; limits::PROJECTIONS_MAX + 1];
    assert_eq!(shape.projecting(&schema, &many), Err(ProjectionError::TooMany));
}

#[test]
fn schemas_that_turn_in_circles_are_followed_only_so_far() {
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}});
    assert!(declare(&schema, "x = value(a)").is_err());
}

#[test]
fn each_has_its_type_and_is_optional_where_its_argument_is() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "b": {"type": ["string", "null"]},
        "c": {"type": "array", "items": {"type": "object", "properties": {"d": {"type": "integer"}}}},
        "e": {"type": "object", "properties": {"f": {"type": "boolean"}}, "required": ["f"]},
        "g": {"type": "number"},
    }, "required": ["a", "b", "c"]});
    let texts =
        ["a1 = lower(a)", "b1 = lower(b)", "c1 = value(c[].d)", "c2 = count(c)", "e1 = value(e.f)", "g1 = value(g)"];
    let projections: Vec<Projection> = texts.iter().map(|text| text.parse().expect("reads")).collect();
    let shape = Shape::from_json_schema(&schema).expect("a shape").projecting(&schema, &projections).expect("declared");
    assert_eq!(
        shape.projected_type(),
        r#"{"a1": String, "b1"?: String, "c1": Set<Long>, "c2": Long, "e1"?: Bool, "g1"?: decimal}"#
    );
    let values = shape.projected(&json!({"a": "A", "b": null, "c": [{"d": 2}, {}, {"d": 1}]})).expect("values");
    assert_eq!(json!(values), json!({"a1": "a", "c1": [2, 1], "c2": 3}));
    let error = shape.projected(&json!({"a": "A", "b": 1, "c": []})).expect_err("refused");
    assert_eq!(error.to_string(), "the argument `b` gives no `b1`: it is not a text");
}

#[test]
fn one_value_in_place_of_a_list_counts_as_a_list_of_one() {
    let either = json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    let domains = |value| made("email_domain(it[])", either.clone(), value);
    assert_eq!(domains(json!("a@b.org")), Ok(json!(["b.org"])));
    assert_eq!(domains(json!(["a@b.org", "c@D.org"])), Ok(json!(["b.org", "d.org"])));
    assert!(domains(json!(["a@b.org", 7])).is_err());
    let list = json!({"type": "array", "items": {"type": "string"}});
    assert_eq!(
        made("lower(it[])", list, json!("A")),
        Err("the argument `it[]` gives no `x`: it is not a list".to_owned())
    );
}

#[test]
fn the_domain_of_an_address_is_one_or_none() {
    let domain = |address| text("email_domain", address);
    assert_eq!(domain("ana@Example.ORG"), Some("example.org".to_owned()));
    assert_eq!(domain(" Ana Bo <ana+x@example.org> "), Some("example.org".to_owned()));
    assert_eq!(domain("ana@example.org."), Some("example.org".to_owned()));
    for unclear in [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@a@b.org",
        "a@b.org,c@d.org",
        "a@b.org c@d.org",
        "a@b.org\nBcc: c@d.org",
        "\"a@b.org\" <c@d.org>",
        "a@b.org <c@d.org>",
        "<a@b.org",
        "ana@[10.0.0.1]",
        "ana@10.0.0.1",
        "ana@bücher.de",
        "ana@a..b",
        "ana@b.org>",
        "(x)ana@b.org",
        "ana@b.org;c@d.org",
    ] {
        assert_eq!(domain(unclear), None, "{unclear}");
    }
}

#[test]
fn the_host_of_an_address_is_the_one_that_every_program_sees() {
    let host = |url| text("url_host", url);
    assert_eq!(host("https://API.example.org:8443/a?b#c"), Some("api.example.org".to_owned()));
    assert_eq!(host("https://example.org./"), Some("example.org".to_owned()));
    assert_eq!(host("http://10.0.0.1"), Some("10.0.0.1".to_owned()));
    assert_eq!(host("http://[2001:DB8:0::1]:80/"), Some("2001:db8::1".to_owned()));
    assert_eq!(host("https://example.org?x=https://evil.org"), Some("example.org".to_owned()));
    for unclear in [
        "",
        "example.org",
        "https:example.org",
        "https:///example.org",
        "https://",
        "//example.org",
        "https://good.org\\@evil.org",
        "https://good.org@evil.org",
        "https://u:p@evil.org/",
        "https://exa mple.org",
        "https://exam\tple.org",
        "https://127.1",
        "https://0x7f.0.0.1",
        "https://0x7f000001",
        "https://2130706433",
        "https://010.0.0.1",
        "https://ex%61mple.org",
        "https://bücher.de",
        "https://[::1",
        "https://[::1]x",
        "https://a:b",
        "https://a:123456",
        "1s://a",
        "file:///etc/passwd",
    ] {
        assert_eq!(host(unclear), None, "{unclear}");
    }
}

#[test]
fn a_path_is_resolved_and_never_leaves_unseen() {
    let path = |path| text("path", path);
    for (written, resolved) in [
        ("/srv/../etc/passwd", "/etc/passwd"),
        ("/srv//a/./b/", "/srv/a/b"),
        ("a/../b", "b"),
        ("./a", "a"),
        ("", "."),
        ("a/..", "."),
        ("/", "/"),
        ("..", "outside"),
        ("a/../../b", "outside"),
        ("/../etc", "outside"),
        ("...", "..."),
    ] {
        assert_eq!(path(written).as_deref(), Some(resolved), "{written}");
    }
    assert_eq!(path("a\\..\\b"), None);
    assert_eq!(path("a\0b"), None);
}

#[test]
fn the_verb_of_a_statement_is_its_first_keyword() {
    let verb = |sql| text("sql_verb", sql);
    for (sql, keyword) in [
        ("select * from a", "SELECT"),
        ("  \n(SELECT 1)", "SELECT"),
        ("SELECT*FROM a", "SELECT"),
        ("-- note\n/* another */ Delete from a;", "DELETE"),
        ("SELECT 1; DROP TABLE a", "MULTIPLE"),
        ("SELECT ';' ; ", "MULTIPLE"),
        ("SELECT 1;\n; ", "SELECT"),
        ("with x as (delete from a) select 1", "WITH"),
    ] {
        assert_eq!(verb(sql).as_deref(), Some(keyword), "{sql}");
    }
    for unclear in [
        "",
        ";",
        "-- only",
        "/* open",
        "/* /* */ DROP TABLE a */ SELECT 1",
        "/*!DROP TABLE a*/",
        "SELECT 1 /*!50000 , 2 */",
        "--x\nSELECT 1",
        "-- a\rDROP TABLE a\nSELECT 1",
        "# a\nSELECT 1",
        "1",
        "select1",
        "$x$",
        "séléct",
    ] {
        assert_eq!(verb(unclear), None, "{unclear}");
    }
}

#[test]
fn amounts_are_whole_numbers() {
    let amount = |kind: &str, value| made("amount(it)", json!({"type": kind}), value).ok();
    assert_eq!(amount("integer", json!(1250)), Some(json!(1250)));
    assert_eq!(amount("integer", json!(12.0)), Some(json!(12)));
    assert_eq!(amount("number", json!(12.5)), Some(json!(1250)));
    assert_eq!(amount("number", json!(12)), Some(json!(1200)));
    assert_eq!(amount("number", json!(-0.05)), Some(json!(-5)));
    assert_eq!(amount("number", json!(0.001)), None);
    assert_eq!(amount("string", json!("12.30")), Some(json!(1230)));
    for unclear in ["", "1,000", "1e3", "+1", "1.", ".5", "1.234", "--1", " 1", "99999999999999999999"] {
        assert_eq!(amount("string", json!(unclear)), None, "{unclear}");
    }
}

#[test]
fn a_policy_decides_by_what_is_projected() {
    use crate::{Outcome, PolicySet, Request, Schema, evaluate, world};

    let schema = json!({"type": "object", "properties": {
        "order_id": {"type": "string"}, "amount": {"type": "integer"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"to": {"type": "string"}}}},
    }, "required": ["order_id", "amount"]});
    let shape = declare(&schema, "domains = email_domain(lines[].to)").expect("declared");
    let mut operations = world::operations();
    operations[0].arguments = shape.clone();
    let known = Schema::generate(operations.iter()).expect("a schema");
    let text = format!(
        "{}\n@id(\"inside\") forbid (principal, action, resource) when \
         {{ context.projected has domains && !([\"example.org\"].containsAll(context.projected.domains)) }};",
        world::PERMIT
    );
    let set = PolicySet::compile(&[world::source(&text)], &known).expect("the policy fits every operation");
    let facts = world::facts();
    let decide = |lines: Value| {
        let arguments = json!({"order_id": "o", "amount": 1, "lines": lines});
        let request = Request {
            facts: &facts,
            shape: &shape,
            arguments: &arguments,
            approval: None,
            now_ms: 0,
            credential_age_s: 0,
        };
        evaluate(&set, &known, &request)
    };
    assert_eq!(decide(json!([{"to": "a@example.org"}])).outcome, Outcome::Allow);
    assert_eq!(decide(json!([{"to": "a@example.org"}, {"to": "b@evil.org"}])).determining, ["inside"]);
    let unclear = decide(json!([{"to": "somebody"}]));
    assert_eq!(unclear.outcome, Outcome::Deny);
    assert!(matches!(unclear.arguments, Some(ArgumentError::Projection { .. })));
    let unknown = text.replace("domains", "other");
    let problems =
        PolicySet::compile(&[world::source(&unknown.replace("context.projected has other && ", ""))], &known);
    let problems = problems.expect_err("a value that nobody declared is an error at load");
    assert!(problems.iter().any(|problem| problem.sentence.contains("the projected value `other`")), "{problems:#?}");
}

#[test]
fn good_ones_are_proposed_from_names_and_formats() {
    let proposed = |tool: &str, properties: Value| -> Vec<String> {
        let schema = json!({"type": "object", "properties": properties});
        propose(tool, &schema).iter().map(ToString::to_string).collect()
    };
    let (word, words) = (json!({"type": "string"}), json!({"type": "array", "items": {"type": "string"}}));
    assert_eq!(
        proposed(
            "send_mail",
            json!({"to": words, "cc": word, "contact": {"type": "string", "format": "email"}, "body": word})
        ),
        [
            "cc_domain = email_domain(cc)",
            "contact_domain = email_domain(contact)",
            "recipient_domains = email_domain(to[])",
            "recipient_count = count(to)"
        ]
        .map(|text| text.replace("recipient_count", "to_count"))
    );
    assert_eq!(
        proposed("fetch", json!({"callbackUrl": word, "page": {"type": "string", "format": "uri"}})),
        ["callback_url_host = url_host(callbackUrl)", "page_host = url_host(page)"]
    );
    assert_eq!(
        proposed("copy", json!({"source_path": word, "file": word, "paths": words})),
        [
            "file_path = path(file)",
            "paths = path(paths[])",
            "paths_count = count(paths)",
            "source_path = path(source_path)"
        ]
    );
    assert_eq!(
        proposed("refund", json!({"amount_cents": {"type": "integer"}})),
        ["amount_cents = amount(amount_cents)"]
    );
    assert_eq!(proposed("mysql_query", json!({"query": word})), ["sql_verb = sql_verb(query)"]);
    assert_eq!(proposed("search", json!({"query": word})), Vec::<String>::new());
    assert_eq!(proposed("x", json!({"to": {"type": "integer"}})), Vec::<String>::new());
    let many: serde_json::Map<String, Value> = (0..40).map(|n| (format!("a{n}_path"), word.clone())).collect();
    assert_eq!(proposed("x", Value::Object(many)).len(), limits::PROJECTIONS_MAX);
    assert_eq!(propose("x", &json!(7)), []);
}
