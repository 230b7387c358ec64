//! The facts that policies can read, by the names that they have there, and what to say about a name that none of them has.

use cedar_policy::{Policy, PolicyId};
use serde_json::Value;

use crate::nearest::nearest;
use crate::schema::TYPES;

#[cfg(test)]
mod tests;

/// What the context of every call has, and of which type it is where that has members of its own.
const CONTEXT: [(&str, &str); 5] =
    [("approval", "Approval"), ("arguments", ""), ("credential_age", "Long"), ("now", "Long"), ("projected", "")];

/// The facts of a person are only who they are, and their groups.
const PERSON: &str = "compare the person, or ask for a group, as in `principal.owner in Group::\"support\"`";

/// What a name means that no fact has: a sentence, and what to write instead.
pub(crate) type Unknown = (String, Option<String>);

/// What is wrong with reading the member at the dotted `path` of an entity of type `kind`, or of the context where there is none.
pub(crate) fn unknown_member(kind: Option<&str>, path: &str) -> Option<Unknown> {
    let root = match kind {
        None => "context",
        Some("Agent") => "principal",
        Some("Operation") => "resource",
        Some("Person") => {
            return Some((format!("a person has no attribute `{path}`"), Some(PERSON.to_owned())));
        }
        Some(_) => return None,
    };
    unknown(&format!("{root}.{path}"))
}

/// The first fact that the policy in `text` asks for with `has` and that cannot be there.
pub(crate) fn asked_in_vain(text: &str) -> Option<Unknown> {
    let document = Policy::parse(Some(PolicyId::new("policy")), text).ok()?.to_json().ok()?;
    let mut found = None;
    walk(document.get("conditions")?, &mut |path: &str| found = found.take().or_else(|| unknown(path)));
    found
}

/// A verb, or a class, that the scope in `text` takes for a single thing.
pub(crate) fn taken_for_one(text: &str) -> Option<Unknown> {
    let document = Policy::parse(Some(PolicyId::new("policy")), text).ok()?.to_json().ok()?;
    let part = |name: &str| {
        let constraint = document.get(name)?;
        let entity = constraint.get("entity").filter(|_| constraint.get("op").is_some_and(|op| op == "=="))?;
        Some((entity.get("type")?.as_str()?.to_owned(), entity.get("id")?.as_str()?.to_owned()))
    };
    if let Some((_, verb)) = part("action").filter(|(_, id)| id.parse::<crate::Verb>().is_ok()) {
        let help = format!("write `action in Action::\"{verb}\"`");
        return Some((format!("`{verb}` is a verb, and no operation is one"), Some(help)));
    }
    for (name, what) in [("principal", "agent"), ("resource", "operation")] {
        if let Some((kind, id)) =
            part(name).filter(|(kind, _)| matches!(kind.as_str(), "Class" | "Connector" | "Group"))
        {
            let help = format!("write `{name} in {kind}::{}`", Value::from(id.as_str()));
            return Some((format!("no {what} is a `{kind}`: it is in one"), Some(help)));
        }
    }
    None
}

/// What is wrong with the fact at `path`, from a variable on; nothing if it is there, or if nobody can tell.
fn unknown(path: &str) -> Option<Unknown> {
    let (mut above, mut members) = match path.split('.').next()? {
        "principal" => ("principal".to_owned(), members_of("Agent")?),
        "resource" => ("resource".to_owned(), members_of("Operation")?),
        "context" => ("context".to_owned(), CONTEXT.to_vec()),
        _ => return None,
    };
    for name in path.split('.').skip(1) {
        let Some((_, kind)) = members.iter().find(|(member, _)| *member == name) else {
            return Some((format!("there is no `{above}.{name}`"), Some(instead(&above, name, &members))));
        };
        if *kind == "Person" && path.len() > above.len() + 1 + name.len() {
            let rest = path.get(above.len() + 2 + name.len()..)?;
            return Some((format!("a person has no attribute `{rest}`"), Some(PERSON.to_owned())));
        }
        above = format!("{above}.{name}");
        members = members_of(kind)?;
    }
    None
}

fn instead(above: &str, name: &str, members: &[(&str, &str)]) -> String {
    if let Some(meant) = nearest(name, members.iter().map(|(member, _)| *member)) {
        return format!("did you mean `{above}.{meant}`?");
    }
    let all: Vec<String> = members.iter().map(|(member, _)| format!("`{member}`")).collect();
    format!("`{above}` has {}", all.join(", "))
}

/// The members of a type of the schema, with their types.
pub(crate) fn members_of(kind: &str) -> Option<Vec<(&'static str, &'static str)>> {
    let mut lines = TYPES.lines().skip_while(|line| {
        let mut words = line.split_whitespace();
        !(matches!(words.next(), Some("type" | "entity")) && words.next() == Some(kind) && line.ends_with('{'))
    });
    lines.next()?;
    let members = lines.take_while(|line| !line.starts_with('}')).filter_map(|line| {
        let (name, kind) = line.trim().strip_suffix(',')?.split_once(':')?;
        Some((name.trim_end_matches('?'), kind.trim()))
    });
    Some(members.filter(|(name, _)| !name.starts_with("//")).collect())
}

/// Tells `found` every fact that is asked for with `has` in the JSON form of a condition.
fn walk(node: &Value, found: &mut impl FnMut(&str)) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(members) => {
            if let Some(asked) = members.get("has")
                && let (Some(left), Some(name)) = (asked.get("left").and_then(path), asked.get("attr"))
            {
                let name = match name {
                    Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."),
                    name => name.as_str().unwrap_or_default().to_owned(),
                };
                found(&format!("{left}.{name}"));
            }
            members.values().for_each(|member| walk(member, found));
        }
        _ => {}
    }
}

fn path(node: &Value) -> Option<String> {
    if let Some(variable) = node.get("Var") {
        return variable.as_str().map(str::to_owned);
    }
    let access = node.get(".")?;
    Some(format!("{}.{}", path(access.get("left")?)?, access.get("attr")?.as_str()?))
}
