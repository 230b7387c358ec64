//! Whole requests, to servers that answer what they please.
#![no_main]

#[path = "../../../crates/gateway/tests/bridge/mod.rs"]
mod bridge;

use std::cell::RefCell;

use bridge::Bridge;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

/// After so many runs the world begins anew: its record has grown.
const RUNS_MAX: usize = 2_000;

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("no runtime");
    static BRIDGE: RefCell<Option<Bridge>> = const { RefCell::new(None) };
}

fuzz_target!(|bytes: &[u8]| {
    RUNTIME.with(|runtime| {
        BRIDGE.with_borrow_mut(|kept| {
            runtime.block_on(async {
                if kept.as_ref().is_some_and(|bridge| bridge.runs() >= RUNS_MAX)
                    && let Some(old) = kept.take()
                {
                    old.close().await;
                }
                if kept.is_none() {
                    *kept = Some(Bridge::new().await);
                }
                if let Some(bridge) = kept {
                    bridge.run(bytes).await;
                }
            });
        });
    });
});
