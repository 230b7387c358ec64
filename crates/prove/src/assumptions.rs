//! What Remit guarantees of every call before it asks the policies.
//!
//! To the solver an agent's class is a text and its group an unrelated set. Without these assumptions it would find calls that can
//! never happen. Each one must be true of what `remit_domain` hands to the policies: a proof is worth no more than they are. Where
//! the guarantee is not certain, nothing is assumed; that can only lose a proof, never make one up.

use crate::limits::{CHAIN_MAX, COUNT_MAX, MOMENT_MS_MAX};
use crate::never::{ATTRIBUTIONS, CLASSES, ENVIRONMENTS, quoted};
use crate::question::{About, Question};

#[cfg(test)]
mod tests;

/// Of every agent, task and grant.
fn of_the_agent() -> Vec<String> {
    vec![
        one_of("principal.class", CLASSES),
        one_of("principal.environment", ENVIRONMENTS),
        one_of("principal.attribution", ATTRIBUTIONS.map(remit_policy::Attribution::as_str)),
        between("principal.autonomy", 1, 4),
        between("principal.data", 0, 3),
        between("principal.task.approved_data", -1, 3),
        between("principal.task.data", -1, 3),
        between("principal.task.calls", 0, COUNT_MAX),
        between("principal.task.depth", 0, CHAIN_MAX),
        // The depth is how long the chain is.
        "(principal.task.depth == 0) == principal.task.chain.isEmpty()".to_owned(),
        // Entitlements are those of the person acted for.
        "(!(principal.task has acting_for_entitled) || principal.task has acting_for)".to_owned(),
        // Only a live grant is shown to policies.
        "if principal has grant then principal.grant.expires_at > context.now else true".to_owned(),
        format!("if principal has grant then principal.grant.expires_at <= {MOMENT_MS_MAX} else true"),
    ]
}

/// Of every operation, and of what a call brings with it.
fn of_the_call() -> Vec<String> {
    vec![
        between("resource.data", 0, 3),
        between("resource.risk", 0, 3),
        // What is marked as sandbox is reached only from that environment, and the built-in agent reaches nothing else.
        "(!resource.sandbox || principal.environment == \"sandbox\")".to_owned(),
        "(principal != Agent::\"sandbox\" || resource.sandbox)".to_owned(),
        between("context.now", 0, MOMENT_MS_MAX),
        between("context.credential_age", 0, COUNT_MAX),
        // An approval is somebody's, and is given before it is used.
        "if context has approval then context.approval.count >= 1 else true".to_owned(),
        format!("if context has approval then context.approval.count <= {COUNT_MAX} else true"),
        "if context has approval then !context.approval.approvers.isEmpty() else true".to_owned(),
        "if context has approval then context.approval.approved_at >= 0 else true".to_owned(),
        "if context has approval then context.approval.approved_at <= context.now else true".to_owned(),
    ]
}

/// Everything that is guaranteed where `question` is asked, as the clauses of one Cedar condition.
pub(crate) fn clauses(question: &Question) -> Vec<String> {
    let mut clauses = of_the_agent();
    clauses.extend(of_the_call());
    clauses.push(format!("resource.verb == {}", quoted(question.verb.as_str())));
    // An agent stands in the group of its class and in no other.
    for class in CLASSES {
        let class = quoted(class);
        clauses.push(format!("(principal in Class::{class}) == (principal.class == {class})"));
    }
    let strange = question.literals.classes.iter().filter(|class| !CLASSES.contains(&class.as_str()));
    clauses.extend(strange.map(|class| format!("!(principal in Class::{})", quoted(class))));
    // An operation stands in its own connector and in no other.
    let own = match &question.about {
        About::Named(operation) => Some(&operation.connector),
        About::Others => None,
    };
    let connectors =
        question.literals.connectors.iter().chain(own.filter(|own| !question.literals.connectors.contains(*own)));
    for connector in connectors {
        let connector = format!("Connector::{}", quoted(connector));
        clauses.push(format!("(resource in {connector}) == (resource.connector == {connector})"));
    }
    match &question.about {
        About::Named(operation) => {
            clauses.push(format!("resource == Operation::{}", quoted(&operation.id)));
            clauses.push(format!("resource.connector == Connector::{}", quoted(&operation.connector)));
        }
        // Those that a policy names are asked about by name.
        About::Others => {
            let named = question.literals.operations.iter();
            clauses.extend(named.map(|id| format!("resource != Operation::{}", quoted(id))));
        }
    }
    clauses
}

fn one_of<const N: usize>(attribute: &str, words: [&str; N]) -> String {
    format!("[{}].contains({attribute})", words.map(quoted).join(", "))
}

fn between(attribute: &str, lowest: i64, highest: i64) -> String {
    format!("{attribute} >= {lowest} && {attribute} <= {highest}")
}
