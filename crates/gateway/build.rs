//! Compiles the protocols of other gateways, without a compiler of their language on the machine.

const SERVICES: [&str; 2] = ["proto/envoy/service/auth/v3/external_auth.proto", "proto/agentgateway/ext_mcp.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let described = protox::compile(SERVICES, ["proto"])?;
    tonic_prost_build::configure().include_file("hooks.rs").compile_fds(described)?;
    Ok(())
}
