//! The program `anyvpn-codegen`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns the exit code and the stderr.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_anyvpn-codegen"));
    let output = program.current_dir(folder).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_writes_and_checks_and_says_what_is_wrong() {
    let folder = std::env::temp_dir().join(format!("anyvpn-codegen-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let yaml = include_str!("vendor/openapi.yaml");
    fs::write(folder.join("openapi.yaml"), yaml).unwrap();
    let write = ["--provider", "vendor", "--openapi", "openapi.yaml", "--out", "ops.rs"];
    let check = [&write[..], &["--check"]].concat();

    let (code, differs) = run(&folder, &check);
    assert_eq!(code, 1);
    assert!(
        differs.ends_with("ops.rs differs from openapi.yaml: run this command without --check\n")
    );
    let (code, warnings) = run(&folder, &write);
    assert_eq!(code, 0);
    let warning = "warning: openapi.yaml#/paths/~1v2~1sessions/get: no x-source; name the vendor's \
                   page and heading\n";
    assert!(warnings.contains(warning), "{warnings}");
    assert_eq!(run(&folder, &check).0, 0);

    fs::write(folder.join("openapi.yaml"), yaml.replace("x-replay: Once", "")).unwrap();
    let (code, errors) = run(&folder, &write);
    assert_eq!(code, 1);
    let error = "error: openapi.yaml#/paths/~1v2~1sessions/post: no x-replay; say whether the \
                 operation may be sent again";
    assert!(errors.contains(error), "{errors}");
    assert_eq!(run(&folder, &["--openapi", "openapi.yaml"]).0, 2);
    fs::remove_dir_all(folder).unwrap();
}
