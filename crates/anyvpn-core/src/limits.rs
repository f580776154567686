//! Bounds of a call.

use std::time::Duration;

/// What a call may take at most. Every field can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name, connection and TLS of one attempt. Default 10 s. Not applied to a client of the
    /// caller's own, which has its own.
    pub connect: Duration,
    /// One attempt, from its first byte to the last of the reply's body. Default 30 s.
    pub attempt: Duration,
    /// The whole call: finding and renewing its credential (which includes waiting for a store's
    /// lock), all attempts, and the waits between them. Default 2 min. The time in the queue of an
    /// operation that the vendor allows only so often is not part of it: a caller who is sent away
    /// would have to begin again at its end.
    pub call: Duration,
    /// The reply's headers, in bytes. Default 64 KiB: eight times what servers and proxies usually
    /// allow. The transport has a bound of its own, of some 400 KiB and 100 headers.
    pub head: usize,
    /// The reply's body as it is on the wire, in bytes. Default 16 MiB: five times the list of
    /// 10,000 servers.
    pub reply: usize,
    /// The reply's body after decompression, in bytes. Default 64 MiB.
    pub decompressed: usize,
    /// JSON values in a reply of more than 64 KiB, each element, property and container counted.
    /// Default 500,000: three times the list of 10,000 servers. Two bytes of JSON can become
    /// hundreds in memory; this bounds how many.
    pub values: usize,
    /// What the elements of a list take in memory over all of its pages, in bytes. Default 64 MiB:
    /// twenty times the list of 10,000 servers. A list that never ends is an error there.
    pub list: usize,
    /// Arrays and objects within each other. Default 128, which is also the most: the JSON parser
    /// ends there.
    pub nesting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            attempt: Duration::from_secs(30),
            call: Duration::from_secs(120),
            head: 64 << 10,
            reply: 16 << 20,
            decompressed: 64 << 20,
            values: 500_000,
            list: 64 << 20,
            nesting: 128,
        }
    }
}
