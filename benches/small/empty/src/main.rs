//! Starts and ends: what the others' CPU time is compared with.

fn main() {}
