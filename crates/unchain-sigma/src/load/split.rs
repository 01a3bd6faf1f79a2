//! A file of several YAML documents, cut where YAML cuts it.

/// The documents of a file. A file that uses the old `action:` keys, by which documents complete each other,
/// is one.
pub(super) fn documents(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.lines().any(|line| line.starts_with("action:")) {
        return vec![text];
    }
    let mut documents = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let begins = line.strip_prefix("---");
        if begins.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])) {
            documents.extend(text.get(start..at));
            start = at;
        }
        at += line.len();
    }
    documents.extend(text.get(start..));
    documents.retain(|document| says_something(document));
    documents
}

fn says_something(document: &str) -> bool {
    let blank = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---" || line == "..."
    };
    !document.lines().all(blank)
}

/// What stands behind a key at the start of a line, read without understanding the document.
pub(super) fn told<'d>(document: &'d str, key: &str) -> Option<&'d str> {
    let found = document.lines().find_map(|line| line.strip_prefix(key))?;
    let text = found.trim().trim_matches(['\'', '"']);
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_end_where_yaml_ends_them() {
        let text = "---\n# only a comment\n---\na: 1\n----\nb: |\n  ---\n--- \nc: 2\r\n---\r\nd: 3";
        let found: Vec<&str> = documents(text);
        assert_eq!(
            found,
            [
                "---\na: 1\n----\nb: |\n  ---\n",
                "--- \nc: 2\r\n",
                "---\r\nd: 3"
            ]
        );
        assert_eq!(documents("action: global\n---\na: 1").len(), 1);
        assert_eq!(documents("\n# x\n"), [""; 0]);
    }

    #[test]
    fn ids_are_read_out_of_broken_documents() {
        let broken = "title: 'Broken'\nid: 1-2\ndetection: [";
        assert_eq!(
            (told(broken, "id:"), told(broken, "title:")),
            (Some("1-2"), Some("Broken"))
        );
        assert_eq!(told("  id: nested", "id:"), None);
    }
}
