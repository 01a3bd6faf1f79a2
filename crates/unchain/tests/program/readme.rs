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

/// The commands that are to be pasted: lines of shell blocks that begin with `unchain`, without their comments.
fn pasted(page: &str) -> Vec<Vec<&str>> {
    let blocks = page.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    let commands = lines.flat_map(|line| line.split(" #").next().unwrap_or_default().split("; "));
    let commands = commands.filter_map(|command| command.strip_prefix("unchain "));
    commands
        .map(|command| {
            let words = command.split_whitespace();
            let words = words.take_while(|word| !matches!(*word, ">" | "&" | "|"));
            words.map(|word| word.trim_matches('"')).collect()
        })
        .collect()
}

/// Arguments are parsed in order, so that help is printed only if nothing before it is wrong.
#[test]
fn the_commands_of_the_pages_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let room = Room::new();
    for (page, least) in [("README.md", 5), ("docs/containment.md", 18)] {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let text = text.replace("\"$(date -u +%FT%TZ)\"", "2026-03-02T09:00:00Z");
        let commands = pasted(&text);
        assert!(commands.len() >= least, "{page}: {commands:?}");
        for command in commands {
            let said = room.run(&[&command[..], &["--help"]].concat());
            assert_eq!(said.code, 0, "{page}: {command:?}: {}", said.err);
        }
    }
    let said = room.run(&["apply", "plan.json", "--no-such", "--help"]);
    assert_eq!(said.code, 2, "what is wrong before it is told");
}
