//! The gate as a whole: a real engine, a real upstream over HTTP, real requests.

mod access;
mod addresses;
mod callers;
mod calls;
mod confusion;
mod cut;
mod desk;
mod holds;
mod hooks;
mod identities;
mod legacy;
mod lists;
mod processes;
mod rounds;
mod sessions;
mod shared;
mod upstream_asks;
mod upstream_features;
mod upstream_processes;
mod upstream_streams;
mod upstream_world;
mod upstreams;
mod world;
