//! What goes wrong in a history.

use anyvpn_core::SplitMix64;

pub const SECOND: u64 = 1000;
pub const MINUTE: u64 = 60 * SECOND;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// Something that happens to the keeper's world. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing more.
    Nothing,
    /// The process is killed after so many more actions, and started again later.
    Kill { after: u64, down_for: u64 },
    /// The process is told to end, and started again later.
    Restart { release: bool, down_for: u64 },
    /// The tunnel goes down, and comes back as it was, or with another index, or another address.
    Flap { down_for: u64, new_index: bool, new_address: bool },
    /// The tunnel leads to another server, although nothing shows on this machine.
    OtherServer,
    /// The provider answers every call in this way for a time.
    Weather { weather: Weather, lasts: u64 },
    /// The answer to the next creation is lost: before the work, after it, or it is done late.
    LoseCreation { how: Lost },
    /// A client is stopped for a time, and has forgotten the port then.
    StopClient { index: usize, down_for: u64 },
    /// A client is restarted, and has forgotten the port.
    ForgetfulClient { index: usize },
    /// A client says that it has taken the next port, and has not.
    LyingClient { index: usize },
    /// A client refuses the credentials for a time.
    RefusingClient { index: usize, lasts: u64 },
    /// A client's sockets die, and its setting stays.
    DeadSocket { index: usize },
    /// A client answers after many seconds from now on, or at once again.
    SlowClient { index: usize },
    /// The hook fails for a time.
    FailingHook { lasts: u64 },
    /// The time of day is set by this much.
    ClockJump { by: i64 },
    /// The disk is full for a time.
    FullDisk { lasts: u64 },
    /// Somebody closes the port.
    PortClosed,
    /// Somebody opens another port for this device.
    PersonOpens,
}

/// How the provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Fine,
    /// Nothing can be reached.
    Unreachable,
    /// Requests are lost on the way there or back.
    Lossy,
    /// HTTP 503.
    Unavailable,
    /// Another server's page in place of the answer.
    GatewayPage,
    /// HTTP 429.
    RateLimited,
    /// The sign-in is refused.
    Unauthorized,
}

/// What is lost of a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    Before,
    After,
    Late,
}

/// A time of any order of magnitude from seconds to a day.
pub fn time(random: &mut SplitMix64) -> u64 {
    let longest = [10 * SECOND, 2 * MINUTE, HOUR, DAY][random.below(4) as usize];
    random.below(longest) + 1
}

/// How long it is quiet. A world in which something happens each minute gets less.
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
        match random.below(24) {
            0 => Self::Nothing,
            1..=3 => Self::Kill { after: random.below(12), down_for: time(random) },
            4 => Self::Restart { release: random.below(4) == 0, down_for: time(random) },
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
                let how = [Lost::Before, Lost::After, Lost::Late][random.below(3) as usize];
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
            _ => Self::PersonOpens,
        }
    }
}
