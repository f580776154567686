//! A network namespace with its own mounts and processes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::programs::{DataPlaneError, command, run, words};

/// A namespace. Everything in it ends when this is dropped, and also when this process is killed.
#[derive(Debug)]
pub(super) struct Namespace {
    /// `unshare`, whose child is the first process of the namespace: `cat`. It reads from a pipe of this
    /// process, and ends with it. The kernel then ends all processes of the namespace.
    holder: Child,
    /// The process id of that `cat`.
    pub(super) pid: u32,
    network: File,
}

impl Namespace {
    pub(super) fn new() -> Result<Namespace, DataPlaneError> {
        let mut unshare =
            command(&words("unshare --net --mount --pid --fork --kill-child --mount-proc cat"));
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = unshare.spawn().map_err(DataPlaneError::io("unshare"))?;
        // A byte came back through `cat`, so the namespaces are complete.
        let echoed = echo(&mut holder);
        let pid = echoed.and_then(|()| only_child(holder.id()));
        let namespace = pid.and_then(|pid| {
            let network = File::open(format!("/proc/{pid}/ns/net"))?;
            Ok((pid, network))
        });
        match namespace {
            Ok((pid, network)) => {
                let namespace = Namespace { holder, pid, network };
                // wireguard-go puts its sockets into /run, which must not contain those of other
                // processes.
                namespace.run(&words("mount -t tmpfs tmpfs /run"), "")?;
                namespace.run(&words("ip link set lo up"), "")?;
                Ok(namespace)
            }
            Err(error) => {
                let _ = holder.kill();
                let said = holder.wait_with_output().map(|ran| ran.stderr).unwrap_or_default();
                let said = String::from_utf8_lossy(&said).into_owned();
                let why = if said.is_empty() { error.to_string() } else { said };
                Err(DataPlaneError::no_namespaces(&why))
            }
        }
    }

    /// Runs a program in the namespace, as [`run`] does.
    pub(super) fn run(
        &self,
        arguments: &[OsString],
        input: &str,
    ) -> Result<String, DataPlaneError> {
        let enter = format!("nsenter --target {} --mount --net --pid", self.pid);
        run(&[words(&enter), arguments.to_vec()].concat(), input)
    }

    /// Runs a program in the network of the namespace. The program sees the processes of this machine.
    pub(super) fn run_in_network(&self, line: &str) -> Result<String, DataPlaneError> {
        run(&words(&format!("nsenter --target {} --net {line}", self.pid)), "")
    }

    /// Runs a function in the network of the namespace, for example to open a socket, which then stays
    /// there.
    pub(super) fn in_network<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        // This needs its own thread, because a thread does not leave the namespace again.
        thread::scope(|scope| {
            let entered = || {
                move_into_link_name_space(self.network.as_fd(), Some(LinkNameSpaceType::Network))?;
                work()
            };
            let joined = scope.spawn(entered).join();
            joined.unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
        })
    }

    /// Changes a setting of the network, such as `net/ipv4/ip_forward`.
    pub(super) fn set(&self, setting: &str, value: &str) -> Result<(), DataPlaneError> {
        // This `/proc` is writable, even in a container.
        let path = self.path(&Path::new("/proc/sys").join(setting));
        self.in_network(|| fs::write(path, value)).map_err(DataPlaneError::io(setting))
    }

    /// Returns a path of the namespace as this process sees it.
    pub(super) fn path(&self, inside: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.pid);
        Path::new(&root).join(inside.strip_prefix("/").unwrap_or(inside))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// Sends a byte through the program and waits for it to come back.
fn echo(child: &mut Child) -> io::Result<()> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    child.stdin.as_mut().ok_or_else(gone)?.write_all(b"\n")?;
    child.stdout.as_mut().ok_or_else(gone)?.read_exact(&mut [0])
}

/// Returns the only child of a process.
fn only_child(pid: u32) -> io::Result<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    children.trim().parse().map_err(|_| io::Error::other("unshare has no child"))
}
