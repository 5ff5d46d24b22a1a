//! One process per database: a lock beside the file, held as long as the store is open and given back by the system when the
//! process ends, however it ends.
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use crate::OpenError;

/// The lock of a database, held.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Whether some process holds the lock of the database in this file.
    pub(super) fn is_held(database: &Path) -> bool {
        let Ok(file) = File::open(beside(database)) else { return false };
        // Shared and for a moment: whoever looks at the same time is not in the way.
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }

    /// Takes the lock of the database in this file.
    pub(super) fn take(database: &Path) -> Result<Lock, OpenError> {
        let path = beside(database);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(
            |error| OpenError {
                message: format!(
                    "the database \"{}\" cannot be opened: its folder may not be written ({error}); a server writes \
                         the database, its log and its lock there",
                    database.display()
                ),
            },
        )?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(database, &mut file)),
            Err(TryLockError::Error(error)) => {
                return Err(OpenError {
                    message: format!("the lock file \"{}\" cannot be locked: {error}", path.display()),
                });
            }
        }
        // The number only helps people to find the process: without it the lock holds as well.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Lock { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file gives the lock back as well.
        let _ = self.file.unlock();
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn in_use(database: &Path, file: &mut File) -> OpenError {
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    let process = match holder.trim() {
        "" => "another process".to_owned(),
        number => format!("process {number}"),
    };
    OpenError {
        message: format!(
            "the database \"{}\" is in use by {process}: one process at a time works on a database; stop that one first",
            database.display()
        ),
    }
}
