use remit_testkit::NOW;
use serde_json::json;

use super::*;
use crate::world::Page;

/// What the form on `page` would send, with `text` typed into it.
fn typed<'a>(page: &'a Page, text: &'a str, action: &'a str) -> Vec<(&'a str, String)> {
    vec![
        ("form_token", page.field("form_token")),
        ("base", page.field("base")),
        ("text", text.replace('\n', "\r\n")),
        ("reason", "what <b>nobody</b> needs".to_owned()),
        ("do", action.to_owned()),
    ]
}

async fn send(world: &World, address: &str, cookie: &str, fields: &[(&str, String)]) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    world.post(address, cookie, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tells_every_problem_with_its_place_and_changes_nothing() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let form = world.get("/policies/new", &cookie).await;
    assert_eq!(form.status, StatusCode::OK);
    let head = world.engine.head();
    let broken = "@id(\"probe\")\n@reason(\"x\")\nforbid (principal, action, resource)\nwhen { resource.rsk > 3 };\n";
    let mut fields = typed(&form, broken, "check");
    fields.push(("name", "probe".to_owned()));
    let page = send(&world, "/policies/new", &cookie, &fields).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for part in ["does not hold", "line 4", "<pre>when { resource.rsk &gt; 3 };</pre>", "risk", "what &lt;b&gt;nobody"]
    {
        assert!(page.body.contains(part), "`{part}` is not on {}", page.body);
    }
    assert!(page.body.contains("name=\"name\" value=\"probe\""), "{}", page.body);
    let suspicious = [
        ("when { resource.risk > 3 && resource.risk < 2 }", "can never match"),
        ("when { resource.risk >= 3 && resource.connector == \"helpdesk\" }", ""),
    ];
    for (condition, told) in suspicious {
        let text = format!("@id(\"probe\")\n@reason(\"x\")\nforbid (principal, action, resource)\n{condition};\n");
        let mut fields = typed(&form, &text, "check");
        fields.push(("name", "probe".to_owned()));
        let page = send(&world, "/policies/new", &cookie, &fields).await;
        assert!(page.body.contains(told), "`{told}` is not on {}", page.body);
    }
    let asks = RULE
        .replace("@reason", "@approvers(\"nobodies\")\n@reason")
        .replace("};", "} unless { context has approval && context.approval.roles.contains(\"nobodies\") };");
    let mut fields = typed(&form, &asks, "check");
    fields.push(("name", "probe".to_owned()));
    let page = send(&world, "/policies/new", &cookie, &fields).await;
    assert!(page.body.contains("nobody is in the group"), "{}", page.body);
    assert_eq!((world.engine.head(), text(&world, "probe")), (head, None), "a check changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_tries_the_text_on_the_calls_of_the_last_day() {
    let world = World::new().await;
    world.ask(json!({"order": "A-1"})).await;
    let seq = world.engine.head() - 1;
    let forbid =
        "@id(\"probe\")\n@reason(\"x\")\nforbid (principal, action, resource == Operation::\"helpdesk/refund\");\n";
    let (root, olga) = (world.sign_in("root").await, world.sign_in("olga").await);
    let check = async |cookie: &str| {
        let form = world.get("/policies/new", cookie).await;
        let mut fields = typed(&form, forbid, "check");
        fields.push(("name", "probe".to_owned()));
        send(&world, "/policies/new", cookie, &fields).await.body
    };
    let page = check(&root).await;
    for part in [
        "Of 1 recorded calls",
        "would newly be denied",
        "support-bot",
        "helpdesk/refund",
        "high-risk-asks",
        "<code>probe</code>",
    ] {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
    assert!(page.contains(&format!("/records/{seq}\"")), "{page}");
    // Whoever may not read records is not told of them by trying policies on them.
    let page = check(&olga).await;
    assert!(
        !page.contains("/records/") && !page.contains("recorded calls:") && page.contains("you may read the records"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_proposed_waits_and_what_cannot_be_is_kept_as_typed() {
    let world = World::new().await;
    world.join("mia", &["administrators"]).await;
    let cookie = world.sign_in("olga").await;
    let form = world.get("/policies/new", &cookie).await;
    let hostile = format!("// </textarea><script>alert(1)</script>\n{RULE}");
    for (name, text, told) in [
        ("Bad Name", RULE, "is not a name for a policy"),
        ("probe", "", "the text is empty"),
        ("base", RULE, "there is a policy <code>base</code> already"),
        ("probe", "forbid (", "does not hold"),
    ] {
        let mut fields = typed(&form, text, "propose");
        fields.push(("name", name.to_owned()));
        let page = send(&world, "/policies/new", &cookie, &fields).await;
        assert!(page.status.is_client_error() && page.body.contains(told), "{} {}", page.status, page.body);
        assert!(page.body.contains(&format!("name=\"name\" value=\"{name}\"")), "{}", page.body);
        assert!(page.body.contains("what &lt;b&gt;nobody"), "the reason is kept: {}", page.body);
    }
    let mut fields = typed(&form, &hostile, "propose");
    fields.push(("name", "probe".to_owned()));
    let stolen: Vec<_> = fields.iter().filter(|(name, _)| *name != "form_token").cloned().collect();
    assert_eq!(send(&world, "/policies/new", &cookie, &stolen).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.engine.read(|state| state.changes.len()), 0, "nothing was proposed so far");
    let page = send(&world, "/policies/new", &cookie, &fields).await;
    assert!(page.header("location").starts_with("/changes/chg_"), "{} {}", page.status, page.body);
    assert_eq!(text(&world, "probe"), None);
    let edits = world.engine.read(|state| state.changes.values().next().unwrap().policy_edits());
    assert_eq!(edits[0].text.as_deref(), Some(hostile.as_str()), "as it was typed, with the line ends of a policy");
    let check = typed(&form, &hostile, "check").into_iter().chain([("name", "other".to_owned())]).collect::<Vec<_>>();
    let page = send(&world, "/policies/new", &cookie, &check).await;
    assert!(!page.has_foreign_script() && page.body.contains("&lt;/textarea&gt;"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_overwrites_a_text_that_they_have_not_seen() {
    let world = World::new().await;
    set(&world, Some(RULE), "first").await;
    let root = world.sign_in("root").await;
    let form = world.get("/policies/probe/edit", &root).await;
    assert!(form.body.contains("@id(&quot;probe&quot;)"), "{}", form.body);
    let meanwhile = format!("// meanwhile\n{RULE}");
    set(&world, Some(&meanwhile), "somebody was faster").await;
    let mine = format!("// mine\n{RULE}");
    let page = send(&world, "/policies/probe/edit", &root, &typed(&form, &mine, "propose")).await;
    assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
    assert!(
        page.body.contains("<del>- // meanwhile</del>") && page.body.contains("<ins>+ // mine</ins>"),
        "{}",
        page.body
    );
    assert_eq!(text(&world, "probe").as_deref(), Some(meanwhile.as_str()));
    // Sent again from what has been seen now, it counts; while root is alone, at once.
    let sent = send(&world, "/policies/probe/edit", &root, &typed(&page, &mine, "propose")).await;
    assert_eq!(sent.header("location"), "/policies/probe", "{}", sent.body);
    assert_eq!(text(&world, "probe").as_deref(), Some(mine.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_text_fits_into_the_form() {
    let world = World::new().await;
    let root = world.sign_in("root").await;
    let form = world.get("/policies/new", &root).await;
    let lines = "// 0123456789012345678901234567890123456789\n".repeat(850);
    let long = format!("{lines}{RULE}");
    assert!(long.len() > 36 * 1024);
    let mut fields = typed(&form, &long, "propose");
    fields.push(("name", "probe".to_owned()));
    let page = send(&world, "/policies/new", &root, &fields).await;
    assert_eq!(page.header("location"), "/policies/probe", "{} {}", page.status, page.body);
    assert_eq!(text(&world, "probe").as_deref(), Some(long.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_typed_is_lost_where_a_passkey_has_to_be_shown_first() {
    let world = World::new().await;
    let mut passkey = world.authenticator();
    world.enrol(&world.sign_in("root").await, &mut passkey).await;
    let cookie = world.sign_in_with(&mut passkey).await;
    let form = world.get("/policies/new", &cookie).await;
    world.pass_seconds(remit_domain::limits::FRESH_SECONDS + 1);
    let mut fields = typed(&form, RULE, "propose");
    fields.push(("name", "probe".to_owned()));
    let page = send(&world, "/policies/new", &cookie, &fields).await;
    assert!(page.body.contains("Confirm and propose"), "{} {}", page.status, page.body);
    assert_eq!(text(&world, "probe"), None);
    let back: Vec<(&str, String)> =
        ["form_token", "base", "name", "reason"].map(|name| (name, page.field(name))).into();
    assert_eq!(
        page.field("text"),
        RULE.replace('\n', "\r\n").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
    );
    let credential = passkey.get(&page.options()).to_string();
    let signed = [("text", RULE.to_owned()), ("do", "propose".to_owned()), ("ceremony", page.field("ceremony"))];
    let fields: Vec<(&str, String)> = back.into_iter().chain(signed).collect();
    let with =
        |credential: &str| fields.iter().cloned().chain([("credential", credential.to_owned())]).collect::<Vec<_>>();
    let forged = send(&world, "/policies/new", &cookie, &with("{}")).await;
    assert!(forged.status.is_client_error() && text(&world, "probe").is_none(), "{}", forged.body);
    assert!(forged.body.contains("@id(&quot;probe&quot;)"), "what was typed is still there: {}", forged.body);
    let sent = send(&world, "/policies/new", &cookie, &with(&credential)).await;
    assert_eq!(sent.header("location"), "/policies/probe", "{} {}", sent.status, sent.body);
    assert_eq!(text(&world, "probe").as_deref(), Some(RULE));
    assert!(world.engine.now() > NOW);
}
