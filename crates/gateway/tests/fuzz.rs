//! The bridge under fire, in short: the same runs as those of the fuzz target `bridge` in `tests/fuzz`, from a seed that stays.

#[cfg(test)]
mod bridge;

use bridge::Bridge;

/// How many runs are made, and of how many choices at most.
const RUNS: u64 = 300;
const CHOICES_MAX: usize = 120;

/// Bytes that look random and are the same every time (xorshift64).
fn input(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let length = usize::from(first(next())) % CHOICES_MAX;
    (0..length).map(|_| first(next())).collect()
}

fn first(number: u64) -> u8 {
    let [first, ..] = number.to_be_bytes();
    first
}

#[tokio::test]
async fn whatever_is_asked_and_answered_every_call_is_decided_once_and_every_answer_well_formed() {
    let mut bridge = Bridge::new().await;
    for seed in 1..=RUNS {
        bridge.run(&input(seed)).await;
    }
    assert!(
        bridge.reached() > bridge.runs() / 8,
        "only {} of {} runs came to a server",
        bridge.reached(),
        bridge.runs()
    );
    bridge.close().await;
}
