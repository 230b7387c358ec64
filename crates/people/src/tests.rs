//! Ceremonies and answers against a real engine, with an authenticator in software.

mod answer;
mod passkeys;
mod world;
