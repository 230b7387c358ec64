//! Choices that differ from run to run, and can be made again from the seed that a failing test names.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Variable that sets the seed.
const SEED: &str = "REMIT_TEST_SEED";

/// A source of choices (SplitMix64).
#[derive(Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A new source. Its seed is printed, so that a failure can be repeated with `REMIT_TEST_SEED`.
    pub fn new() -> Self {
        let given = std::env::var(SEED).ok().map(|text| text.parse().expect("REMIT_TEST_SEED is not a number"));
        let state = given.unwrap_or_else(|| RandomState::new().hash_one(0));
        eprintln!("{SEED}={state}");
        Self { state }
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.within(0..end)
    }

    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
