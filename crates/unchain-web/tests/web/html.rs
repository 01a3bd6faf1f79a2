//! Reads a page as a browser does: its elements, its text, and what is wrong with it.

use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states,
};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Elements that have no end tag.
const VOID: [&str; 5] = ["meta", "link", "input", "br", "img"];

/// What a page consists of.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) tags: Vec<(String, BTreeMap<String, String>)>,
    pub(crate) text: String,
    /// The cells of every row of every table, as text.
    pub(crate) rows: Vec<Vec<String>>,
    open: Vec<String>,
    wrong: Vec<String>,
}

struct Reader(RefCell<Page>);

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return page.tag(&tag),
            Token::ParseError(error) => page.wrong.push(error.into_owned()),
            Token::CommentToken(_) => page.wrong.push("a comment".to_owned()),
            Token::CharacterTokens(_) if page.open.last().is_some_and(|open| open == "script") => {
                page.wrong.push("a script within a page".to_owned());
            }
            Token::CharacterTokens(text) => page.say(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = match &*tag.name {
            "title" if self.open.iter().any(|open| open == "svg") => "svg:title".to_owned(),
            name => name.to_owned(),
        };
        if tag.kind == TagKind::EndTag {
            let open = self.open.pop();
            if open.as_deref() != Some(&*name) && open.as_deref() != Some(&format!("svg:{name}")) {
                self.wrong.push(format!("{name} ends {open:?}"));
            }
            return TokenSinkResult::Continue;
        }
        let attributes = tag.attrs.iter();
        let attributes = attributes.map(|a| (a.name.local.to_string(), a.value.to_string()));
        self.tags.push((name.clone(), attributes.collect()));
        if !VOID.contains(&&*name) {
            self.open.push(name.clone());
        }
        match (&*name, self.rows.last_mut()) {
            ("tr", _) => self.rows.push(Vec::new()),
            ("td" | "th", Some(row)) => row.push(String::new()),
            _ => {}
        }
        match &*name {
            "script" => TokenSinkResult::RawData(states::RawKind::ScriptData),
            "style" => TokenSinkResult::RawData(states::RawKind::Rawtext),
            "title" => TokenSinkResult::RawData(states::RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
        }
    }

    fn say(&mut self, text: &str) {
        self.text.push_str(text);
        let in_row = self.open.iter().any(|open| open == "tr");
        let cell = self.rows.last_mut().and_then(|row| row.last_mut());
        if let Some(cell) = cell.filter(|_| in_row) {
            cell.push_str(text);
        }
    }

    /// The values of one attribute of all elements of a name.
    pub(crate) fn values<'p>(&'p self, name: &'p str, attribute: &'p str) -> Vec<&'p str> {
        let named = self.tags.iter().filter(move |(known, _)| known == name);
        named
            .filter_map(move |(_, attributes)| attributes.get(attribute))
            .map(String::as_str)
            .collect()
    }

    /// How many elements of a name there are.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.tags.iter().filter(|(known, _)| known == name).count()
    }
}

/// Reads a page, which must be sound.
pub(crate) fn read(html: &str) -> Page {
    let options = TokenizerOpts {
        exact_errors: true,
        ..TokenizerOpts::default()
    };
    let reader = Tokenizer::new(Reader(RefCell::default()), options);
    let input = BufferQueue::default();
    input.push_back(html.into());
    let _ = reader.feed(&input);
    reader.end();
    let page = reader.sink.0.into_inner();
    assert_eq!(page.wrong, [""; 0]);
    assert_eq!(page.open, [""; 0], "everything that begins ends");
    page
}
