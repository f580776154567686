//! Makes folders for files that nobody else may read.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a folder of mode 0700, and the folders above it that are missing. One that exists stays as
/// it is.
///
/// # Errors
///
/// When the system cannot make it, such as where a file has its name.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::create_private_folder;

    #[test]
    fn a_folder_is_made_for_its_owner_and_one_that_exists_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        create_private_folder(&folder).unwrap();
        let mode =
            |folder: &std::path::Path| folder.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&place.path().join("a"))), (0o700, 0o700));
        let shared = std::fs::Permissions::from_mode(0o750);
        std::fs::set_permissions(&folder, shared).unwrap();
        create_private_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o750);
        std::fs::write(folder.join("file"), "").unwrap();
        assert!(create_private_folder(&folder.join("file")).is_err());
    }
}
