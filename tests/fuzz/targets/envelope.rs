//! Posted bodies, as they are and as texts that are nearly right.
#![no_main]

#[path = "../../../crates/gateway/tests/bridge/choices.rs"]
mod choices;

use choices::Choices;
use libfuzzer_sys::fuzz_target;
use remit_gateway::fuzzing;

const METHODS: [&str; 6] =
    ["tools/call", "resources/read", "prompts/get", "completion/complete", "resources/list", "notifications/cancelled"];

fuzz_target!(|bytes: &[u8]| {
    fuzzing::envelope(bytes);
    let mut choices = Choices::of(bytes);
    let method = choices.pick(&METHODS);
    let params = choices.object(6);
    fuzzing::envelope(choices.message(method, &params).as_bytes());
});
