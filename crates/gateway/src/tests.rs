//! The gate as a whole: a real engine, a real upstream over HTTP, real requests.

mod callers;
mod calls;
mod desk;
mod holds;
mod lists;
mod processes;
mod sessions;
mod upstreams;
mod world;
