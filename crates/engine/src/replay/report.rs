//! What came out: counted, and grouped so that a person can read it.

use std::collections::{BTreeMap, HashMap};

use remit_domain::{ActionId, AgentId, Answer, Decided, OperationName, Recorded, State, Timestamp, Unsaid};
use serde::{Serialize, Serializer};

use crate::record::Committed;

/// Groups of differences that are kept apart; what goes beyond is counted.
pub const GROUPS_MAX: usize = 10_000;
/// Records that a group names, the first ones.
pub const LINKS_MAX: usize = 10;
/// Reasons for which nothing could be said that are kept apart.
const UNSAID_MAX: usize = 100;

/// Where an attempt is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Link {
    pub seq: u64,
    pub action: ActionId,
    #[serde(serialize_with = "in_words")]
    pub at: Timestamp,
}

/// An attempt that would be answered otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    #[serde(flatten)]
    pub link: Link,
    pub agent: AgentId,
    pub agent_name: String,
    pub operation: OperationName,
    /// What was said, and by which policies.
    pub was: Decided,
    /// What would be said.
    pub now: Decided,
}

impl Difference {
    pub(crate) fn of(
        committed: &Committed,
        recorded: &Recorded<'_>,
        state: &State,
        was: Decided,
        now: Decided,
    ) -> Self {
        let facts = recorded.facts;
        Self {
            link: Link { seq: committed.seq, action: recorded.action, at: committed.at },
            agent: facts.agent,
            agent_name: state.agents.get(&facts.agent).map(|agent| agent.name.clone()).unwrap_or_default(),
            operation: facts.operation.clone(),
            was,
            now,
        }
    }
}

/// Attempts of one agent at one operation that the same rules answered, and that other rules would answer now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    pub agent: AgentId,
    pub agent_name: String,
    pub operation: OperationName,
    pub was: Decided,
    pub now: Decided,
    pub attempts: u64,
    /// The first of them.
    pub first: Vec<Link>,
}

/// How many attempts went from one answer to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    pub was: Answer,
    pub now: Answer,
    pub attempts: u64,
}

/// Attempts about which nothing can be said, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsaidCount {
    #[serde(flatten)]
    pub why: Unsaid,
    pub attempts: u64,
    /// The first of them.
    pub first: Vec<Link>,
}

/// What deciding again came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReplayReport {
    /// Records that were looked at.
    pub records: u64,
    /// When the first and the last of them were recorded.
    #[serde(serialize_with = "in_words_or_null")]
    pub first_at: Option<Timestamp>,
    #[serde(serialize_with = "in_words_or_null")]
    pub last_at: Option<Timestamp>,
    /// Attempts among them: the sum of the four that follow.
    pub attempts: u64,
    /// Answered alike, by the same rules.
    pub same: u64,
    /// Answered otherwise, or by other rules.
    pub different: u64,
    /// Refused before any policy was asked, by the code of the refusal: these stay as they are.
    pub kept: BTreeMap<String, u64>,
    pub unsaid: Vec<UnsaidCount>,
    /// The differences by answer; one answer twice where only the rules differ.
    pub turns: Vec<Turn>,
    /// The differences by agent, operation and rules: changed answers first, then the largest.
    pub groups: Vec<Group>,
    /// Differences that belong to none of these groups, because there are too many.
    pub ungrouped: u64,
}

impl ReplayReport {
    /// Attempts that would be answered `now` and were not.
    pub fn newly(&self, now: Answer) -> u64 {
        self.turns.iter().filter(|turn| turn.now == now && turn.was != now).map(|turn| turn.attempts).sum()
    }

    /// Whether whatever was decided would be answered alike, by whichever rules: at least one action was decided again, nothing would be
    /// answered otherwise, and nothing could not be said.
    pub fn passed(&self) -> bool {
        let tried = self.same + self.different > 0;
        tried && self.unsaid.is_empty() && self.turns.iter().all(|turn| turn.was == turn.now)
    }

    /// The whole in a sentence, with the time that it is about.
    pub fn sentence(&self) -> String {
        let unsaid: u64 = self.unsaid.iter().map(|unsaid| unsaid.attempts).sum();
        let alike: u64 = self.turns.iter().filter(|turn| turn.was == turn.now).map(|turn| turn.attempts).sum();
        let [denied, asked, allowed] = [Answer::Deny, Answer::Ask, Answer::Allow].map(|answer| self.newly(answer));
        let time = match (self.first_at, self.last_at) {
            (Some(first), Some(last)) => format!(" from {first} to {last}"),
            _ => String::new(),
        };
        format!(
            "of {} actions recorded{time}, {denied} would newly be denied, {asked} asked about and {allowed} allowed; {alike} would be \
             answered alike by other rules, {unsaid} cannot be said",
            self.attempts
        )
    }
}

/// A moment as people read it (RFC 3339).
pub(crate) fn in_words<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn in_words_or_null<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => in_words(at, serializer),
        None => serializer.serialize_none(),
    }
}

type GroupKey = (AgentId, OperationName, Decided, Decided);

/// A report in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    report: ReplayReport,
    groups: HashMap<GroupKey, Group>,
    unsaid: HashMap<Unsaid, UnsaidCount>,
    turns: BTreeMap<(Answer, Answer), u64>,
}

impl Tally {
    pub(crate) fn attempts(&self) -> u64 {
        self.report.attempts
    }

    pub(crate) fn different(&self) -> u64 {
        self.report.different
    }

    /// Counts a record, whatever it is.
    pub(crate) fn passed(&mut self, committed: &Committed) {
        self.report.records += 1;
        self.report.first_at.get_or_insert(committed.at);
        self.report.last_at = Some(committed.at);
    }

    pub(crate) fn kept(&mut self, code: &str) {
        self.report.attempts += 1;
        match self.report.kept.get_mut(code) {
            Some(count) => *count += 1,
            None => drop(self.report.kept.insert(code.to_owned(), 1)),
        }
    }

    pub(crate) fn same(&mut self) {
        self.report.attempts += 1;
        self.report.same += 1;
    }

    pub(crate) fn unsaid(&mut self, why: Unsaid, link: Link) {
        self.report.attempts += 1;
        // Sentences may differ without end; what they are about does not.
        let why = match why {
            Unsaid::PoliciesDoNotHold(_) if self.unsaid.len() >= UNSAID_MAX && !self.unsaid.contains_key(&why) => {
                Unsaid::PoliciesDoNotHold("for further reasons".to_owned())
            }
            why => why,
        };
        let count = self.unsaid.entry(why.clone());
        let count = count.or_insert_with(|| UnsaidCount { why, attempts: 0, first: Vec::new() });
        count.attempts += 1;
        push(&mut count.first, link);
    }

    pub(crate) fn differs(&mut self, difference: &Difference) {
        self.report.attempts += 1;
        self.report.different += 1;
        let Difference { link, agent, agent_name, operation, was, now } = difference;
        *self.turns.entry((was.answer, now.answer)).or_default() += 1;
        let key = (*agent, operation.clone(), was.clone(), now.clone());
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&key) {
            self.report.ungrouped += 1;
            return;
        }
        let group = self.groups.entry(key).or_insert_with(|| Group {
            agent: *agent,
            agent_name: agent_name.clone(),
            operation: operation.clone(),
            was: was.clone(),
            now: now.clone(),
            attempts: 0,
            first: Vec::new(),
        });
        group.attempts += 1;
        push(&mut group.first, *link);
    }

    /// What it comes to so far.
    pub(crate) fn report(&self) -> ReplayReport {
        let mut groups: Vec<Group> = self.groups.values().cloned().collect();
        groups.sort_by(|one, other| {
            let same_answer = |group: &Group| group.was.answer == group.now.answer;
            (same_answer(one), other.attempts, &one.agent_name, &one.operation, &one.was, &one.now).cmp(&(
                same_answer(other),
                one.attempts,
                &other.agent_name,
                &other.operation,
                &other.was,
                &other.now,
            ))
        });
        let mut unsaid: Vec<UnsaidCount> = self.unsaid.values().cloned().collect();
        unsaid.sort_by(|one, other| (other.attempts, &one.why).cmp(&(one.attempts, &other.why)));
        let turns = self.turns.iter().map(|((was, now), attempts)| Turn { was: *was, now: *now, attempts: *attempts });
        ReplayReport { groups, unsaid, turns: turns.collect(), ..self.report.clone() }
    }
}

/// Keeps the first few.
fn push(links: &mut Vec<Link>, link: Link) {
    if links.len() < LINKS_MAX {
        links.push(link);
    }
}
