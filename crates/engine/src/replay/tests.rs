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
fn it_passes_if_all_that_was_decided_is_answered_alike() {
    let differing = |was, now| {
        let mut tally = Tally::default();
        tally.differs(&difference(0, was, now, "other"));
        tally.report()
    };
    assert!(differing(Answer::Deny, Answer::Deny).passed(), "by other rules");
    for (was, now) in [(Answer::Allow, Answer::Deny), (Answer::Deny, Answer::Allow), (Answer::Ask, Answer::Deny)] {
        assert!(!differing(was, now).passed(), "{was:?} {now:?}");
    }
    let mut tally = Tally::default();
    assert!(!tally.report().passed(), "nothing was tried");
    tally.kept("task_ended");
    assert!(!tally.report().passed(), "nothing was decided");
    tally.same();
    assert!(tally.report().passed());
    tally.unsaid(remit_domain::Unsaid::ArgumentsGone, difference(0, Answer::Deny, Answer::Deny, "base").link);
    assert!(!tally.report().passed());
}

#[test]
fn the_sentence_says_which_time_it_is_about() {
    let mut report = ReplayReport { attempts: 7, same: 4, different: 3, ..ReplayReport::default() };
    assert!(report.sentence().starts_with("of 7 actions recorded, 0 would"), "{}", report.sentence());
    report.first_at = Some(Timestamp::from_millis(1_800_000_000_000));
    report.last_at = Some(Timestamp::from_millis(1_800_000_060_000));
    let turn = |was, now, attempts| Turn { was, now, attempts };
    report.turns = vec![turn(Answer::Allow, Answer::Deny, 2), turn(Answer::Allow, Answer::Allow, 1)];
    assert_eq!(
        report.sentence(),
        "of 7 actions recorded from 2027-01-15T08:00:00.000Z to 2027-01-15T08:01:00.000Z, 2 would newly be denied, 0 asked about and 0 allowed; \
         1 would be answered alike by other rules, 0 cannot be said"
    );
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
