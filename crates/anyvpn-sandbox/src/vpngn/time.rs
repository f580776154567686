//! Days, months and texts of times, all of UTC and in seconds since 1970.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::clock::DAY;

/// A time that no clock here reaches.
const NEVER: i64 = i64::MAX;

/// The midnight that comes next; a day later when it is midnight.
pub(super) fn next_midnight(now: i64) -> i64 {
    (now.div_euclid(DAY) + 1) * DAY
}

/// The midnight with which the day begins that is so many months after `second`.
pub(super) fn months_later(second: i64, months: i64) -> i64 {
    let later = || {
        let day = Timestamp::from_second(second)?.to_zoned_datetime(TimeZone::UTC).date();
        let day = day.checked_add(Span::new().try_months(months)?)?;
        Ok::<i64, jiff::Error>(day.to_zoned_datetime(TimeZone::UTC)?.timestamp().as_second())
    };
    later().unwrap_or(NEVER)
}

/// When a product is due again that was due before `now`.
pub(super) fn renewed(due: i64, months: i64, now: i64) -> i64 {
    // No month is longer than 31 days, so that at least so many periods are over.
    let over = (now - due) / (31 * DAY * months);
    let mut dues = (over + 1..).map(|periods| months_later(due, periods * months));
    dues.find(|due| now < *due).unwrap_or(NEVER)
}

pub(super) fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// `2022-01-26 03:45:34`
pub(super) fn time_text(second: i64) -> String {
    timestamp(second).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2022-01-26`
pub(super) fn date_text(second: i64) -> String {
    timestamp(second).strftime("%Y-%m-%d").to_string()
}
