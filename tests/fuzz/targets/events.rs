//! Streams of events, and the messages of upstreams in them and by themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use remit_gateway::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    fuzzing::events(bytes);
    fuzzing::incoming(bytes);
});
