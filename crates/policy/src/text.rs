//! One text of policies, read: all that follows from the text alone, whatever operations there are.
//!
//! INVARIANT: nothing in here depends on a schema's operations, so that a text which did not change is never read again.

use std::sync::Arc;

use cedar_policy::{Policy, PolicyId};
use cedar_policy_core::ast::Expr;

use crate::annotations;
use crate::diagnosis::{self, Finding};
use crate::index::Scope;
use crate::reads::Reads;
use crate::schema::Kinds;
use crate::set::{Effect, PolicySource, Rule};
use crate::sight::Sight;
use crate::{Problem, Severity};

/// A text and the policies in it.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) source: PolicySource,
    /// Those without a mistake of their own, in the order of the text.
    pub(crate) clauses: Vec<Arc<Clause>>,
    /// What is wrong with it, or should be looked at.
    pub(crate) problems: Vec<Problem>,
    pub(crate) reads: Reads,
}

/// One policy, in all the forms in which it is needed.
#[derive(Debug)]
pub(crate) struct Clause {
    pub(crate) rule: Arc<Rule>,
    /// Named by its `@id`.
    pub(crate) policy: Policy,
    pub(crate) scope: Scope,
    /// What is left to be asked once the scope is fulfilled; nothing where the scope is all.
    pub(crate) condition: Option<Arc<Expr>>,
    pub(crate) sight: Sight,
    /// Where it begins in its text, in bytes.
    pub(crate) offset: Option<usize>,
}

impl Text {
    pub(crate) fn read(source: &PolicySource, kinds: &Kinds) -> Self {
        let mut text =
            Self { source: source.clone(), clauses: Vec::new(), problems: Vec::new(), reads: Reads::default() };
        let parsed = match source.text.parse::<cedar_policy::PolicySet>() {
            Ok(parsed) => parsed,
            Err(errors) => {
                let findings = diagnosis::of_parsing(&errors);
                text.problems = findings.into_iter().map(|finding| place(source, finding)).collect();
                return text;
            }
        };
        for template in parsed.templates() {
            let offset = source.text.find(&template.to_cedar());
            let problem = Problem::error(&source.name, "a policy cannot have slots such as `?principal`");
            let help = "write the policy for all, and tell them apart by attributes";
            text.problems.push(problem.help(Some(help.to_owned())).at(&source.text, offset));
        }
        // Cedar names policies by their place in the text: policy0, policy1, …
        let mut policies: Vec<&Policy> = parsed.policies().collect();
        policies.sort_by_key(|policy| {
            AsRef::<str>::as_ref(policy.id()).trim_start_matches("policy").parse::<usize>().unwrap_or(usize::MAX)
        });
        let mut places = Places { text: &source.text, offset: 0, line: 1 };
        for policy in policies {
            let own = policy.to_cedar().unwrap_or_default();
            let (offset, line) = places.find(&own).unzip();
            match text.clause(policy, own, offset, line, kinds) {
                Ok(clause) => text.clauses.push(Arc::new(clause)),
                Err(problem) => text.problems.push(problem.at(&source.text, offset)),
            }
        }
        text.reads = Reads::of(text.clauses.iter().map(|clause| &clause.policy));
        text
    }

    fn clause(
        &mut self,
        policy: &Policy,
        text: String,
        offset: Option<usize>,
        line: Option<usize>,
        kinds: &Kinds,
    ) -> Result<Clause, Box<Problem>> {
        let unnamed = |(sentence, help)| Box::new(Problem::error(&self.source.name, sentence).help(help));
        let id = annotations::id(policy).map_err(unnamed)?;
        let mistaken = |mistake| Box::new(unnamed(mistake).of(&id));
        if let Some(mistake) = annotations::mistyped(policy) {
            return Err(mistaken(mistake));
        }
        let asks = annotations::asks(policy).map_err(mistaken)?;
        let reason = annotations::reason(policy).map_err(mistaken)?;
        if asks.is_some() && !text.contains("context.approval") {
            let sentence = "the policy says whom to ask, but no approval ever lifts it";
            let help = "add `unless { context has approval && context.approval.roles.contains(\"role\") }`";
            let problem = Problem::error(&self.source.name, sentence).of(&id).help(Some(help.to_owned()));
            self.problems.push(problem.warning().at(&self.source.text, offset));
        }
        let effect = match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        };
        let policy = policy.new_id(PolicyId::new(&id));
        let core: &cedar_policy_core::ast::Policy = policy.as_ref();
        let condition = core.non_scope_constraints_arc().cloned();
        let sight = condition.as_deref().map(Sight::of).unwrap_or_default();
        let rule = Rule { id, source: self.source.name.clone(), line, effect, reason, text, asks };
        Ok(Clause { rule: Arc::new(rule), scope: Scope::of(&policy, kinds), condition, sight, offset, policy })
    }
}

impl Clause {
    /// A problem of this policy, which stands in `source`.
    pub(crate) fn problem(&self, source: &PolicySource, sentence: String, help: Option<String>) -> Problem {
        Problem::error(&source.name, sentence).of(&self.rule.id).help(help).at(&source.text, self.offset)
    }
}

/// What was found about `source`, where it stands.
pub(crate) fn place(source: &PolicySource, finding: Finding) -> Problem {
    let problem = Problem::error(&source.name, finding.sentence).help(finding.help).at(&source.text, finding.offset);
    if finding.severity == Severity::Warning { problem.warning() } else { problem }
}

/// Finds one policy after the other in their text, which is walked through once.
struct Places<'a> {
    text: &'a str,
    /// The end of the one found last, and the line that it is in, from 1.
    offset: usize,
    line: usize,
}

impl Places<'_> {
    /// The byte and the line that `policy` begins at, if it comes after those found before.
    fn find(&mut self, policy: &str) -> Option<(usize, usize)> {
        let rest = self.text.get(self.offset..)?;
        let before = rest.get(..rest.find(policy)?)?;
        let lines = |text: &str| text.matches('\n').count();
        let (offset, line) = (self.offset + before.len(), self.line + lines(before));
        self.offset = offset + policy.len();
        self.line = line + lines(policy);
        Some((offset, line))
    }
}
