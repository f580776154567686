//! A provider of the simulated world: which ports are really open, and what it answers. It shares
//! only the neutral types with the machine.

use std::net::Ipv4Addr;

use std::time::Duration;

use anyvpn_core::{
    Error, ErrorKind, NewPortForward, PortForward, PortProtocols, SplitMix64, Timestamp,
};

use crate::faults::{DAY, HOUR, MINUTE, SECOND};

/// The time of day at the start of a world, in milliseconds: 10:00 UTC.
const BEGIN: i64 = 1_790_000_000_000 / 86_400_000 * 86_400_000 + 36_000_000;

/// The time of day.
pub fn stamp(time: u64, offset: i64) -> Timestamp {
    Timestamp::from_millisecond(BEGIN + time.cast_signed() + offset).unwrap()
}

/// Milliseconds since the world began.
pub fn millis(at: Timestamp) -> i64 {
    at.as_millisecond() - BEGIN
}

/// An open port.
#[derive(Clone, Debug)]
pub struct Open {
    pub port: u16,
    pub server: u32,
    pub device: Ipv4Addr,
    /// When it closes unless it is renewed.
    pub ends: u64,
    /// When it closes even if it is renewed.
    pub last_end: Option<u64>,
    pub created_at: u64,
    pub protocols: PortProtocols,
    pub by_keeper: bool,
}

/// The lifetime of this provider's forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A fixed time.
    Fixed { life: u64 },
    /// Until this long after the last renewal, which is due this often. A number is reserved for
    /// this long.
    KeptAlive { life: u64, every: u64, reserved: Option<u64> },
}

pub struct Provider {
    pub kind: Kind,
    pub open: Vec<Open>,
    /// The most creations in a day.
    cap: u32,
    /// How long before midnight in UTC its day ends. It then says so when it refuses a creation.
    day_ends_before: u64,
    created: (i64, u32),
    next_port: u16,
    /// The times of the keeper's creations.
    pub by_keeper: Vec<u64>,
}

impl Kind {
    /// As NAT-PMP has it.
    pub const SHORT: Self =
        Self::KeptAlive { life: 60 * SECOND, every: 45 * SECOND, reserved: None };
    /// As PIA has it, but for a shorter reservation.
    pub const RESERVED: Self =
        Self::KeptAlive { life: 20 * MINUTE, every: 15 * MINUTE, reserved: Some(3 * DAY) };

    pub fn draw(random: &mut SplitMix64) -> Self {
        match random.below(4) {
            0 => Self::SHORT,
            1 => Self::RESERVED,
            _ => Self::Fixed { life: (1 + random.below(3)) * DAY },
        }
    }
}

impl Provider {
    pub fn new(kind: Kind, random: &mut SplitMix64) -> Self {
        Self {
            kind,
            open: Vec::new(),
            cap: 2 + random.below(6) as u32,
            day_ends_before: random.below(2) * random.below(20) * HOUR,
            created: (0, 0),
            next_port: 40_000,
            by_keeper: vec![],
        }
    }

    /// Which of the provider's days it is.
    fn day(&self, now: u64) -> i64 {
        (BEGIN + (now + self.day_ends_before).cast_signed()).div_euclid(DAY.cast_signed())
    }

    /// When the provider's day ends.
    pub fn day_ends(&self, now: u64) -> u64 {
        let next = (self.day(now) + 1) * DAY.cast_signed();
        (next - BEGIN).unsigned_abs() - self.day_ends_before
    }

    /// Nothing more can be opened today.
    pub fn use_up_allowance(&mut self, now: u64) {
        self.created = (self.day(now), self.cap);
    }

    pub fn is_fixed(&self) -> bool {
        matches!(self.kind, Kind::Fixed { .. })
    }

    /// Returns the ports that are open on a server.
    pub fn at(&self, now: u64, server: u32, device: Ipv4Addr) -> impl Iterator<Item = &Open> {
        let is_here = move |open: &&Open| open.server == server && open.device == device;
        self.open.iter().filter(is_here).filter(move |open| open.ends > now)
    }

    pub fn list(&self, now: u64, server: u32, device: Ipv4Addr) -> Vec<PortForward> {
        self.at(now, server, device).map(|open| self.described(open, 0)).collect()
    }

    /// Returns a port as the client describes it. If forwards are kept alive, its end is read from
    /// the machine's own clock.
    fn described(&self, open: &Open, offset: i64) -> PortForward {
        let mut forward = PortForward::new(open.port);
        let offset = if self.is_fixed() { 0 } else { offset };
        forward.device = self.is_fixed().then_some(open.device);
        forward.protocols = open.protocols;
        forward.expires_at = Some(stamp(open.ends, offset));
        forward.ends_at = open.last_end.map(|end| stamp(end, 0));
        forward
    }

    /// Opens a port.
    pub fn create(
        &mut self,
        now: u64,
        server: u32,
        device: Ipv4Addr,
        wanted: &NewPortForward,
        by_keeper: bool,
        offset: i64,
    ) -> Result<PortForward, Error> {
        let day = self.day(now);
        if self.created.0 != day {
            self.created = (day, 0);
        }
        if self.is_fixed() {
            if by_keeper {
                assert_eq!(wanted.device, Some(device), "a creation for another device");
            }
            if self.created.1 >= self.cap {
                let left = Duration::from_millis(self.day_ends(now) - now);
                let told = Some(left).filter(|_| self.day_ends_before > 0);
                let refusal = Error::new(ErrorKind::QuotaReached).with_status(406);
                return Err(refusal.with_retry_after(told));
            }
        }
        self.created.1 += 1;
        let wished = wanted
            .wished_port
            .filter(|port| self.open.iter().all(|open| open.port != *port || open.ends <= now));
        self.next_port += 1;
        let (ends, last_end) = match self.kind {
            Kind::Fixed { life } => (now + life, None),
            Kind::KeptAlive { life, reserved, .. } => (now + life, reserved.map(|it| now + it)),
        };
        let port = wished.unwrap_or(self.next_port);
        let protocols = wanted.protocols;
        let open =
            Open { port, server, device, ends, last_end, created_at: now, protocols, by_keeper };
        let described = self.described(&open, offset);
        self.open
            .retain(|open| open.ends + 10 * DAY > now && (open.port != port || open.ends > now));
        self.open.push(open);
        if by_keeper {
            self.by_keeper.push(now);
        }
        Ok(described)
    }

    /// Keeps a port open, opens the same number again, or opens another one.
    pub fn renew(
        &mut self,
        now: u64,
        server: u32,
        device: Ipv4Addr,
        asked: &PortForward,
        offset: i64,
    ) -> Result<PortForward, Error> {
        let Kind::KeptAlive { life, reserved, .. } = self.kind else {
            return Err(Error::invalid("port", "fixed"));
        };
        let last_end = asked.ends_at.map(|end| millis(end).unsigned_abs());
        if last_end.is_some_and(|end| end <= now) {
            return Err(Error::new(ErrorKind::NotFound));
        }
        let is_there = |open: &&mut Open| open.server == server && open.port == asked.port;
        let ends = last_end.map_or(now + life, |end| end.min(now + life));
        let mut port = asked.port;
        match self.open.iter_mut().filter(|open| open.ends > now).find(is_there) {
            Some(open) if open.device == device => {
                open.ends = ends;
                let open = open.clone();
                return Ok(self.described(&open, offset));
            }
            // An earlier tunnel has the number.
            Some(_) if reserved.is_some() => return Err(Error::new(ErrorKind::CapacityReached)),
            // A gateway that has lost its mappings may have given the number away.
            found if found.is_some() || (reserved.is_none() && now.is_multiple_of(4)) => {
                self.next_port += 1;
                port = self.next_port;
            }
            _ => {}
        }
        let (protocols, by_keeper) = (asked.protocols, true);
        let open =
            Open { port, server, device, ends, last_end, created_at: now, protocols, by_keeper };
        let described = self.described(&open, offset);
        self.open.push(open);
        Ok(described)
    }

    pub fn delete(&mut self, now: u64, server: u32, port: u16) -> Result<(), Error> {
        let found = self
            .open
            .iter_mut()
            .find(|open| open.server == server && open.port == port && open.ends > now);
        match found {
            Some(open) => {
                open.ends = now;
                Ok(())
            }
            None => Err(Error::new(ErrorKind::NotFound)),
        }
    }

    /// The longest time before its end at which a forward may be replaced.
    pub fn lead(&self) -> u64 {
        match self.kind {
            Kind::Fixed { life } => life / 4,
            Kind::KeptAlive { reserved, .. } => reserved.map_or(0, |reserved| reserved / 4),
        }
    }

    /// The longest duration of anything at this provider.
    pub fn is_quick(&self) -> bool {
        matches!(self.kind, Kind::KeptAlive { life, .. } if life < HOUR / 10)
    }
}
