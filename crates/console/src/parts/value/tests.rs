use serde_json::json;

use super::*;

#[test]
fn each_member_is_a_row() {
    let page = table(&json!({"amount": 90, "note": "two\nlines", "to": ["a", {"b": null}], "empty": ""})).into_string();
    assert!(page.contains(r#"<th scope="row">amount</th><td><code>90</code></td>"#), "{page}");
    assert!(page.contains("<span class=\"text\">two\nlines</span>"), "{page}");
    assert!(page.contains("<span class=\"quiet\">empty text</span>"), "{page}");
    assert!(page.contains("<pre>[\n"), "{page}");
}

#[test]
fn hostile_names_and_values_stay_text() {
    let page = table(&json!({
        "<img src=x onerror=alert(1)>": "</td><script>alert(2)</script>",
        "list": ["</pre><script>alert(3)</script>", "\u{202e}evil"],
    }))
    .into_string();
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(page.contains("U+202E") && !page.contains('\u{202e}'), "{page}");
}

#[test]
fn a_value_of_very_many_members_says_what_it_leaves_to_the_exact_text() {
    let many: serde_json::Map<_, _> = (0..300).map(|number| (format!("m{number}"), json!(number))).collect();
    assert!(table(&Value::Object(many)).into_string().contains("44 more members"));
}

#[test]
fn what_is_no_object_stands_alone() {
    assert_eq!(table(&json!("x")).into_string(), "<span class=\"text\">x</span>");
    assert!(table(&json!({})).into_string().contains("no members"));
}
