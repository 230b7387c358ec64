//! X.509-SVIDs: the certificates with which workloads prove who they are (X509-SVID standard).
//!
//! An SVID is a certificate whose one URI is a SPIFFE ID. It counts only under an authority of that ID's own trust domain:
//! another domain's authority, however well trusted for its own names, vouches for nobody else's.

mod authority;
mod certificate;
mod error;
mod issue;
mod verify;

#[cfg(test)]
mod tests;

pub use authority::Authority;
pub use error::X509Error;
pub(crate) use issue::self_signed;
pub use issue::{IssueError, SvidRequest, X509Svid, issue};
pub use verify::{PeerSvid, UnverifiedSvid, verify};
