//! The README's example session is what the program says.

use crate::common::Room;
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn the_session_of_the_readme_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let session = readme.split("<!-- session -->").nth(1).expect("a session");
    let block = session.split("```console\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    let room = Room::new();
    let trail = "scenarios/whack-a-mole/trail";
    copy(&root.join(trail), &room.path().join(trail));
    let mut commands = 0;
    for part in block.split("$ unchain ").skip(1) {
        let (arguments, shown) = part.split_once('\n').unwrap();
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let said = room.run(&arguments);
        assert!(said.code <= 1, "{arguments:?}: {}", said.err);
        // A line with `…` alone stands for lines that the README leaves out.
        let mut rest = said.out.as_str();
        for piece in shown.trim_end().split("\n…") {
            let piece = piece.trim_matches('\n');
            let (_, after) = rest.split_once(piece).unwrap_or_else(|| {
                panic!("{arguments:?} does not say\n{piece}\nbut\n{rest}");
            });
            rest = after;
        }
        commands += 1;
    }
    assert!(commands >= 3);
}
