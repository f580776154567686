//! Keeps the secrets of this process out of core dumps and panic messages.

use std::io::{self, Write as _};
use std::panic::{PanicHookInfo, set_hook};

use crate::failure::Failure;

/// Disables core dumps, and sets a panic hook that prints no values. With `is_json`, it prints JSON.
pub fn guard(is_json: bool) {
    disable_core_dumps();
    set_hook(Box::new(move |panic| {
        let failure = internal_error(panic);
        let told = match is_json {
            true => serde_json::to_string_pretty(&failure.report()).unwrap_or_default(),
            false => failure.lines().join("\n"),
        };
        // We do not use `output`, because the panic may come from there.
        let _ = writeln!(io::stderr(), "{told}");
    }));
}

/// Disables core dumps. If the system does not allow this, the program runs anyway.
fn disable_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Core);
        limit.current = Some(0);
        let _ = setrlimit(Resource::Core, limit);
    }
    // The limit does not apply if a program collects core dumps. This setting does, and it also keeps
    // other programs of the same user from reading this process.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Returns the failure for a panic. It omits the message, which may quote a value.
fn internal_error(panic: &PanicHookInfo) -> Failure {
    let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
    Failure::other(format!("this is a bug in anyvpn{place}"))
        .hint("please report it; before you repeat the command, check what it has done")
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_panic_prints_its_place_but_not_its_message() {
        // The test runs itself again in another process, which panics.
        const INSIDE: &str = "ANYVPN_TEST_PANIC";
        if std::env::var_os(INSIDE).is_some() {
            guard(false);
            catch_unwind(|| panic!("{}", "canary".repeat(2))).unwrap_err();
            std::process::exit(7);
        }
        let name = "process::tests::a_panic_prints_its_place_but_not_its_message";
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name, "--nocapture"]).env(INSIDE, "1").env("RUST_BACKTRACE", "1");
        let ran = again.output().unwrap();
        assert_eq!(ran.status.code(), Some(7));
        let told = String::from_utf8(ran.stderr).unwrap();
        let begin = "error: this is a bug in anyvpn (crates/anyvpn-cli/src/process.rs:";
        assert!(told.starts_with(begin) && told.contains("please report it"), "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
}
