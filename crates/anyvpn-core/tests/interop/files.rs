//! Generated files.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;

/// Generates the same values in each run.
pub fn generate<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let next = || strategy.new_tree(&mut runner).unwrap().current();
    std::iter::repeat_with(next).take(count).collect()
}

/// A folder that is removed when this value is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Writes files of one kind into a separate folder, in the order of their names.
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
