//! Detects that a gateway has lost its mappings (RFC 6886, section 3.6).

use std::time::{Duration, Instant};

/// The tolerance for a gateway's clock.
const TOLERANCE: u128 = 2000;

/// The last epoch that a gateway reported, and when the report arrived.
#[derive(Debug, Default)]
pub(crate) struct Epoch(Option<(u32, Instant)>);

impl Epoch {
    /// Records the seconds that a gateway reports, and returns whether it was restarted since the last
    /// report. The gateway's clock may be an eighth slower than ours.
    pub(crate) fn has_reset(&mut self, seconds: u32, now: Instant) -> bool {
        let last = self.0.replace((seconds, now));
        last.is_some_and(|(last, at)| {
            let elapsed: Duration = now.saturating_duration_since(at);
            let expected = u128::from(last) * 1000 + elapsed.as_millis() * 7 / 8;
            u128::from(seconds) * 1000 + TOLERANCE < expected
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_clock_is_not_a_restart_but_a_reset_clock_is() {
        let start = Instant::now();
        for (later, seconds, expected) in [
            (0, 4_200_000, false),
            (80, 4_200_080, false),
            // An eighth slower than ours, and two seconds more.
            (80, 4_200_068, false),
            (80, 4_200_067, true),
            (80, 4_200_500, false),
            (80, 0, true),
            (0, 4_199_998, false),
            (0, 4_199_997, true),
        ] {
            let mut epoch = Epoch::default();
            assert!(!epoch.has_reset(4_200_000, start), "the first one tells nothing");
            let now = start + Duration::from_secs(later);
            assert_eq!(epoch.has_reset(seconds, now), expected, "{seconds} after {later} s");
            assert!(!epoch.has_reset(seconds, now), "it is told once");
        }
        let mut late = Epoch(Some((10, start)));
        assert!(late.has_reset(10, start + Duration::from_secs(1_000_000)));
    }
}
