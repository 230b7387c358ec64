//! remit-testkit
