//! The limits of one call: time, size and shape of the reply.

use std::time::Duration;

/// The limits of one call. Every field can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time for name lookup, connection and TLS in one attempt. Default 10 s. The caller's own HTTP
    /// client has its own limit instead.
    pub connect: Duration,
    /// The time for one attempt, from its first byte to the last byte of the reply. Default 30 s.
    pub attempt: Duration,
    /// The time for the whole call: finding and renewing its credential, including the wait for a
    /// store's lock, all attempts, and the waits between them. Default 2 min. The time spent queueing
    /// for an operation that the vendor limits does not count: a caller who gave up would have to
    /// queue again from the end.
    pub call: Duration,
    /// The size of the reply's headers, in bytes. Default 64 KiB: eight times what servers and proxies
    /// usually allow. The transport also has its own limits, about 400 KiB and 100 headers.
    pub head: usize,
    /// The size of the reply's body on the wire, in bytes. Default 16 MiB: five times a list of
    /// 10,000 servers.
    pub reply: usize,
    /// The size of the reply's body after decompression, in bytes. Default 64 MiB.
    pub decompressed: usize,
    /// The number of JSON values in a reply of more than 64 KiB, counting each element, property and
    /// container. Default 500,000: three times a list of 10,000 servers. Two bytes of JSON can take
    /// hundreds of bytes in memory, so limiting the size alone is not enough.
    pub values: usize,
    /// The memory for the elements of a list over all its pages, in bytes. Default 64 MiB: twenty
    /// times a list of 10,000 servers. A list that never ends fails at this limit.
    pub list: usize,
    /// The depth of nested arrays and objects. Default 128, which is also the maximum that the JSON
    /// parser accepts.
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
