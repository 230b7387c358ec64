//! Keys, passwords, and the files that hold them.

use super::{Place, Severity, Warning, WarningKind};
use crate::letters::{words_of, words_of_name};

/// Parts of paths that hold what nobody gives away.
const PATHS: &[&str] = &[
    ".ssh/",
    "~/.ssh",
    "id_rsa",
    "id_ed25519",
    "authorized_keys",
    ".aws/",
    "/etc/passwd",
    "/etc/shadow",
    ".netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".kube/config",
    ".docker/config.json",
    ".gnupg",
    "wallet.dat",
    "/proc/self/environ",
    "mcp.json",
    ".cursor/",
    "claude_desktop_config",
    ".config/gcloud",
    "login.keychain",
];

/// Words in a row that name a secret.
const WORDS: &[&[&str]] = &[
    &["api", "key"],
    &["api", "keys"],
    &["apikey"],
    &["private", "key"],
    &["private", "keys"],
    &["secret", "key"],
    &["secret", "keys"],
    &["access", "token"],
    &["access", "tokens"],
    &["auth", "token"],
    &["bearer", "token"],
    &["refresh", "token"],
    &["client", "secret"],
    &["ssh", "key"],
    &["ssh", "keys"],
    &["seed", "phrase"],
    &["recovery", "phrase"],
    &["password"],
    &["passwords"],
    &["passphrase"],
    &["credentials"],
    &["environment", "variables"],
    &["session", "cookie"],
];

pub(super) fn look(place: &Place, warnings: &mut Vec<Warning>) {
    let lower = place.text.to_ascii_lowercase();
    let path = PATHS.iter().find_map(|path| lower.find(path).map(|at| (at, *path)));
    if let Some((at, path)) = path.or_else(|| dot_env(&lower).map(|at| (at, ".env"))) {
        let sentence = format!("names `{path}`, where secrets are kept");
        warnings.push(Warning::at(Severity::Serious, WarningKind::Secrets, place, sentence, at));
        return;
    }
    if place.is_name {
        let words = words_of_name(&place.text);
        if let Some(secret) = named(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
            let sentence = format!("asks for a {}", secret.1);
            warnings.push(Warning::at(Severity::Notice, WarningKind::Secrets, place, sentence, 0));
        }
        return;
    }
    let words = words_of(&place.text);
    if let Some((index, secret)) = named(&words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>()) {
        let at = words.get(index).map_or(0, |word| word.at);
        warnings.push(Warning::at(Severity::Notice, WarningKind::Secrets, place, format!("speaks of {secret}"), at));
    }
}

/// Where the first secret is named, and how.
fn named(words: &[&str]) -> Option<(usize, String)> {
    WORDS.iter().find_map(|secret| {
        let at = words.windows(secret.len()).position(|window| window == *secret)?;
        Some((at, secret.join(" ")))
    })
}

/// `.env` as a file, not as the end of a word or the beginning of another.
fn dot_env(lower: &str) -> Option<usize> {
    lower.match_indices(".env").map(|(at, _)| at).find(|at| {
        let before = lower.get(..*at).and_then(|before| before.chars().next_back());
        let after = lower.get(at + 4..).and_then(|after| after.chars().next());
        before.is_none_or(|before| !before.is_alphanumeric()) && after.is_none_or(|after| !after.is_alphanumeric())
    })
}
