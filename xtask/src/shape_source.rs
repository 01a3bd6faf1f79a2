//! A Rust source file as far as its shape needs it: where code, comments and literals are, how long
//! each function is, and which lines are tests.
//!
//! It matches braces outside comments and literals and knows no grammar, which is enough because
//! `rustfmt` and the compiler have seen the file. Two things it would get wrong and our code does not
//! have: a brace inside angle brackets of a signature, and a function written by a macro.

/// The shape of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Lines of each function outside tests, from `fn` to the closing brace; without a body, none.
    pub(crate) functions: Vec<Function>,
    /// All lines.
    pub(crate) lines: usize,
    /// Lines outside `#[cfg(test)]` items.
    pub(crate) lines_before_tests: usize,
    /// Lines that are not blank.
    pub(crate) filled: usize,
    /// Lines that hold a comment and no code.
    pub(crate) comments: usize,
    /// `.unwrap()` and `.expect(` outside tests.
    pub(crate) unwraps: usize,
}

/// One function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: usize,
}

/// Measures a file's text.
pub(crate) fn measure(source: &str) -> Shape {
    let classes = classify(source.as_bytes());
    let code = masked(source.as_bytes(), &classes);
    let tests = test_ranges(&code);
    let outside = |at: &usize| !tests.iter().any(|range| range.contains(at));
    let unwraps = occurrences(&code, b".unwrap()")
        .chain(occurrences(&code, b".expect("))
        .filter(outside)
        .count();
    let functions = occurrences(&code, b"fn")
        .filter(outside)
        .filter_map(|at| function(&code, at))
        .collect();
    let in_tests: usize = tests
        .iter()
        .map(|range| lines_in(&code, range.start, range.end))
        .sum();
    let mut shape = Shape {
        functions,
        unwraps,
        ..Shape::default()
    };
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        shape.lines += 1;
        shape.filled += usize::from(!line.trim().is_empty());
        let classes = classes.get(range.clone()).unwrap_or_default();
        let blank = code
            .get(range)
            .is_none_or(|code| code.iter().all(u8::is_ascii_whitespace));
        let comment = classes.contains(&Class::Comment) && !classes.contains(&Class::Literal);
        shape.comments += usize::from(blank && comment);
    }
    shape.lines_before_tests = shape.lines.saturating_sub(in_tests);
    shape
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Code,
    Comment,
    /// Strings and characters with their quotes.
    Literal,
}

/// Says of each byte what it belongs to. White space inside comments is comment, so that a blank line of
/// a block comment counts as one; line ends after `//` are code.
fn classify(source: &[u8]) -> Vec<Class> {
    let mut classes = Vec::with_capacity(source.len());
    while classes.len() < source.len() {
        let at = classes.len();
        let (class, length) = token(source, at);
        classes.resize((at + length).min(source.len()), class);
    }
    classes
}

/// The class and length of what begins at `at`: a whole comment or literal, or one piece of code.
fn token(source: &[u8], at: usize) -> (Class, usize) {
    let rest = source.get(at..).unwrap_or_default();
    match rest {
        [b'/', b'/', ..] => (
            Class::Comment,
            rest.iter().take_while(|b| **b != b'\n').count(),
        ),
        [b'/', b'*', ..] => (Class::Comment, block_comment(rest)),
        [b'"', ..] => (Class::Literal, string(rest)),
        [b'\'', ..] => character(rest).map_or((Class::Code, 1), |length| (Class::Literal, length)),
        [first, ..] if is_word(*first) => word(rest),
        _ => (Class::Code, 1),
    }
}

/// An identifier or number, unless it is the prefix of a literal.
fn word(rest: &[u8]) -> (Class, usize) {
    let length = rest.iter().take_while(|b| is_word(**b)).count();
    let (prefix, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    let body = match (prefix, behind.first()) {
        (b"r" | b"br" | b"cr", Some(b'"' | b'#')) => raw_string(behind),
        (b"b" | b"c", Some(b'"')) => Some(string(behind)),
        (b"b", Some(b'\'')) => character(behind),
        _ => None,
    };
    body.map_or((Class::Code, length), |body| {
        (Class::Literal, length + body)
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Block comments nest.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        match rest.get(at..) {
            Some([b'/', b'*', ..]) => (depth, at) = (depth + 1, at + 2),
            Some([b'*', b'/', ..]) if depth == 1 => return at + 2,
            Some([b'*', b'/', ..]) => (depth, at) = (depth - 1, at + 2),
            Some([_, ..]) => at += 1,
            _ => return rest.len(),
        }
    }
}

/// The length of a string from its opening quote.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    loop {
        match rest.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return rest.len(),
        }
    }
}

/// The length of a raw string from its first `#` or quote; `None` for a raw identifier.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|b| **b == b'#').count();
    let body = rest.get(hashes..)?.strip_prefix(b"\"")?;
    let end: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let length = body
        .windows(end.len())
        .position(|window| window == end)
        .map_or(body.len(), |at| at + end.len());
    Some(hashes + 1 + length)
}

/// The length of a character from its opening quote; `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    let body = rest.get(1..)?;
    if body.first() == Some(&b'\\') {
        let end = body.iter().skip(2).position(|b| *b == b'\'')?;
        return Some(1 + 2 + end + 1);
    }
    let width = match body.first()? {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    };
    (body.get(width) == Some(&b'\'')).then_some(1 + width + 1)
}

/// The source with everything but code and line ends blanked.
fn masked(source: &[u8], classes: &[Class]) -> Vec<u8> {
    let keep = |(byte, class): (&u8, &Class)| {
        if *class == Class::Code || *byte == b'\n' {
            *byte
        } else {
            b' '
        }
    };
    source.iter().zip(classes).map(keep).collect()
}

/// Where `word` stands in the code, not as a part of a longer word.
fn occurrences<'a>(code: &'a [u8], word: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let whole = word.first().is_some_and(|b| is_word(*b));
    let inside = move |at: Option<usize>| {
        whole && at.and_then(|at| code.get(at)).is_some_and(|b| is_word(*b))
    };
    let found = code
        .windows(word.len())
        .enumerate()
        .filter(move |(_, window)| *window == word);
    found
        .map(|(at, _)| at)
        .filter(move |at| !inside(at.checked_sub(1)) && !inside(Some(at + word.len())))
}

/// The function whose `fn` stands at `at`; `None` for a type `fn(…)` and for one without a body.
fn function(code: &[u8], at: usize) -> Option<Function> {
    let rest = code.get(at + 2..)?;
    let name = rest.trim_ascii_start();
    let name = name
        .get(..name.iter().take_while(|b| is_word(**b)).count())
        .filter(|name| !name.is_empty())?;
    let end = item_end(code, at + 2).filter(|end| code.get(*end) == Some(&b'}'))?;
    Some(Function {
        name: String::from_utf8_lossy(name).into_owned(),
        lines: lines_in(code, at, end + 1),
    })
}

/// The lines that `start..end` touches.
fn lines_in(code: &[u8], start: usize, end: usize) -> usize {
    code.get(start..end)
        .map_or(0, |part| part.iter().filter(|b| **b == b'\n').count() + 1)
}

/// Where the item around `from` ends: at the brace that closes its body, or at its semicolon.
fn item_end(code: &[u8], from: usize) -> Option<usize> {
    let (mut braces, mut others) = (0usize, 0usize);
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.checked_sub(1)?,
            b'{' => braces += 1,
            b'}' if braces == 1 && others == 0 => return Some(at),
            b'}' => braces = braces.checked_sub(1)?,
            b';' if braces == 0 && others == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

/// The items under `#[cfg(test)]`, from the attribute to their end.
fn test_ranges(code: &[u8]) -> Vec<std::ops::Range<usize>> {
    const ATTRIBUTE: &[u8] = b"#[cfg(test)]";
    let range = |at| Some(at..item_end(code, at + ATTRIBUTE.len())? + 1);
    occurrences(code, ATTRIBUTE).filter_map(range).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(source: &str) -> Vec<(String, usize)> {
        measure(source)
            .functions
            .into_iter()
            .map(|f| (f.name, f.lines))
            .collect()
    }

    fn check(source: &str, expected: &[(&str, usize)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, lines)| ((*name).to_owned(), *lines))
            .collect();
        assert_eq!(sizes(source), expected, "{source}");
    }

    #[test]
    fn functions_run_from_fn_to_the_closing_brace() {
        check("fn a() {}\n", &[("a", 1)]);
        check(
            "pub(crate) fn a(\n    x: u8,\n) -> u8 {\n    x\n}\n",
            &[("a", 5)],
        );
        check(
            "impl X {\n    fn a(&self) {\n        fn b() {\n        }\n    }\n}\n",
            &[("a", 4), ("b", 2)],
        );
    }

    #[test]
    fn what_has_no_body_is_no_function() {
        check(
            "trait T {\n    fn a(&self);\n    fn b(&self) -> [u8; 4];\n    fn c() {}\n}",
            &[("c", 1)],
        );
        check(
            "type F = fn(u8) -> u8;\nlet fnord = 1;\nlet my_fn = x;",
            &[],
        );
    }

    #[test]
    fn braces_in_literals_and_comments_do_not_count() {
        check("fn a() {\n    let x = \"}\\\"}\";\n}\n", &[("a", 3)]);
        check(
            "fn a() {\n    let x = r#\"}\"}\"#;\n    let y = br\"\\\";\n}\n",
            &[("a", 4)],
        );
        check(
            "fn a() {\n    let x = ('}', b'}', '\\'', '\\u{7d}', 'é', '\"');\n}\n",
            &[("a", 3)],
        );
        check(
            "fn a<'x>(y: &'x str) -> &'x str {\n    // }\n    /* } /* } */ } */\n    y\n}\n",
            &[("a", 5)],
        );
        check(
            "fn a() {\n    let r#type = c\"}\";\n    'outer: loop {}\n}\n",
            &[("a", 4)],
        );
    }

    #[test]
    fn functions_in_comments_and_strings_are_not_seen() {
        check("/// fn a() {}\nconst X: &str = \"fn b() {}\";\n", &[]);
    }

    #[test]
    fn tests_are_left_out_of_functions_and_unwraps() {
        let source = "fn a() {\n    x.unwrap();\n    y.unwrap_or(1);\n    \".expect(\";\n}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n        z.expect(\"\");\n    }\n}\n";
        let shape = measure(source);
        assert_eq!((shape.functions.len(), shape.unwraps), (1, 1));
        assert_eq!((shape.lines, shape.lines_before_tests), (12, 6));
    }

    #[test]
    fn a_test_only_import_does_not_swallow_what_follows() {
        let shape = measure("#[cfg(test)]\nuse x::y;\n\nfn a() {\n}\n");
        assert_eq!((shape.functions.len(), shape.lines_before_tests), (1, 3));
    }

    #[test]
    fn comments_are_lines_without_code() {
        let shape =
            measure("//! Doc.\n\n/* one\n\n two */\nlet x = 1; // no\nlet y = \"\n// no\n\";\n");
        assert_eq!((shape.comments, shape.filled, shape.lines), (4, 7, 9));
    }

    #[test]
    fn unfinished_text_ends_quietly() {
        for source in [
            "fn a() {", "\"abc", "/* abc", "r#\"abc", "'", "'\\", "b'", "fn", "}", ")", "\"\\",
        ] {
            assert!(measure(source).functions.is_empty(), "{source}");
        }
    }
}
