//! What the operator decides about the gateway.

use crate::limits;

/// How the gateway is reached, and how long it waits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The audience that task tokens must be for, for example `http://127.0.0.1:7480/mcp`. One that is for this with
    /// `/CONNECTOR` behind it is good at that connector's own address, and nowhere else.
    pub audience: String,
    /// How clients write the address of this listener, without a slash at the end; proofs of possession name it.
    pub public_url: String,
    /// The same of the listener on which everybody shows a certificate, if there is one. What is served is the same there.
    pub mtls_url: Option<String>,
    /// Whether agents of other environments than production are kept out.
    pub production: bool,
    /// The console's address, without a slash at the end, for people who have to approve something.
    pub console_url: String,
    /// How long a call is kept open while a person is asked, in seconds.
    pub hold_seconds: u64,
    /// How long an upstream may take for one call, in seconds.
    pub call_seconds_max: u64,
    /// Names in `Host` and `Origin` that are accepted besides those of the loopback interface, without port.
    pub allowed_hosts: Vec<String>,
}

impl Settings {
    /// Settings for a gateway at `public_url` (such as `http://127.0.0.1:7480`), with everything else as it is by default.
    pub fn at(public_url: &str, console_url: &str) -> Self {
        let public_url = public_url.trim_end_matches('/').to_owned();
        Self {
            audience: format!("{public_url}/mcp"),
            public_url,
            mtls_url: None,
            production: false,
            console_url: console_url.trim_end_matches('/').to_owned(),
            hold_seconds: limits::HOLD_SECONDS_DEFAULT,
            call_seconds_max: limits::CALL_SECONDS_DEFAULT,
            allowed_hosts: Vec::new(),
        }
    }
}
