use remit_domain::{ActionId, AgentId, Answer, Decided, OperationName, Timestamp};

use super::report::{GROUPS_MAX, LINKS_MAX};
use super::*;

fn difference(number: u64, was: Answer, now: Answer, rule: &str) -> Difference {
    let decided = |answer, rule: &str| Decided { answer, determining: vec![rule.to_owned()] };
    Difference {
        link: Link { seq: number, action: ActionId::from_uuid(Default::default()), at: Timestamp::from_millis(0) },
        agent: AgentId::from_uuid(Default::default()),
        agent_name: "triage".to_owned(),
        operation: OperationName::new("helpdesk", "read"),
        was: decided(was, "base"),
        now: decided(now, rule),
    }
}

#[test]
fn changed_answers_stand_before_changed_rules_and_many_before_few() {
    let mut tally = Tally::default();
    (0..30).for_each(|number| tally.differs(&difference(number, Answer::Allow, Answer::Allow, "other")));
    tally.differs(&difference(30, Answer::Allow, Answer::Ask, "asks"));
    (31..33).for_each(|number| tally.differs(&difference(number, Answer::Allow, Answer::Deny, "denies")));
    let report = tally.report();
    let order: Vec<(u64, Answer)> = report.groups.iter().map(|group| (group.attempts, group.now.answer)).collect();
    assert_eq!(order, [(2, Answer::Deny), (1, Answer::Ask), (30, Answer::Allow)]);
    assert_eq!(report.groups[2].first.len(), LINKS_MAX);
    assert_eq!([Answer::Deny, Answer::Ask, Answer::Allow].map(|answer| report.newly(answer)), [2, 1, 0]);
}

#[test]
fn what_is_counted_does_not_grow_without_end() {
    let mut tally = Tally::default();
    let count = GROUPS_MAX as u64 + 5;
    (0..count)
        .for_each(|number| tally.differs(&difference(number, Answer::Allow, Answer::Deny, &format!("rule-{number}"))));
    let report = tally.report();
    assert_eq!((report.groups.len(), report.ungrouped, report.different), (GROUPS_MAX, 5, count));
}
