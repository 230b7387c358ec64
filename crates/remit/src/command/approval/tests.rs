use serde_json::json;

use super::answer_line;

#[test]
fn whoever_cannot_answer_is_told_so_and_others_find_the_command() {
    let refusal =
        json!({"code": "self_approval", "sentence": "you started this task", "help": "somebody else has to answer"});
    let approval = json!({"answers": {"approve": refusal, "deny": null}});
    let yes = answer_line(&approval, "yes:", "/answers/approve", "remit approval approve apr_1 --digest ab");
    assert_eq!(yes, "yes: not from you: you started this task; others say `remit approval approve apr_1 --digest ab`");
    let no = answer_line(&approval, "no: ", "/answers/deny", "remit approval deny apr_1 --note TEXT");
    assert_eq!(no, "no:  remit approval deny apr_1 --note TEXT");
}

#[test]
fn what_has_just_been_shown_can_be_answered_after_a_look() {
    let soon = json!({"code": "too_soon", "sentence": "an answer takes at least 5 seconds of looking"});
    let approval = json!({"answers": {"approve": soon}});
    let yes = answer_line(&approval, "yes:", "/answers/approve", "remit approval approve apr_1 --digest ab --shown cd");
    assert_eq!(yes, "yes: remit approval approve apr_1 --digest ab --shown cd");
}
