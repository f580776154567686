//! What keeps the secrets of this process inside of it.

use std::io::{self, Write as _};
use std::panic::{PanicHookInfo, set_hook};

use crate::failure::Failure;

/// Makes the process one whose memory is in no file when it crashes, and that tells no value of its
/// own then; in JSON where `is_json`.
pub fn guard(is_json: bool) {
    keep_memory();
    set_hook(Box::new(move |panic| {
        let failure = apology(panic);
        let told = match is_json {
            true => serde_json::to_string_pretty(&failure.report()).unwrap_or_default(),
            false => failure.lines().join("\n"),
        };
        // Not by way of `output`, which may be what panicked.
        let _ = writeln!(io::stderr(), "{told}");
    }));
}

/// Best effort: where the system does not let it, the program runs all the same.
fn keep_memory() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Core);
        limit.current = Some(0);
        let _ = setrlimit(Resource::Core, limit);
    }
    // The limit does not hold for a program that collects them. This does, and keeps other programs
    // of the same person from looking into this one.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Where it was, without the message: that may quote a value.
fn apology(panic: &PanicHookInfo) -> Failure {
    let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
    Failure::other(format!("this is a mistake in anyvpn itself{place}"))
        .hint("please report it; see what was done before you repeat the command")
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_panic_tells_its_place_and_not_its_message() {
        // This test again, in a process of its own, where it panics.
        const INSIDE: &str = "ANYVPN_TEST_PANIC";
        if std::env::var_os(INSIDE).is_some() {
            guard(false);
            catch_unwind(|| panic!("{}", "canary".repeat(2))).unwrap_err();
            std::process::exit(7);
        }
        let name = "process::tests::a_panic_tells_its_place_and_not_its_message";
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").env("RUST_BACKTRACE", "1");
        let ran = again.output().unwrap();
        assert_eq!(ran.status.code(), Some(7));
        let told = String::from_utf8(ran.stderr).unwrap();
        let begin = "error: this is a mistake in anyvpn itself (crates/anyvpn-cli/src/process.rs:";
        assert!(told.starts_with(begin) && told.contains("please report it"), "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}
