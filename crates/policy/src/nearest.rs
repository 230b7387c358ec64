//! Which known name somebody probably meant.

/// The longest name that is compared; longer ones are not typing mistakes worth the work.
const NAME_CHARS_MAX: usize = 64;

/// The name among `known` that is nearest to `name`, if it is near enough to be a slip of the hand.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters: `nam` still finds `name`, but `id` does not find `to`.
    let slips_max = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(slips, _)| *slips > 0 && *slips <= slips_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, dropped or changed to turn `left` into `right` (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(NAME_CHARS_MAX).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().take(NAME_CHARS_MAX).enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (other, above) in right.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(letter != *other);
            before = changed.min(above + 1).min(before + 1);
            next.push(before);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
