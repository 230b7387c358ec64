use serde_json::json;

use super::*;

#[test]
fn nothing_that_an_agent_chose_becomes_markup_or_hides() {
    let hostile = "<script>alert(1)</script>\u{202e}\"";
    let document = json!({
        "agent": {"id": "agt_1", "name": hostile, "owner": hostile},
        "task": {"purpose": hostile, "labels": [hostile]},
        "operation": {"name": hostile, "description": hostile, "verb": hostile, "risk": 9},
        "arguments": {hostile: hostile},
        "beside": hostile,
        "denied_before": [{"approval": "apr_1", "operation": hostile, "by": hostile, "note": hostile}],
    });
    let document = Document(&document);
    for part in [what_runs(document), who(document), operation(document), denials(document), document.agent("/agent")] {
        let part = part.into_string();
        assert!(!part.contains("<script") && !part.contains('\u{202e}'), "{part}");
        assert!(part.contains("&lt;script&gt;"), "{part}");
    }
    assert!(operation(document).into_string().contains("high risk"), "a risk that is none is told as the highest");
}

#[test]
fn what_is_not_in_the_document_is_told_as_not_so() {
    let document = json!({"agent": {"id": "agt_1"}});
    let page = who(Document(&document)).into_string();
    assert!(page.contains("nothing tells who asked") && page.contains("nobody"), "{page}");
}
