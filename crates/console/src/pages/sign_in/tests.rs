use serde_json::json;

use super::*;

fn page(given: &SignIn, refusal: Option<&Refusal>) -> String {
    let ceremony = Ceremony { id: "1.challenge.mac".to_owned(), options: json!({"challenge": "AA\"'<script>"}) };
    render("example.org", given, &ceremony, Some("Example <b>"), refusal).into_string()
}

#[test]
fn a_link_shows_one_button_and_uses_nothing_up() {
    let given = SignIn { code: "signin_\"><script>".to_owned(), next: "/approvals/apr_1".to_owned() };
    let page = page(&given, None);
    assert!(page.contains(r#"<form class="stack" method="post" action="/sign-in">"#), "{page}");
    assert!(page.contains(r#"name="code" value="signin_&quot;&gt;&lt;script&gt;""#), "{page}");
    assert!(page.contains(r#"name="next" value="/approvals/apr_1""#), "{page}");
    assert!(!page.contains("signin_\"><script>"));
}

#[test]
fn without_a_code_there_is_a_field_for_it() {
    let page = page(&SignIn::default(), Some(&Refusal::new("code_refused", "unknown, used or expired")));
    assert!(page.contains(r#"<input id="code" type="password" name="code""#), "{page}");
    assert!(page.contains("unknown, used or expired"));
    assert!(
        page.contains(r#"data-passkey="get""#) && page.contains(r#"name="ceremony" value="1.challenge.mac""#),
        "{page}"
    );
    assert!(page.contains("&lt;script&gt;") && !page.contains("'<script>"), "{page}");
    assert!(page.contains("Sign in with Example &lt;b&gt;"), "{page}");
}

#[test]
fn signing_in_leads_back_here_and_nowhere_else() {
    for here in ["/", "/approvals/apr_1?show=all", "/agents/support-bot"] {
        assert!(leads_here(here), "{here}");
    }
    for elsewhere in
        ["", "x", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: x", "/ä", "/a b"]
    {
        assert!(!leads_here(elsewhere), "{elsewhere}");
        assert_eq!(address(elsewhere), "/sign-in");
    }
    assert_eq!(address("/"), "/sign-in");
    assert_eq!(leading_to("/step-up", "https://evil.example"), "/step-up");
    assert_eq!(address("/approvals/apr_1"), "/sign-in?next=%2Fapprovals%2Fapr_1");
    assert!(!leads_here(&format!("/{}", "a".repeat(limits::NEXT_BYTES_MAX))));
}
