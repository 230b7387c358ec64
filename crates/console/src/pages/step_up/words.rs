//! What a form asks for, in words, from the address that it is sent to.

/// Addresses that do not read as what they mean: the collection, what is done, and how that is said of `$`.
const SAID: &[(&str, &str, &str)] = &[
    ("agents", "new", "register an agent"),
    ("agents", "describe", "change the record of $"),
    ("agents", "end", "end $ for good"),
    ("agents", "revoke-grant", "take a grant from $"),
    ("agents", "close-finding", "close a finding about $"),
    ("agents", "enrolment", "make an enrolment code for $"),
    ("agents", "grants", "ask for a grant for $"),
    ("policies", "new", "propose a policy"),
    ("policies", "edit", "propose another text of $"),
    ("records", "contents", "read what was sent"),
    ("tasks", "end-run", "end the whole run of $"),
    ("people", "groups", "set the groups of $"),
    ("people", "sign-in", "make a sign-in link for $"),
    ("people", "end-session", "end a session of $"),
    ("people", "absence", "propose who answers while $ is away"),
    ("people", "entitlements", "change what $ is entitled to"),
    ("people", "link", "say who $ is at an identity provider"),
    ("passkeys", "remove", "remove a passkey"),
    ("connectors", "approve", "approve an operation of $"),
    ("connectors", "classify", "propose another classification of an operation of $"),
    ("changes", "revert", "take $ back"),
    ("policies", "remove", "propose to remove $"),
];

/// What is done by a form that is sent to `address`, as in `end this task`.
pub(super) fn words(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (Some(collection), Some(verb)) = (parts.first(), parts.last().filter(|_| parts.len() > 1)) else {
        return format!("send what you wrote on the page {path}");
    };
    let thing = match parts.get(parts.len().saturating_sub(2)) {
        // Ids say nothing to people; names do.
        Some(id) if id.contains('_') => format!("this {}", one_of(before(&parts))),
        Some(name) => (*name).to_owned(),
        None => String::new(),
    };
    let said = SAID.iter().find(|(known, done, _)| known == collection && done == verb);
    match said {
        Some((_, _, said)) => said.replace('$', &thing),
        None => format!("{} {thing}", verb.replace('-', " ")),
    }
}

/// The collection that the thing before the last part is in.
fn before<'a>(parts: &[&'a str]) -> &'a str {
    parts.len().checked_sub(3).and_then(|at| parts.get(at)).copied().unwrap_or("thing")
}

fn one_of(collection: &str) -> &str {
    collection.strip_suffix('s').unwrap_or(collection)
}
