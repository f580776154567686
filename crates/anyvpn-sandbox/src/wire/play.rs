//! Plays a script on a connection that hyper no longer uses.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::{Act, End, Script};

/// How faults wait.
#[derive(Clone)]
pub(crate) struct Wait(pub(crate) Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>);

impl Default for Wait {
    fn default() -> Wait {
        Wait(Arc::new(|time| Box::pin(tokio::time::sleep(time))))
    }
}

impl fmt::Debug for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wait")
    }
}

/// Plays a script to its end, or until the peer is gone.
pub(crate) async fn play(mut stream: TcpStream, script: Script, wait: &Wait) {
    // The script does not fail because the peer is gone.
    if acts(&mut stream, script.acts, wait).await.is_err() {
        return;
    }
    match script.end {
        End::Close => {}
        End::HalfClose => {
            let _ = stream.shutdown().await;
            gone(&mut stream).await;
        }
        End::Silence => while pause(&mut stream, Duration::MAX, wait).await {},
        End::Keep => gone(&mut stream).await,
        End::Reset => {
            // With a linger time of zero, the kernel sends RST and discards unsent bytes.
            let _ = stream.set_zero_linger();
        }
    }
}

async fn acts(stream: &mut TcpStream, acts: Vec<Act>, wait: &Wait) -> io::Result<()> {
    for act in acts {
        match act {
            Act::Send(bytes) => stream.write_all(&bytes).await?,
            Act::Bytewise(bytes, every) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    if !pause(stream, every, wait).await {
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                }
            }
            Act::Endless(bytes, every) => loop {
                stream.write_all(&bytes).await?;
                if !pause(stream, every, wait).await {
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            },
        }
    }
    Ok(())
}

/// Waits, and returns whether the peer is still connected.
async fn pause(stream: &mut TcpStream, time: Duration, wait: &Wait) -> bool {
    if time.is_zero() {
        tokio::task::yield_now().await;
        return true;
    }
    match select(Box::pin(gone(stream)), (wait.0)(time)).await {
        Either::Left(_) => false,
        Either::Right(_) => true,
    }
}

/// Waits until the peer is gone. What it sends meanwhile is discarded.
async fn gone(stream: &mut TcpStream) {
    let mut thrown_away = [0; 1024];
    while stream.read(&mut thrown_away).await.is_ok_and(|length| length > 0) {}
}
