//! Handles SIGINT, SIGTERM, SIGHUP and SIGQUIT.
//!
//! The first signal cancels the work, so that the command can clean up. The second ends the process at
//! once. In both cases the process ends by the signal itself, as its parent expects.
//!
//! Commands that wait for nothing do not handle signals.

#[cfg(unix)]
pub use unix::{Signal, arrived, end, switch_busy};

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal as _, Write as _};
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Arc, LazyLock};
    use std::thread;
    use std::time::Duration;

    use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetattr, tcsetattr};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::{flag, low_level};
    use tokio::sync::oneshot;

    use crate::{hidden, progress};

    /// How long the command may be busy after a signal. If it takes longer, it is blocked on stdin, on
    /// another program or on the reader of stdout, and does not notice the signal. Writing a file is
    /// faster.
    const GRACE: Duration = Duration::from_millis(500);
    /// How long to ignore further signals. A prompt that SIGTERM interrupts raises SIGINT itself, which
    /// must not count as a second signal.
    const ECHO: Duration = Duration::from_millis(50);

    /// Set by the handler at once.
    static ARRIVED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
    /// The first signal, set by the thread.
    static FIRST: AtomicI32 = AtomicI32::new(0);
    /// Odd while the command is busy and does not notice a signal.
    static BUSY: AtomicUsize = AtomicUsize::new(0);

    /// Switches between busy and waiting.
    pub fn switch_busy() {
        BUSY.fetch_add(1, SeqCst);
    }

    /// A future signal.
    pub struct Signal(oneshot::Receiver<i32>);

    impl Signal {
        /// Starts to handle signals.
        pub fn watch() -> io::Result<Self> {
            watch().map(Self)
        }

        /// Waits for the first signal.
        pub async fn arrive(&mut self) -> i32 {
            match (&mut self.0).await {
                Ok(signal) => signal,
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Starts a thread that handles signals, because the main thread may be blocked.
    fn watch() -> io::Result<oneshot::Receiver<i32>> {
        let watched: Vec<i32> = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
            .into_iter()
            .filter(|signal| is_ours(*signal))
            .collect();
        let mut signals = Signals::new(&watched)?;
        for signal in &watched {
            flag::register(*signal, Arc::clone(&ARRIVED))?;
        }
        let (tell, told) = oneshot::channel();
        let terminal = tcgetattr(io::stdin()).ok();
        let end = move |signal| {
            progress::clear();
            if let Some(terminal) = &terminal {
                // Otherwise the shell would read and show the password typed so far.
                if hidden::is_asking() {
                    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
                }
                // Restore the terminal's mode, show the cursor, and start a new line.
                let _ = tcsetattr(io::stdin(), OptionalActions::Now, terminal);
                if io::stderr().is_terminal() {
                    let _ = io::stderr().write_all(b"\x1b[?25h\r\n");
                }
            }
            end(signal)
        };
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let signal = wait_for(&mut signals);
            let busy = BUSY.load(SeqCst);
            FIRST.store(signal, SeqCst);
            let _ = tell.send(signal);
            thread::scope(|scope| {
                if busy % 2 == 1 {
                    scope.spawn(|| {
                        thread::sleep(GRACE);
                        if BUSY.load(SeqCst) == busy {
                            end(signal);
                        }
                    });
                }
                thread::sleep(ECHO);
                signals.pending().for_each(drop);
                end(wait_for(&mut signals));
            });
        })?;
        Ok(told)
    }

    /// Whether to handle a signal. Signals that the parent ignores stay ignored: `nohup` ignores SIGHUP,
    /// and shells ignore SIGINT for background jobs.
    fn is_ours(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        match ignored.map(|mask| u64::from_str_radix(mask.trim(), 16)) {
            Some(Ok(mask)) => mask & (1 << (signal - 1)) == 0,
            // Without /proc we cannot know.
            _ => signal != SIGHUP,
        }
    }

    fn wait_for(signals: &mut Signals) -> i32 {
        loop {
            // If the SIGINT of an interrupted prompt has arrived too, SIGTERM has the higher number.
            if let Some(signal) = signals.wait().max() {
                return signal;
            }
        }
    }

    /// Returns the signal that has arrived, if any.
    pub fn arrived() -> Option<i32> {
        while ARRIVED.load(SeqCst) {
            match FIRST.load(SeqCst) {
                // The thread has not seen it yet.
                0 => thread::sleep(Duration::from_millis(1)),
                signal => return Some(signal),
            }
        }
        None
    }

    /// Ends the process by the signal, as if it were not handled.
    pub fn end(signal: i32) -> ! {
        progress::clear();
        let _ = low_level::emulate_default_handler(signal);
        std::process::exit(128 + signal)
    }
}

#[cfg(not(unix))]
pub use other::{Signal, arrived, end, switch_busy};

/// On other systems, the system ends the process.
#[cfg(not(unix))]
mod other {
    pub fn switch_busy() {}

    pub struct Signal;

    impl Signal {
        pub fn watch() -> std::io::Result<Self> {
            Ok(Self)
        }

        pub async fn arrive(&mut self) -> i32 {
            std::future::pending().await
        }
    }

    pub fn arrived() -> Option<i32> {
        None
    }

    pub fn end(signal: i32) -> ! {
        std::process::exit(128 + signal)
    }
}
