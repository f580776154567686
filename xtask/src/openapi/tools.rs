//! The tools from PyPI and npm, at the versions that `.ci/openapi` locks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of the tools and of their input.
pub struct Tools {
    /// The locked versions.
    locks: PathBuf,
    /// The folder of the tools and their output.
    home: PathBuf,
    /// The programs that make calls with the clients, and the configuration of the tools.
    pub programs: PathBuf,
}

impl Tools {
    /// Finds the folders.
    ///
    /// # Errors
    ///
    /// If one cannot be created.
    pub fn new(root: &Path) -> Result<Self, String> {
        let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
        let home = root.join("target/tools/openapi");
        fs::create_dir_all(&home).map_err(|e| format!("{}: {e}", home.display()))?;
        Ok(Self { locks: root.join(".ci/openapi"), home, programs: root.join("xtask/openapi") })
    }

    /// Installs the Python tools; `Some` says why they are skipped.
    ///
    /// # Errors
    ///
    /// If they cannot be installed.
    pub fn python(&self) -> Result<Option<String>, String> {
        // Debian has these modules in a package of their own.
        let modules = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
        if let Some(missing) =
            missing_of_python(there("python3"), modules.is_ok_and(|it| it.status.success()))
        {
            return Ok(Some(missing.to_owned()));
        }
        let lock = self.locks.join("requirements.txt");
        self.once(&lock, "python.lock", || {
            let venv = self.home.join("python");
            finish(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
            let mut pip = Command::new(venv.join("bin/pip"));
            pip.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
            finish(pip.arg("--requirement").arg(&lock)).map(drop)
        })?;
        Ok(None)
    }

    /// Installs the Node tools; `Some` says why they are skipped.
    ///
    /// # Errors
    ///
    /// As [`Tools::python`].
    pub fn node(&self) -> Result<Option<String>, String> {
        if let Some(missing) = ["node", "npm"].into_iter().find(|program| !there(program)) {
            return Ok(Some(format!("there is no {missing}")));
        }
        let lock = self.locks.join("package-lock.json");
        self.once(&lock, "node.lock", || {
            for file in ["package.json", "package-lock.json"] {
                fs::copy(self.locks.join(file), self.home.join(file))
                    .map_err(|e| format!("{file}: {e}"))?;
            }
            let mut npm = Command::new("npm");
            npm.args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&self.home);
            finish(&mut npm).map(drop)
        })?;
        Ok(None)
    }

    /// Installs the packages of a lock file, unless they are already installed.
    fn once(
        &self,
        lock: &Path,
        mark: &str,
        install: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), String> {
        let mark = self.home.join(mark);
        let wanted = fs::read(lock).map_err(|e| format!("{}: {e}", lock.display()))?;
        if fs::read(&mark).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        install()?;
        fs::write(&mark, wanted).map_err(|e| format!("{}: {e}", mark.display()))
    }

    /// Returns a command for one of the Python tools, which can find the others.
    pub fn python_tool(&self, name: &str) -> Command {
        let programs = self.home.join("python/bin");
        let mut command = Command::new(programs.join(name));
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", programs.display())).env("NO_COLOR", "1");
        command
    }

    /// Returns a command for one of the Node tools.
    pub fn node_tool(&self, name: &str) -> Command {
        Command::new(self.home.join("node_modules/.bin").join(name))
    }

    /// Creates a folder for a tool's output. Node finds its packages from there.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.home.join(name);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(folder)
    }

    /// Returns the program in `xtask/openapi` that makes calls with a client.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn program(&self, name: &str) -> Result<PathBuf, String> {
        let program = self.programs.join(name);
        if program.is_file() {
            return Ok(program);
        }
        Err(format!("write xtask/openapi/{name}, which calls with the client"))
    }
}

fn missing_of_python(has_program: bool, has_modules: bool) -> Option<&'static str> {
    match (has_program, has_modules) {
        (false, _) => Some("there is no python3"),
        (true, false) => Some("python3 has no venv; on Debian, it is in the package python3-venv"),
        (true, true) => None,
    }
}

fn there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Runs a program, and returns its output.
///
/// # Errors
///
/// Returns its output if it fails.
pub fn finish(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{program}: {e}"))?;
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(told) } else { Err(format!("{program}:\n{told}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_without_venv_is_skipped_as_a_missing_one_is() {
        assert_eq!(missing_of_python(true, true), None);
        assert_eq!(missing_of_python(false, false), Some("there is no python3"));
        assert!(missing_of_python(true, false).unwrap().contains("python3-venv"));
        assert!(!there("no-such-program"));
    }
}
