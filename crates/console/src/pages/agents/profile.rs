//! An agent's record as a form has it: names instead of ids, days instead of milliseconds, everything as text.

use std::collections::BTreeSet;

use maud::{Markup, html};
use remit_domain::{
    AgentProfile, Class, DataClass, Environment, FieldProblem, PersonId, Refusal, State, Timestamp, limits,
};
use serde::Deserialize;

use crate::pages::control::written;
use crate::parts::text::told;
use crate::parts::time::{day, midnight};

/// When a person looks at a new agent again, if nobody says otherwise, in seconds: 90 days.
const REVIEW_SECONDS: u64 = 90 * 24 * 3600;

pub(super) const CLASSES: [(Class, &str); 4] = [
    (Class::Read, "read: looks things up"),
    (Class::Transform, "transform: works on what it is given"),
    (Class::Act, "act: does things elsewhere"),
    (Class::Code, "code: writes and runs programs"),
];
pub(super) const ENVIRONMENTS: [Environment; 4] =
    [Environment::Sandbox, Environment::Development, Environment::Test, Environment::Production];
const AUTONOMIES: [(u8, &str); 4] = [
    (1, "A1: assists, a person does it"),
    (2, "A2: acts while a person looks on"),
    (3, "A3: acts by itself on what it was asked"),
    (4, "A4: starts by itself"),
];
const DATA: [(DataClass, &str, &str); 4] = [
    (DataClass::D0, "d0", "D0: public"),
    (DataClass::D1, "d1", "D1: internal"),
    (DataClass::D2, "d2", "D2: confidential"),
    (DataClass::D3, "d3", "D3: restricted"),
];

/// What somebody typed, kept as it is until it is right.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Typed {
    pub(super) name: String,
    purpose: String,
    owner: String,
    approvers: String,
    class: String,
    autonomy: String,
    environment: String,
    d0: String,
    d1: String,
    d2: String,
    d3: String,
    review: String,
    enforcer: String,
}

impl Typed {
    /// The form before anybody typed: whoever looks at it answers for the agent, which is looked at again in some months.
    pub(super) fn for_new(owner: &str, now: Timestamp) -> Self {
        Self { owner: owner.to_owned(), review: day(now.plus_seconds(REVIEW_SECONDS)), ..Self::default() }
    }

    /// The record as it is.
    pub(super) fn of(state: &State, name: &str, profile: &AgentProfile) -> Self {
        let person = |id: PersonId| state.person(id).map_or_else(|_| id.to_string(), |person| person.name.clone());
        let approvers: Vec<String> = profile.approvers.iter().map(|id| person(*id)).collect();
        let has = |class: DataClass| if profile.data_classes.contains(&class) { "yes" } else { "" }.to_owned();
        Self {
            name: name.to_owned(),
            purpose: profile.purpose.clone(),
            owner: profile.owner.map(person).unwrap_or_default(),
            approvers: approvers.join(", "),
            class: profile.class.map_or("", Class::as_str).to_owned(),
            autonomy: profile.autonomy.map(|level| level.to_string()).unwrap_or_default(),
            environment: profile.environment.map_or("", Environment::as_str).to_owned(),
            d0: has(DataClass::D0),
            d1: has(DataClass::D1),
            d2: has(DataClass::D2),
            d3: has(DataClass::D3),
            review: profile.review_at.map(day).unwrap_or_default(),
            enforcer: if profile.enforcer { "yes" } else { "" }.to_owned(),
        }
    }

    fn ticked(&self, class: DataClass) -> bool {
        let ticked = match class {
            DataClass::D0 => &self.d0,
            DataClass::D1 => &self.d1,
            DataClass::D2 => &self.d2,
            DataClass::D3 => &self.d3,
        };
        ticked == "yes"
    }

    /// The record that it says. What was left empty is empty in it: a draft need not be complete. A day that stays as it was stays the same
    /// moment of that day.
    ///
    /// # Errors
    /// If a part of it cannot be read, with what is wrong beside each.
    pub(super) fn profile(&self, state: &State, before: &AgentProfile) -> Result<AgentProfile, Refusal> {
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, sentence: String| wrong.push(FieldProblem::new(field, sentence));
        let mut person = |field: &str, name: &str| {
            let found = state
                .people_by_name
                .get(name)
                .copied()
                .or_else(|| name.parse::<PersonId>().ok().filter(|id| state.people.contains_key(id)));
            if found.is_none() {
                refuse(field, format!("there is nobody called `{}`", cut(name)));
            }
            found
        };
        let owner = Some(self.owner.trim()).filter(|name| !name.is_empty()).and_then(|name| person("owner", name));
        let names: BTreeSet<&str> =
            self.approvers.split([',', ' ', '\n', '\r', '\t']).filter(|name| !name.is_empty()).collect();
        let approvers = names.into_iter().filter_map(|name| person("approvers", name)).collect();
        let class = CLASSES.into_iter().map(|(class, _)| class).find(|class| class.as_str() == self.class);
        let environment = ENVIRONMENTS.into_iter().find(|environment| environment.as_str() == self.environment);
        let autonomy = AUTONOMIES.into_iter().map(|(level, _)| level).find(|level| level.to_string() == self.autonomy);
        let review_at = match (self.review.trim(), before.review_at) {
            ("", _) => None,
            (same, Some(before)) if day(before) == same => Some(before),
            (other, _) => midnight(other).map_err(|refusal| refuse("review", refusal.sentence)).ok(),
        };
        if !wrong.is_empty() {
            return Err(Refusal::new("bad_record", "something in the form is not as it has to be").fields(wrong));
        }
        Ok(AgentProfile {
            owner,
            approvers,
            purpose: written(&self.purpose),
            class,
            autonomy,
            data_classes: DATA.into_iter().map(|(class, ..)| class).filter(|class| self.ticked(*class)).collect(),
            environment,
            review_at,
            enforcer: self.enforcer == "yes",
        })
    }
}

/// As much of what was typed as a sentence repeats.
fn cut(text: &str) -> String {
    text.chars().take(limits::NAME_BYTES_MAX).collect()
}

/// The form, as it stands on a page.
pub(super) struct Form<'a> {
    pub(super) typed: &'a Typed,
    /// What was wrong with it when it was sent.
    pub(super) problem: Option<&'a Refusal>,
    /// Whether the viewer could send it at all.
    pub(super) is_usable: bool,
}

impl Form<'_> {
    /// What is wrong with one field.
    fn error(&self, field: &str) -> Option<&str> {
        let problem = self.problem?;
        let beside = problem.fields.iter().find(|one| one.field == field).map(|one| one.sentence.as_str());
        let is_name = field == "name" && ["name_taken", "reserved_name", "bad_name"].contains(&problem.code.as_str());
        beside.or_else(|| is_name.then_some(problem.sentence.as_str()))
    }

    fn field(&self, name: &str, label: &str, help: &str, input: &Markup) -> Markup {
        html! {
            div .field {
                label for=(name) { (label) }
                (input)
                @if let Some(error) = self.error(name) { p .error id={ (name) "-error" } { (told(error)) } }
                @if !help.is_empty() { p .help { (told(help)) } }
            }
        }
    }

    fn text(&self, name: &str, label: &str, help: &str, value: &str, required: bool) -> Markup {
        let described = self.error(name).map(|_| format!("{name}-error"));
        let input = html! {
            input id=(name) name=(name) value=(value) required[required] maxlength=(limits::TEXT_BYTES_MAX) autocomplete="off"
                spellcheck="false" disabled[!self.is_usable] aria-describedby=[described.as_deref()]
                aria-invalid=[described.as_ref().map(|_| "true")];
        };
        self.field(name, label, help, &input)
    }

    fn select(&self, name: &str, label: &str, help: &str, chosen: &str, values: &[(String, &str)]) -> Markup {
        let input = html! {
            select id=(name) name=(name) disabled[!self.is_usable] {
                option value="" { "not said yet" }
                @for (value, words) in values { option value=(value) selected[value == chosen] { (words) } }
            }
        };
        self.field(name, label, help, &input)
    }

    /// The name that a new agent gets.
    pub(super) fn name(&self) -> Markup {
        let help = "lower-case letters, digits, `-`, `_` and `.`; it is never given to another agent";
        self.text("name", "Name", help, &self.typed.name, true)
    }

    /// Everything but the name.
    pub(super) fn record(&self) -> Markup {
        let typed = self.typed;
        let classes = CLASSES.map(|(class, words)| (class.as_str().to_owned(), words));
        let environments = ENVIRONMENTS.map(|environment| (environment.as_str().to_owned(), environment.as_str()));
        let autonomies = AUTONOMIES.map(|(level, words)| (level.to_string(), words));
        html! {
            (self.field("purpose", "Purpose", "what it is for, in a sentence", &html! {
                textarea #purpose name="purpose" rows="2" maxlength=(limits::TEXT_BYTES_MAX) disabled[!self.is_usable] { (typed.purpose) }
            }))
            (self.text("owner", "Owner", "the person who answers for it", &typed.owner, false))
            (self.text("approvers", "Approvers", "who may answer in its owner's place, with commas between them", &typed.approvers, false))
            div .columns {
                (self.select("class", "Class", "", &typed.class, &classes))
                (self.select("autonomy", "Autonomy", "", &typed.autonomy, &autonomies))
                (self.select("environment", "Environment", "identities of different environments never mix", &typed.environment, &environments))
            }
            fieldset disabled[!self.is_usable] {
                legend { "Data that it may touch" }
                @if let Some(error) = self.error("data_classes") { p .error { (told(error)) } }
                @for (class, name, words) in DATA {
                    label .check { input type="checkbox" name=(name) value="yes" checked[typed.ticked(class)]; (words) }
                }
            }
            (self.field("review", "Next review", "the day by which a person looks at it again; after it the agent is suspended", &html! {
                input #review name="review" type="date" value=(typed.review) disabled[!self.is_usable];
            }))
            details open[typed.enforcer == "yes"] {
                summary { "Enforces elsewhere" }
                label .check {
                    input type="checkbox" name="enforcer" value="yes" checked[typed.enforcer == "yes"] disabled[!self.is_usable];
                    "it enforces in another gateway what Remit decides, and may ask about what others do"
                }
                p .help { "Only an administrator activates such an agent." }
            }
        }
    }

    /// What was wrong, above the fields; a mistake in one field alone stands beside it.
    pub(super) fn problem(&self) -> Markup {
        html! {
            @if let Some(refusal) = self.problem {
                div .notice .bad role="alert" {
                    p .sentence { (told(&refusal.sentence)) }
                    @if let Some(help) = &refusal.help { p .help { (told(help)) } }
                    p .quiet { "code " code { (refusal.code) } }
                }
            }
        }
    }
}
