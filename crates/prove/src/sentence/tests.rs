use crate::world::invariant;
use crate::{FORMS, Never};

#[test]
fn sentences_mean_what_the_table_says() {
    let pairs = [
        ("no agent of class read ever reaches an operation with effect write", r#"{ class = "read", verb = "write" }"#),
        ("no agent of autonomy 4 ever reaches data D3", "{ autonomy = 4, data_at_least = 3 }"),
        (
            "no call of class act with effect send happens without approval",
            r#"{ class = "act", verb = "send", approval = false }"#,
        ),
        (
            "no agent of class read or code of autonomy 3 or above of environment test ever reaches an external irreversible operation on data D2",
            r#"{ class = ["read", "code"], autonomy_at_least = 3, environment = "test", external = true, irreversible = true, data_at_least = 2 }"#,
        ),
        (
            "no agent of autonomy 2 or below ever reaches data above its ceiling",
            "{ autonomy_at_most = 2, above_data_ceiling = true }",
        ),
        (
            "no agent ever reaches an operation outside the sandbox without a grant",
            "{ sandbox = false, grant = false }",
        ),
        (
            "no agent of attribution unknown ever reaches the connector mail",
            r#"{ attribution = "unknown", connector = "mail" }"#,
        ),
        (
            "no agent ever reaches the operation mail/send without approval",
            r#"{ operation = "mail/send", approval = false }"#,
        ),
        (
            "no call on data D0 happens without a grant without approval",
            "{ data_at_least = 0, grant = false, approval = false }",
        ),
    ];
    for (sentence, table) in pairs {
        assert_eq!(Never::from_sentence(sentence), Ok(invariant(table).never), "{sentence}");
    }
}

#[test]
fn what_is_not_understood_is_refused_and_never_guessed() {
    for sentence in [
        "",
        "no",
        "No agent ever reaches data D3",
        "no agents ever reach data D3",
        "no agent of class read ever reaches an operation with effect",
        "no agent of class read ever reaches an operation with effect write and send",
        "no agent of class read ever reaches an operation with effect write please",
        "no agent of class reader ever reaches data D3",
        "no agent of class read of class act ever reaches data D3",
        "no agent of autonomy 5 ever reaches data D3",
        "no agent of autonomy 04 ever reaches data D3",
        "no agent ever reaches data D4",
        "no agent ever reaches data d3",
        "no agent ever reaches an operation",
        "no call happens",
        "no call happens without approval without approval",
        "no agent of autonomy 3 or above or below ever reaches data D3",
    ] {
        let error = Never::from_sentence(sentence).expect_err(sentence).to_string();
        assert!(!error.is_empty());
    }
    let error = Never::from_sentence("no agent shall ever write").expect_err("it is refused").to_string();
    assert!(error.starts_with("`shall` is not understood where"), "{error}");
    assert!(FORMS.iter().all(|form| error.contains(form)), "{error}");
}

#[test]
fn a_sentence_without_end_is_not_read() {
    let long = format!("no agent of class {} ever reaches data D3", "read or ".repeat(1_000));
    assert!(Never::from_sentence(&long).expect_err("too long").to_string().contains("more than"));
}
