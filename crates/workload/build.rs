//! Compiles the Workload API's description, without a compiler of its language on the machine.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/workload.proto");
    let described = protox::compile(["proto/workload.proto"], ["proto"])?;
    tonic_prost_build::configure().bytes(".").compile_fds(described)?;
    Ok(())
}
