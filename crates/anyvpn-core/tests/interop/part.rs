//! Runs a part, or says why it cannot be tried here.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

/// A program, and the Debian package that has it.
pub type Program = (&'static str, &'static str);

/// What could not be tried has not passed: the report tells the two apart, and without a report it is
/// a failure.
pub fn part(name: &str, programs: &[Program], tried: Option<String>, run: impl FnOnce()) {
    let line = match missing(programs).or(tried) {
        Some(why) => format!("skipped\t{name}: {why}\n"),
        None => {
            run();
            format!("passed\t{name}\n")
        }
    };
    match std::env::var_os("ANYVPN_INTEROP_REPORT") {
        Some(path) => {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        None => assert!(line.starts_with("passed"), "{line}"),
    }
}

/// Which programs are not here, and how to get them.
pub fn missing(programs: &[Program]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let missing: Vec<_> = programs.iter().filter(|(name, _)| !is_there(name)).collect();
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    (!names.is_empty()).then(|| {
        format!("there is no {}: apt-get install {}", names.join(", "), packages.join(" "))
    })
}

/// A script beside this file, with bash.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Begins a command in namespaces of its own, which end with it, as root in them.
pub fn apart() -> Command {
    let mut command = Command::new("timeout");
    command.args(["120", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]);
    if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
        command.arg("--map-root-user");
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a script that must end well, and gives its lines.
pub fn lines(command: &mut Command) -> Vec<String> {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).lines().map(ToOwned::to_owned).collect()
}

/// The same values each time.
pub fn generate<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let next = || strategy.new_tree(&mut runner).unwrap().current();
    std::iter::repeat_with(next).take(count).collect()
}

/// A folder that goes with its value.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Writes files of one kind into a folder of their own, in the order of their names.
    pub fn files(&self, folder: &str, extension: &str, contents: &[impl AsRef<[u8]>]) {
        let folder = self.0.join(folder);
        fs::create_dir_all(&folder).unwrap();
        for (index, content) in contents.iter().enumerate() {
            fs::write(folder.join(format!("f{index:05}.{extension}")), content).unwrap();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
