//! The sandbox over raw sockets, so that nothing between a test and the bytes helps or hides.

// Tests may, and clippy does not see that the helpers are tests too.
#![allow(clippy::unwrap_used)]

mod client;
mod control;
mod devices;
mod faults;
mod http;
mod ports;
mod quirks;
mod samples;
mod users;
