//! What several runs of one measurement gave.

use serde::Serialize;

#[cfg(test)]
mod tests;

/// The least, the middle and the greatest of some figures. All are NaN (`null` in JSON) if there are none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    /// Of `figures`, in any order.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_unstable_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        let (lower, upper) = (figures.len().saturating_sub(1) / 2, figures.len() / 2);
        let last = figures.len().saturating_sub(1);
        Self { min: at(0), median: f64::midpoint(at(lower), at(upper)), max: at(last) }
    }
}

/// The value in `sorted` that a `share` of them does not exceed (nearest rank), or NaN if there are none.
pub fn quantile(sorted: &[u64], share: f64) -> f64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |value| *value as f64)
}
