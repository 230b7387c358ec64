//! From what Cedar says about a policy to what its author needs to hear.

use cedar_policy::ffi::DetailedError;
use cedar_policy::{ParseErrors, ValidationError, ValidationWarning};

use crate::schema::unnamed_operation;
use crate::{Schema, Severity, Verb, vocabulary};

/// One finding of Cedar about one text.
pub(crate) struct Finding {
    pub(crate) sentence: String,
    pub(crate) help: Option<String>,
    /// The byte where it stands.
    pub(crate) offset: Option<usize>,
    pub(crate) severity: Severity,
    /// Whether it is about an operation that has no name yet, and so tells more about the rule's scope than its words.
    pub(crate) unscoped: bool,
}

/// What the parser found.
pub(crate) fn of_parsing(errors: &ParseErrors) -> Vec<Finding> {
    errors.iter().map(|error| plain(&DetailedError::from(error), Severity::Error)).collect()
}

/// Why Cedar does not take a policy into a set.
pub(crate) fn of_policy(error: &cedar_policy::PolicySetError) -> Finding {
    Finding { sentence: error.to_string(), help: None, offset: None, severity: Severity::Error, unscoped: true }
}

/// How policies write what is projected from arguments.
const PROJECTED: &str = "context.projected";

/// What the validator found wrong.
pub(crate) fn of_error(error: &ValidationError, schema: &Schema) -> Finding {
    let detailed = DetailedError::from(error);
    let finding = plain(&detailed, Severity::Error);
    if let ValidationError::UnsafeAttributeAccess(_) = error
        && let Some(missing) = MissingValue::read("projected", &finding.sentence)
    {
        return missing.explain_projection(schema, finding);
    }
    if let ValidationError::UnsafeAttributeAccess(_) = error
        && let Some(missing) = MissingValue::read("arguments", &finding.sentence)
    {
        return missing.explain_argument(schema, finding);
    }
    if let ValidationError::UnsafeAttributeAccess(_) = error
        && let Some((sentence, help)) = missing_fact(&finding.sentence)
    {
        return Finding { sentence, help, ..finding };
    }
    if let ValidationError::EmptySetForbidden(_) = error {
        return Finding {
            sentence: "the list names nothing, so the policy could never apply".to_owned(),
            help: Some("name at least one, or leave the list out to mean all".to_owned()),
            ..finding
        };
    }
    if let ValidationError::UnsafeOptionalAttributeAccess(_) = error {
        let sentence = finding.sentence.replace(
            "unable to guarantee safety of access to optional attribute",
            "nothing says that there is the attribute",
        );
        return Finding { sentence, ..finding };
    }
    finding
}

/// Cedar's sentence about an attribute that an entity or the context does not have.
fn missing_fact(sentence: &str) -> Option<vocabulary::Unknown> {
    let (path, rest) = sentence.strip_prefix("attribute `")?.split_once("` ")?;
    let kind = rest.strip_prefix("on entity type `").and_then(|rest| rest.split_once('`')).map(|(kind, _)| kind);
    vocabulary::unknown_member(kind, path)
}

/// A rule over projected values where no operation is known that gives any: nothing can be said about it.
fn unknown_projections(finding: Finding) -> Finding {
    Finding {
        sentence: format!("the policy reads `{PROJECTED}`, and no operation is known here that gives projected values"),
        help: Some(
            "they are declared when an operation is approved, so check the policy against a server that has the operations"
                .to_owned(),
        ),
        ..finding
    }
}

/// What the validator finds suspicious in the policy that reads `text`. What can never apply, or reads otherwise than it is, is
/// wrong.
pub(crate) fn of_warning(warning: &ValidationWarning, text: &str, schema: &Schema) -> Finding {
    let detailed = DetailedError::from(warning);
    match warning {
        ValidationWarning::ImpossiblePolicy(_) if text.contains(PROJECTED) && !schema.has_projections() => {
            unknown_projections(plain(&detailed, Severity::Error))
        }
        ValidationWarning::ImpossiblePolicy(_) => {
            let never = || {
                let sentence = "the policy can never apply: its condition is false for every call";
                let help =
                    "look for arguments and projected values that the operation does not have, and for contradictions";
                (sentence.to_owned(), Some(help.to_owned()))
            };
            let known = vocabulary::asked_in_vain(text).or_else(|| vocabulary::taken_for_one(text));
            let (sentence, help) = known.unwrap_or_else(never);
            Finding { sentence, help, ..plain(&detailed, Severity::Error) }
        }
        ValidationWarning::InvalidActionApplication(_)
        | ValidationWarning::BidiCharsInString(_)
        | ValidationWarning::BidiCharsInIdentifier(_) => plain(&detailed, Severity::Error),
        _ => plain(&detailed, Severity::Warning),
    }
}

fn plain(detailed: &DetailedError, severity: Severity) -> Finding {
    let label = detailed.source_locations.first();
    let help = detailed.help.as_deref().map(without_policy);
    let help = help.or_else(|| label.and_then(|label| label.label.clone()));
    let offset = label.map(|label| label.loc.start);
    Finding { sentence: without_policy(&detailed.message), help, offset, severity, unscoped: false }
}

/// Cedar begins with "for policy `x`, "; the policy is told apart from the sentence here.
fn without_policy(message: &str) -> String {
    let rest = message.strip_prefix("for policy `").and_then(|rest| rest.split_once("`, "));
    rest.map_or(message, |(_, rest)| rest).trim_end_matches('.').to_owned()
}

/// An argument, or a value projected from one, that a policy reads and that an operation does not have.
struct MissingValue {
    path: String,
    operation: String,
}

impl MissingValue {
    /// Cedar's sentence about a member of `context.<part>`.
    fn read(part: &str, sentence: &str) -> Option<Self> {
        let rest = sentence.strip_prefix("attribute `")?.strip_prefix(part)?.strip_prefix('.')?;
        let rest = rest.strip_suffix("\" not found")?;
        let (path, operation) = rest.split_once("` in context for Action::\"")?;
        Some(Self { path: path.to_owned(), operation: operation.to_owned() })
    }

    /// Whether it is missing where the policy names no operation.
    fn is_of_any(&self) -> bool {
        Verb::ALL.into_iter().any(|verb| unnamed_operation(verb) == self.operation)
    }

    fn explain_projection(self, schema: &Schema, finding: Finding) -> Finding {
        if !schema.has_projections() {
            return unknown_projections(finding);
        }
        let unscoped = self.is_of_any();
        let Self { path, operation } = self;
        let (sentence, help) = if unscoped {
            (
                format!(
                    "the policy reads the projected value `{path}`, but not all operations that it is about give it"
                ),
                format!(
                    "name the operation, as in `action == Action::\"connector/tool\"`, or ask `{PROJECTED} has {path} &&` first"
                ),
            )
        } else {
            (
                format!("the operation `{operation}` gives no projected value `{path}`"),
                "projected values are declared when an operation is approved".to_owned(),
            )
        };
        Finding { sentence, help: Some(help), unscoped, ..finding }
    }

    fn explain_argument(self, schema: &Schema, finding: Finding) -> Finding {
        let unscoped = self.is_of_any();
        let Self { path, operation } = self;
        if unscoped {
            return Finding {
                sentence: format!(
                    "the policy reads the argument `{path}`, but not all operations that it is about have it"
                ),
                help: Some(format!(
                    "name the operation, as in `action == Action::\"connector/tool\"`, or ask `context.arguments has {path} &&` first"
                )),
                unscoped: true,
                ..finding
            };
        }
        let opaque = schema.operation(&operation).is_some_and(|known| {
            known.arguments.opaque().iter().any(|hidden| path == *hidden || path.starts_with(&format!("{hidden}.")))
        });
        if opaque {
            return Finding {
                sentence: format!("policies cannot see the argument `{path}` of `{operation}`"),
                help: Some(
                    "its schema is not a text, a number, a truth value, a list of one of these, or an object with named \
                     members; decide on another argument"
                        .to_owned(),
                ),
                ..finding
            };
        }
        Finding { sentence: format!("the operation `{operation}` has no argument `{path}`"), ..finding }
    }
}
