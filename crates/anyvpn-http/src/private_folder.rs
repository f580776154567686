//! Creates private folders.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Creates a folder of mode 0700 and its missing parents. A folder that exists is left as it is.
///
/// # Errors
///
/// If the system cannot create it, for example because a file has its name.
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
