//! What stops the loading of rules as a whole. What is wrong with one rule is no error: see
//! [`crate::Unusable`].

use std::path::PathBuf;

/// Rules cannot be loaded at all.
#[derive(Debug, thiserror::Error)]
pub enum SigmaError {
    /// The place that was named cannot be read.
    #[error("cannot read Sigma rules from `{}`; name a folder with *.yml files, or one such file", path.display())]
    Unreadable {
        /// The place.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// There is nothing there that could be a rule.
    #[error("no *.yml or *.yaml file is in `{}`; name the folder that holds the rules", path.display())]
    Nothing {
        /// The place.
        path: PathBuf,
    },
}
