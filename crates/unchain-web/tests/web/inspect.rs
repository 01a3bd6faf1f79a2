//! Reads a page as a browser does: it must be sound, usable without sight, and reach for nothing outside.

use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states,
};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Every element and attribute that our templates write.
const ELEMENTS: &str = "html head meta title link body a header nav ul li form label input select option button main \
                        h1 h2 p footer div table caption thead tbody tr th td br span bdi time dl dt dd ol code \
                        script section progress pre details summary textarea fieldset legend strong";
const ATTRIBUTES: &str = "lang charset name content rel href class id aria-label aria-current aria-sort action method \
                          for value size autocomplete spellcheck selected role tabindex scope datetime data-word type \
                          src data-events data-journal data-said aria-labelledby max colspan required minlength maxlength \
                          checked rows open rel";
const VOID: [&str; 5] = ["meta", "link", "input", "br", "img"];

/// What a page consists of.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) tags: Vec<(String, BTreeMap<String, String>)>,
    pub(crate) text: String,
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
            Token::CharacterTokens(text) => page.text.push_str(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Page {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            let open = self.open.pop();
            if open.as_deref() != Some(&*name) {
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
        match &*name {
            "title" => TokenSinkResult::RawData(states::RawKind::Rcdata),
            _ => TokenSinkResult::Continue,
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

    fn count(&self, name: &str) -> usize {
        self.tags.iter().filter(|(known, _)| known == name).count()
    }

    fn check_elements(&self) {
        let known = |list: &str, name: &str| list.split_whitespace().any(|known| known == name);
        for (name, attributes) in &self.tags {
            assert!(known(ELEMENTS, name), "<{name}>");
            for (attribute, value) in attributes {
                assert!(known(ATTRIBUTES, attribute), "{name} {attribute}={value}");
            }
            for place in ["href", "action", "src"]
                .iter()
                .filter_map(|place| attributes.get(*place))
            {
                let inside = place.starts_with('/') && !place.starts_with("//");
                assert!(inside || place == "#main", "{place}");
            }
            assert!(
                name != "th" || attributes.contains_key("scope"),
                "a heading of nothing"
            );
            let hidden = attributes.get("type").is_some_and(|kind| kind == "hidden");
            if ["input", "select", "textarea"].contains(&&**name) && !hidden {
                assert!(
                    self.values("label", "for").contains(&&*attributes["id"]),
                    "{attributes:?}"
                );
            }
        }
    }
}

/// Reads a page and checks what must hold of every page.
pub(crate) fn inspected(html: &str) -> Page {
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
    page.check_elements();
    for once in ["h1", "main", "title", "header", "footer"] {
        assert_eq!(page.count(once), 1, "{once}");
    }
    assert_eq!(page.values("html", "lang"), ["en"]);
    let ids: Vec<&String> = page
        .tags
        .iter()
        .filter_map(|(_, attributes)| attributes.get("id"))
        .collect();
    assert!(
        ids.iter()
            .all(|id| ids.iter().filter(|other| other == &id).count() == 1),
        "{ids:?}"
    );
    page
}
