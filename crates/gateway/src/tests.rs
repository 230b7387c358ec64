//! The gate as a whole: a real engine, a real upstream over HTTP, real requests.

mod callers;
mod calls;
mod confusion;
mod desk;
mod holds;
mod lists;
mod processes;
mod rounds;
mod sessions;
mod upstream_asks;
mod upstream_features;
mod upstream_processes;
mod upstream_streams;
mod upstream_world;
mod upstreams;
mod world;
