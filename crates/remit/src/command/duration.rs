//! Durations as people write them: `90s`, `15m`, `1h30m`, `30d`, `2w`.

#[cfg(test)]
mod tests;

/// Units and their seconds, the longest first.
const UNITS: [(char, u64); 5] = [('w', 7 * 24 * 3600), ('d', 24 * 3600), ('h', 3600), ('m', 60), ('s', 1)];
const HELP: &str = "write it like `90s`, `15m`, `1h30m`, `30d` or `2w`";

/// The seconds of a duration.
///
/// # Errors
/// A sentence that says how a duration is written.
pub fn seconds(text: &str) -> Result<u64, String> {
    let refused = || format!("`{text}` is not a duration; {HELP}");
    let (mut total, mut rest) = (0u64, text);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(refused)?;
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| refused())?;
        let unit = after.chars().next().ok_or_else(refused)?;
        let (_, seconds) = UNITS.into_iter().find(|(known, _)| *known == unit).ok_or_else(refused)?;
        total = number.checked_mul(seconds).and_then(|part| total.checked_add(part)).ok_or_else(refused)?;
        rest = after.get(unit.len_utf8()..).unwrap_or_default();
    }
    if total == 0 { Err(refused()) } else { Ok(total) }
}

/// `seconds` as [`seconds`] reads them, in the longest unit that gives a whole number.
pub fn written(seconds: u64) -> String {
    let whole = UNITS.into_iter().find(|(_, length)| seconds >= *length && seconds.is_multiple_of(*length));
    whole.map_or_else(|| format!("{seconds}s"), |(unit, length)| format!("{}{unit}", seconds / length))
}
