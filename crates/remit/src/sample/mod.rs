//! Samples: small real servers, shipped in the program, to try Remit against without anything else at hand.
//!
//! Architecture invariant: a sample knows nothing of Remit. It is an upstream like any other, and could be another program.

pub mod echo;
pub mod helpdesk;
