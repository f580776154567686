//! Signals to a running keeper.

use std::io;

use tokio::sync::mpsc::{self, UnboundedReceiver};

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// Shut down.
    Stop,
    /// Read the settings again.
    Reload,
}

/// Receives the requests. A second request to shut down ends the process at once.
pub struct Requests(UnboundedReceiver<Request>);

impl Requests {
    /// Starts to listen.
    pub fn listen() -> io::Result<Self> {
        let (sender, requests) = mpsc::unbounded_channel();
        let mut signals = Signals::new()?;
        tokio::spawn(async move {
            let mut is_stopping = false;
            loop {
                let request = signals.next().await;
                if is_stopping && request == Request::Stop {
                    std::process::exit(1);
                }
                is_stopping |= request == Request::Stop;
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Ok(Self(requests))
    }

    /// Waits for the next request.
    pub async fn next(&mut self) -> Request {
        match self.0.recv().await {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Request {
        tokio::select! {
            Some(()) = self.terminate.recv() => Request::Stop,
            Some(()) = self.interrupt.recv() => Request::Stop,
            Some(()) = self.hangup.recv() => Request::Reload,
            else => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Request {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Request::Stop,
            Err(_) => std::future::pending().await,
        }
    }
}
