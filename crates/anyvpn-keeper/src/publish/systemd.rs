//! Reports the service's state to systemd.

use std::time::Duration;

use crate::{Phase, Snapshot};

/// By how much each progress of the keeper extends the start, until the port is verified.
const MORE_TIME: Duration = Duration::from_secs(60);

/// The connection to systemd's service manager. Without one, nothing is sent.
///
/// Messages that cannot be delivered are dropped: the service manager itself notices if they are
/// missing.
#[derive(Debug)]
pub struct Systemd {
    watchdog: Option<Duration>,
    is_ready: bool,
    status: String,
}

impl Systemd {
    /// Reads the variables that systemd set for this process.
    #[must_use]
    pub fn from_environment() -> Self {
        #[cfg(unix)]
        let watchdog = sd_notify::watchdog_enabled();
        #[cfg(not(unix))]
        let watchdog = None;
        Self { watchdog, is_ready: false, status: String::new() }
    }

    /// Returns the longest time between calls of [`Self::progress`]: half the watchdog's time, so that
    /// one late call does no harm. `None` if there is no watchdog.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        self.watchdog.map(|time| time / 2)
    }

    /// Reports a snapshot: sets the status line, and reports that the service is ready once the port is
    /// verified.
    pub fn publish(&mut self, snapshot: &Snapshot) {
        let status = status(snapshot);
        if self.status != status {
            send(&format!("STATUS={status}"));
            self.status = status;
        }
        let is_verified = snapshot.port.as_ref().is_some_and(|open| open.verified_at.is_some());
        if !self.is_ready && (is_verified || snapshot.phase == Phase::Holding) {
            self.is_ready = true;
            send("READY=1");
        }
    }

    /// Resets the watchdog. Call this only when the keeper's loop makes progress, never from a separate
    /// timer.
    ///
    /// Until the service is ready, this also extends the time that its start may take: waiting for a tunnel
    /// is not a failure.
    pub fn progress(&self) {
        if self.watchdog.is_some() {
            send("WATCHDOG=1");
        }
        if !self.is_ready {
            extend_timeout(MORE_TIME);
        }
    }

    /// Reports that the settings are being read again.
    pub fn reloading(&self) {
        // systemd compares this time, which must be in the same message, with the time of its request.
        #[cfg(unix)]
        if let Ok(now) = sd_notify::NotifyState::monotonic_usec_now() {
            send(&format!("RELOADING=1\n{now}"));
        }
    }

    /// Reports that the settings were read again.
    pub fn reloaded(&self) {
        send("READY=1");
    }

    /// Reports that the service is stopping, which can take this long.
    pub fn stopping(&self, longest: Duration) {
        send("STOPPING=1");
        extend_timeout(longest);
    }
}

fn extend_timeout(longest: Duration) {
    send(&format!("EXTEND_TIMEOUT_USEC={}", longest.as_micros()));
}

fn send(message: &str) {
    #[cfg(unix)]
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Custom(message)]);
    #[cfg(not(unix))]
    let _ = message;
}

/// Returns one line for `systemctl status`.
fn status(snapshot: &Snapshot) -> String {
    let doing = match snapshot.phase {
        Phase::WaitingForTunnel => Some("waiting for the tunnel"),
        Phase::Opening => Some("opening a port"),
        Phase::Telling => Some("telling the clients"),
        Phase::Holding => None,
        Phase::BackingOff => Some("waiting before the next attempt"),
        Phase::Stopping => Some("stopping"),
    };
    let open = snapshot.port.as_ref().map(|open| format!("port {} is open", open.port));
    let parts = [open.as_deref(), doing, snapshot.problem.as_deref()];
    let line = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    // A newline would start another message.
    line.replace(['\n', '\r', '\0'], " ")
}
