//! Days, months and the formatting of times, in UTC and in seconds since 1970.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::clock::DAY;

/// A time that the clock never reaches.
const NEVER: i64 = i64::MAX;

/// Returns the next midnight; if it is midnight now, the one a day later.
pub(super) fn next_midnight(now: i64) -> i64 {
    (now.div_euclid(DAY) + 1) * DAY
}

/// Returns the midnight that begins the day `months` months after `second`.
pub(super) fn months_later(second: i64, months: i64) -> i64 {
    let later = || {
        let day = Timestamp::from_second(second)?.to_zoned_datetime(TimeZone::UTC).date();
        let day = day.checked_add(Span::new().try_months(months)?)?;
        Ok::<i64, jiff::Error>(day.to_zoned_datetime(TimeZone::UTC)?.timestamp().as_second())
    };
    later().unwrap_or(NEVER)
}

/// Returns when a product that was due before `now` is due again.
pub(super) fn renewed(due: i64, months: i64, now: i64) -> i64 {
    // No month is longer than 31 days, so at least this many periods have passed.
    let over = (now - due) / (31 * DAY * months);
    let mut dues = (over + 1..).map(|periods| months_later(due, periods * months));
    dues.find(|due| now < *due).unwrap_or(NEVER)
}

pub(super) fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// Formats a time as `2022-01-26 03:45:34`.
pub(super) fn time_text(second: i64) -> String {
    timestamp(second).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Formats a date as `2022-01-26`.
pub(super) fn date_text(second: i64) -> String {
    timestamp(second).strftime("%Y-%m-%d").to_string()
}
