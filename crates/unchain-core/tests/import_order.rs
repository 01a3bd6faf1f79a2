//! INVARIANT: inside this crate a module imports only those before it in `lib.rs`, and none does I/O
//! or reads the clock.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail where the test should"
)]

use std::path::Path;

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push((
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

#[test]
fn modules_import_only_those_before_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let order: Vec<&str> = lib
        .lines()
        .filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(order.len() >= 10, "{order:?}");
    for (n, module) in order.iter().enumerate() {
        let mut files = Vec::new();
        let file = src.join(format!("{module}.rs"));
        if file.exists() {
            files.push((
                file.display().to_string(),
                std::fs::read_to_string(&file).unwrap(),
            ));
        }
        if src.join(module).is_dir() {
            sources(&src.join(module), &mut files);
        }
        assert!(!files.is_empty(), "{module} has no file");
        for (path, text) in files {
            for later in order.iter().skip(n + 1) {
                assert!(
                    !text.contains(&format!("crate::{later}::")),
                    "{path} imports {later}, which comes after {module}"
                );
            }
        }
    }
}

#[test]
fn nothing_here_touches_the_world() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    for (path, text) in files {
        for word in [
            "std::fs",
            "std::net",
            "std::thread",
            "std::env",
            "std::process",
            "Instant::now",
            "Timestamp::now",
            "async fn",
            "RandomState",
        ] {
            assert!(!text.contains(word), "{path} uses {word}");
        }
    }
}
