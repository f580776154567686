//! `cargo xtask mutants`: whether the tests notice when the code is changed.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Some files, and the tests that are to notice changes in them.
struct Module {
    name: &'static str,
    files: &'static [&'static str],
    package: &'static str,
    /// Which of the package's tests; few enough that a thousand mutants take hours and not days.
    tests: &'static [&'static str],
}

const CORE: &str = "anyvpn-core";
const HTTP: &str = "anyvpn-http";
const ALL: &[&str] = &["--tests"];
const DIALECT: &[&str] = &["--lib", "--test=fixtures"];

const MODULES: &[Module] = &[
    Module { name: "secret", files: &["anyvpn-core/src/secret.rs"], package: CORE, tests: ALL },
    Module { name: "error", files: &["anyvpn-core/src/error.rs"], package: CORE, tests: ALL },
    Module {
        name: "wireguard",
        files: &["anyvpn-core/src/wireguard.rs", "anyvpn-core/src/wireguard/*.rs"],
        package: CORE,
        tests: ALL,
    },
    Module {
        name: "openvpn",
        files: &["anyvpn-core/src/openvpn.rs", "anyvpn-core/src/openvpn/*.rs"],
        package: CORE,
        tests: ALL,
    },
    Module {
        name: "retry",
        files: &[
            "anyvpn-http/src/client.rs",
            "anyvpn-http/src/limits.rs",
            "anyvpn-http/src/pace.rs",
        ],
        package: HTTP,
        tests: ALL,
    },
    Module {
        name: "request",
        files: &["anyvpn-http/src/request.rs", "anyvpn-http/src/builder.rs"],
        package: HTTP,
        tests: ALL,
    },
    Module {
        name: "reply",
        files: &[
            "anyvpn-http/src/reply.rs",
            "anyvpn-http/src/exchange.rs",
            "anyvpn-http/src/source.rs",
        ],
        package: HTTP,
        tests: ALL,
    },
    Module {
        name: "structure",
        files: &["anyvpn-http/src/structure.rs"],
        package: HTTP,
        tests: &["--lib", "--test=reply"],
    },
    Module {
        name: "bulk",
        files: &["anyvpn-http/src/bulk.rs"],
        package: HTTP,
        tests: &["--test=bulk"],
    },
    Module {
        name: "credentials",
        files: &[
            "anyvpn-http/src/credentials.rs",
            "anyvpn-http/src/token_store.rs",
            "anyvpn-http/src/finish.rs",
        ],
        package: HTTP,
        tests: ALL,
    },
    Module {
        name: "azire",
        files: &["anyvpn-azire/src/dialect.rs"],
        package: "anyvpn-azire",
        tests: DIALECT,
    },
    Module {
        name: "vpnscript",
        files: &["anyvpn-vpnscript/src/dialect.rs"],
        package: "anyvpn-vpnscript",
        tests: DIALECT,
    },
    Module {
        name: "vpngn",
        files: &["anyvpn-vpngn/src/dialect.rs"],
        package: "anyvpn-vpngn",
        tests: &["--lib", "--test=fixtures", "--test=credentials", "--test=pace"],
    },
    Module {
        name: "session",
        files: &["anyvpn-vpngn/src/session.rs"],
        package: "anyvpn-vpngn",
        tests: &["--lib", "--test=session", "--test=dropping"],
    },
];

/// Where it is said why a change need not be noticed.
const REASONS: &str = "docs/mutants.md";

/// Changes the code of one module, or of all, in each way that cargo-mutants knows, and runs the
/// tests. Prints the rows of the table in `docs/mutants.md`.
///
/// # Errors
///
/// When a change is noticed by no test, and `docs/mutants.md` has no reason for that. Or when there
/// is no cargo-mutants.
pub fn run(root: &Path, only: Option<&str>) -> Result<(), String> {
    let wanted = |module: &&Module| only.is_none_or(|name| name == module.name);
    let modules: Vec<&Module> = MODULES.iter().filter(wanted).collect();
    if modules.is_empty() {
        let names: Vec<_> = MODULES.iter().map(|it| it.name).collect();
        return Err(format!("there is no such module; there are {}", names.join(", ")));
    }
    let reasons = fs::read_to_string(root.join(REASONS)).map_err(|e| format!("{REASONS}: {e}"))?;
    let mut unexplained = Vec::new();
    for module in modules {
        let outcome = module.run(root)?;
        println!("{}", outcome.row(module.name));
        unexplained.extend(outcome.missed.into_iter().filter(|it| !is_explained(it, &reasons)));
    }
    if unexplained.is_empty() {
        return Ok(());
    }
    let list = unexplained.join("\n");
    Err(format!("{list}\nneither noticed by a test nor explained in {REASONS}"))
}

impl Module {
    fn run(&self, root: &Path) -> Result<Outcome, String> {
        let place = root.join("target/mutants");
        let output = place.join(self.name);
        fs::create_dir_all(&output).map_err(|e| format!("{}: {e}", output.display()))?;
        // Whoever else is at the machine goes first. The builds of all modules share one folder, and
        // without debug information they link in half the time.
        let status = Command::new("nice")
            .current_dir(root)
            .args(["-n", "19", env!("CARGO"), "mutants", "--jobs=1", "--no-shuffle"])
            .arg(format!("--package={}", self.package))
            // Code that is left out would be missed as a whole.
            .arg("--all-features")
            .arg("--output")
            .arg(&output)
            .args(self.files.iter().map(|file| format!("--file=crates/{file}")))
            .args(self.tests.iter().map(|test| format!("--cargo-test-arg={test}")))
            .env("CARGO_TARGET_DIR", place.join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "none")
            .status()
            .map_err(|e| format!("nice: {e}"))?;
        // 2 and 3 say that some were missed, or never came to their end.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            return Err(format!(
                "cargo mutants failed for {}; is it there? cargo install cargo-mutants --locked",
                self.name
            ));
        }
        let list = |name: &str| {
            let file = output.join("mutants.out").join(name);
            let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            Ok::<_, String>(text.lines().map(str::to_owned).collect::<Vec<_>>())
        };
        Ok(Outcome {
            caught: list("caught.txt")?.len() + list("timeout.txt")?.len(),
            missed: list("missed.txt")?,
            unviable: list("unviable.txt")?.len(),
        })
    }
}

struct Outcome {
    /// Noticed, also by tests that never come to their end.
    caught: usize,
    missed: Vec<String>,
    /// Not compiled.
    unviable: usize,
}

impl Outcome {
    fn row(&self, module: &str) -> String {
        let Self { caught, missed, unviable } = self;
        format!("| {module} | {caught} | {} | {unviable} |", missed.len())
    }
}

/// Whether the reasons name a change such as `src/a.rs:1:2: replace f with ()`, wherever its line is
/// now.
fn is_explained(mutant: &str, reasons: &str) -> bool {
    let change = mutant.splitn(4, ':').last().unwrap_or(mutant).trim();
    reasons.contains(&format!("`{change}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_change_and_not_the_line() {
        let reasons = "| `replace a -> b with 0 in c::d` | it is always 0 |";
        assert!(is_explained("crates/x/src/y.rs:12:3: replace a -> b with 0 in c::d", reasons));
        assert!(!is_explained("crates/x/src/y.rs:12:3: replace a -> b with 1 in c::d", reasons));
        assert!(!is_explained("crates/x/src/y.rs:12:3: replace a -> b with 0", reasons));
    }
}
