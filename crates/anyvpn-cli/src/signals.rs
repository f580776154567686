//! Ctrl-C and its like. The first signal ends what is waited for, so that nothing half done stays
//! behind; the second ends the process at once. Either way it ends as the signal's victim.
//!
//! A command that waits for nothing leaves all of it to the system.

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

    /// How long the command may be busy after a signal. Who is longer reads stdin, waits for a
    /// program or for a reader of stdout, and does not see the signal; a file is written sooner.
    const GRACE: Duration = Duration::from_millis(500);
    /// A prompt that SIGTERM interrupts raises SIGINT by itself, which is no second signal.
    const ECHO: Duration = Duration::from_millis(50);

    /// Set by the handler, so that whoever was interrupted knows it.
    static ARRIVED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
    /// The first signal, once the thread has seen it.
    static FIRST: AtomicI32 = AtomicI32::new(0);
    /// Odd while the command is busy and would not see a signal.
    static BUSY: AtomicUsize = AtomicUsize::new(0);

    /// Marks the command as busy, or as waiting again: each call switches between the two.
    pub fn switch_busy() {
        BUSY.fetch_add(1, SeqCst);
    }

    /// The first signal.
    pub struct Signal(oneshot::Receiver<i32>);

    impl Signal {
        pub fn watch() -> io::Result<Self> {
            watch().map(Self)
        }

        /// Waits for it.
        pub async fn arrive(&mut self) -> i32 {
            match (&mut self.0).await {
                Ok(signal) => signal,
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Begins to listen, in a thread: this one may be busy with what no signal ends.
    fn watch() -> io::Result<oneshot::Receiver<i32>> {
        let watched: Vec<i32> =
            [SIGINT, SIGTERM, SIGHUP, SIGQUIT].into_iter().filter(|it| is_ours(*it)).collect();
        let mut signals = Signals::new(&watched)?;
        for signal in &watched {
            flag::register(*signal, Arc::clone(&ARRIVED))?;
        }
        let (tell, told) = oneshot::channel();
        let terminal = tcgetattr(io::stdin()).ok();
        let end = move |signal| {
            progress::clear();
            if let Some(terminal) = &terminal {
                // The shell would read, and show, what was typed of a password.
                if hidden::is_asking() {
                    let _ = tcflush(io::stdin(), QueueSelector::IFlush);
                }
                // As it was before a prompt, with a cursor, and not in the middle of a line.
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

    /// Whether a signal may be handled. One that the parent ignores, as `nohup` does with SIGHUP and a
    /// shell with SIGINT for what runs in the background, stays ignored.
    fn is_ours(signal: i32) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        match ignored.map(|mask| u64::from_str_radix(mask.trim(), 16)) {
            Some(Ok(mask)) => mask & (1 << (signal - 1)) == 0,
            // Elsewhere it is not known.
            _ => signal != SIGHUP,
        }
    }

    fn wait_for(signals: &mut Signals) -> i32 {
        loop {
            // SIGTERM is the greater one, and its echo may have come already.
            if let Some(signal) = signals.wait().max() {
                return signal;
            }
        }
    }

    /// The signal that has arrived, if one has.
    pub fn arrived() -> Option<i32> {
        while ARRIVED.load(SeqCst) {
            match FIRST.load(SeqCst) {
                // The thread is about to see it.
                0 => thread::sleep(Duration::from_millis(1)),
                signal => return Some(signal),
            }
        }
        None
    }

    /// Ends the process as a signal does that nobody handles.
    pub fn end(signal: i32) -> ! {
        progress::clear();
        let _ = low_level::emulate_default_handler(signal);
        std::process::exit(128 + signal)
    }
}

#[cfg(not(unix))]
pub use other::{Signal, arrived, end, switch_busy};

/// Elsewhere the system ends the process.
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
