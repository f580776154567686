//! The faults of a history.

use anyvpn_core::SplitMix64;
use anyvpn_keeper::machine::Stop;

pub const SECOND: u64 = 1000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// A fault in the keeper's world. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// No more faults.
    Nothing,
    /// The process is killed after this many more actions, and restarted later.
    Kill { after: u64, down_for: u64 },
    /// The process is told to end, and started again later.
    Restart { stop: Stop, down_for: u64 },
    /// The tunnel goes down, and comes back as it was, or with another index, or another address.
    Flap { down_for: u64, new_index: bool, new_address: bool },
    /// The tunnel leads to another server, which this machine cannot see.
    OtherServer,
    /// The provider answers every call like this for some time.
    Weather { weather: Weather, lasts: u64 },
    /// The answer to the next creation is lost.
    LoseCreation { how: Lost },
    /// A client is stopped for some time, and forgets the port.
    StopClient { index: usize, down_for: u64 },
    /// A client is restarted, and forgets the port.
    ForgetfulClient { index: usize },
    /// A client reports that it has taken the next port, but has not.
    LyingClient { index: usize },
    /// A client refuses the credentials for some time.
    RefusingClient { index: usize, lasts: u64 },
    /// A client's sockets are closed, but its setting stays.
    DeadSocket { index: usize },
    /// A client answers after many seconds from now on, or at once again.
    SlowClient { index: usize },
    /// The hook fails for some time.
    FailingHook { lasts: u64 },
    /// The time of day changes by this much.
    ClockJump { by: i64 },
    /// The disk is full for some time.
    FullDisk { lasts: u64 },
    /// Someone closes the port.
    PortClosed,
    /// Somebody opens another port for this device, perhaps only for TCP.
    PersonOpens { only_tcp: bool },
    /// Other programs use up the provider's allowance of new ports.
    AllowanceUsed,
}

/// How the provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// It cannot be reached.
    Unreachable,
    /// Requests or replies are lost.
    Lossy,
    /// HTTP 503.
    Unavailable,
    /// Another server's page instead of the answer.
    GatewayPage,
    /// HTTP 429.
    RateLimited,
    /// The sign-in is refused.
    Unauthorized,
}

/// What becomes of a creation whose answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It is not done.
    Before,
    /// It is not done, and a person opens a port in the meantime.
    Instead,
    /// It is done.
    After,
    /// It is done, and the tunnel then leads to another server.
    Elsewhere,
    /// It is done after the answer was given up.
    Late,
}

/// Returns a random time of any order of magnitude from seconds to a day.
pub fn time(random: &mut SplitMix64) -> u64 {
    let longest = [10 * SECOND, 2 * MINUTE, HOUR, DAY][random.below(4) as usize];
    random.below(longest) + 1
}

/// Returns how long nothing happens. In a world with an event each minute, it is shorter.
pub fn pause(random: &mut SplitMix64, is_quick: bool) -> u64 {
    match is_quick {
        true => time(random) / 24,
        false => time(random),
    }
}

impl Fault {
    pub fn draw(random: &mut SplitMix64) -> Self {
        let index = random.below(2) as usize;
        let lasts = time(random);
        match random.below(25) {
            0 => Self::Nothing,
            1..=3 => Self::Kill { after: random.below(12), down_for: time(random) },
            4 => {
                let stop =
                    [Stop::Release, Stop::Reload, Stop::Keep, Stop::Keep][random.below(4) as usize];
                Self::Restart { stop, down_for: time(random) }
            }
            5..=6 => Self::Flap {
                down_for: lasts,
                new_index: random.below(2) == 0,
                new_address: random.below(4) == 0,
            },
            7 => Self::OtherServer,
            8..=10 => {
                let weathers = [
                    Weather::Unreachable,
                    Weather::Lossy,
                    Weather::Lossy,
                    Weather::Unavailable,
                    Weather::GatewayPage,
                    Weather::RateLimited,
                    Weather::Unauthorized,
                ];
                // Sometimes for days.
                let lasts = if random.below(6) == 0 { lasts * 4 } else { lasts };
                Self::Weather { weather: weathers[random.below(7) as usize], lasts }
            }
            11..=12 => {
                let all = [Lost::Before, Lost::Instead, Lost::After, Lost::Elsewhere, Lost::Late];
                let how = all[random.below(5) as usize];
                Self::LoseCreation { how }
            }
            13 => Self::StopClient { index, down_for: lasts },
            14 => Self::ForgetfulClient { index },
            15 => Self::LyingClient { index },
            16 => Self::RefusingClient { index, lasts },
            17 => Self::DeadSocket { index },
            18 => Self::SlowClient { index },
            19 => Self::FailingHook { lasts },
            20 => {
                let by = time(random).cast_signed();
                Self::ClockJump { by: if random.below(2) == 0 { by } else { -by } }
            }
            21 => Self::FullDisk { lasts },
            22 => Self::PortClosed,
            23 => Self::PersonOpens { only_tcp: random.below(2) == 0 },
            _ => Self::AllowanceUsed,
        }
    }
}
