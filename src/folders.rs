//! Where a user's own files are, by the conventions of the system.

use std::path::PathBuf;

/// The user's home folder, or the working folder if none is named.
pub(crate) fn home() -> PathBuf {
    std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE")).map(PathBuf::from).unwrap_or_default()
}

/// Where programs keep a user's data: `XDG_DATA_HOME`, by default `~/.local/share`.
pub(crate) fn user_data() -> PathBuf {
    let given = std::env::var_os("XDG_DATA_HOME").filter(|v| !v.is_empty());
    given.map_or_else(|| home().join(".local/share"), PathBuf::from)
}
