//! Lists of objects, in the order of their keys' bytes.

use std::collections::BTreeMap;
use std::ops::Bound;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::bucket::owner;
use super::xml::Node;
use super::{Object, bucket_of, document, invalid_argument, written};
use crate::call::{Call, Fault, Reply};
use crate::http::encode;
use crate::world::World;

/// The most entries of one page.
const LARGEST_PAGE: usize = 1000;

/// What to list.
#[derive(Debug, Default)]
struct Wanted {
    prefix: String,
    delimiter: String,
    /// Only entries after this one.
    after: String,
    most: usize,
    /// Keys are percent-encoded in the answer.
    encoded: bool,
}

impl Wanted {
    fn read(call: &Call<'_>) -> Result<Self, Fault> {
        let text = |name: &str| call.text(name).unwrap_or_default();
        let most = match call.text("MaxKeys").filter(|text| !text.is_empty()) {
            None => LARGEST_PAGE,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| {
                    invalid_argument("Provided max-keys not an integer or within integer range")
                })?
                .min(LARGEST_PAGE),
        };
        Ok(Self {
            prefix: text("Prefix"),
            delimiter: text("Delimiter"),
            after: String::new(),
            most,
            encoded: text("EncodingType") == "url",
        })
    }

    /// Text as the answer shows it.
    fn shown(&self, text: &str) -> String {
        match self.encoded {
            true => encode(text).replace("%2F", "/"),
            false => text.to_owned(),
        }
    }

    /// What stands for a key in the list: the key, or the common prefix that hides it.
    fn entry<'a>(&self, key: &'a str) -> (&'a str, bool) {
        let rest = key.strip_prefix(self.prefix.as_str()).unwrap_or_default();
        if self.delimiter.is_empty() {
            return (key, false);
        }
        let Some(at) = rest.find(self.delimiter.as_str()) else {
            return (key, false);
        };
        let end = self.prefix.len() + at + self.delimiter.len();
        (key.get(..end).unwrap_or(key), true)
    }
}

/// One page.
#[derive(Debug, Default)]
struct Page<'a> {
    objects: Vec<(&'a str, &'a Object)>,
    prefixes: Vec<&'a str>,
    /// The last entry, where there are more.
    next: Option<&'a str>,
}

impl<'a> Page<'a> {
    fn of(objects: &'a BTreeMap<String, Object>, wanted: &Wanted) -> Self {
        let mut page = Self::default();
        let mut last = "";
        let from = wanted.prefix.as_str().max(wanted.after.as_str());
        let keys = objects.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        for (key, object) in keys.take_while(|(key, _)| key.starts_with(&wanted.prefix)) {
            let (entry, common) = wanted.entry(key);
            if entry <= wanted.after.as_str() || (common && page.prefixes.last() == Some(&entry)) {
                continue;
            }
            if page.objects.len() + page.prefixes.len() >= wanted.most {
                page.next = Some(last).filter(|last| !last.is_empty());
                break;
            }
            last = entry;
            match common {
                true => page.prefixes.push(entry),
                false => page.objects.push((key, object)),
            }
        }
        page
    }

    fn entries(&self, wanted: &Wanted, account: Option<&str>) -> Vec<Node> {
        let objects = self.objects.iter().map(|(key, object)| {
            let node = Node::new("Contents")
                .text("Key", wanted.shown(key))
                .text("LastModified", written(object.modified_at))
                .text("ETag", format!("\"{}\"", object.etag))
                .text("Size", object.size)
                .text("StorageClass", "STANDARD");
            match account {
                Some(account) => node.with(owner(account)),
                None => node,
            }
        });
        let prefixes = self
            .prefixes
            .iter()
            .map(|prefix| Node::new("CommonPrefixes").text("Prefix", wanted.shown(prefix)));
        objects.chain(prefixes).collect()
    }
}

fn head(name: &str, wanted: &Wanted) -> Node {
    let filled = |text: &str| (!text.is_empty()).then(|| wanted.shown(text));
    Node::new("ListBucketResult")
        .text("Name", name)
        .text("Prefix", wanted.shown(&wanted.prefix))
        .maybe("Delimiter", filled(&wanted.delimiter))
        .text("MaxKeys", wanted.most)
        .maybe("EncodingType", wanted.encoded.then_some("url"))
}

pub(super) fn objects(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let marker = call.text("Marker").unwrap_or_default();
    let wanted = Wanted {
        after: marker.clone(),
        ..Wanted::read(call)?
    };
    let page = Page::of(&bucket.objects, &wanted);
    // AWS gives NextMarker only where a delimiter was asked for; without one the last key serves.
    let next = page.next.filter(|_| !wanted.delimiter.is_empty());
    let answer = head(&name, &wanted)
        .text("Marker", wanted.shown(&marker))
        .maybe("NextMarker", next.map(|next| wanted.shown(next)))
        .text("IsTruncated", page.next.is_some())
        .all(page.entries(&wanted, Some(&bucket.account)));
    Ok(document(&answer))
}

pub(super) fn objects_v2(world: &mut World, call: &Call<'_>) -> Result<Reply, Fault> {
    let (name, bucket) = bucket_of(world, call)?;
    let start = call.text("StartAfter").unwrap_or_default();
    let token = call.text("ContinuationToken");
    let after = match &token {
        Some(token) => read_token(token)?,
        None => start.clone(),
    };
    let wanted = Wanted {
        after,
        ..Wanted::read(call)?
    };
    let page = Page::of(&bucket.objects, &wanted);
    let shows_owner = call.text("FetchOwner").as_deref() == Some("true");
    let answer = head(&name, &wanted)
        .maybe(
            "StartAfter",
            Some(wanted.shown(&start)).filter(|_| !start.is_empty()),
        )
        .text("KeyCount", page.objects.len() + page.prefixes.len())
        .text("IsTruncated", page.next.is_some())
        .maybe("ContinuationToken", token)
        .maybe(
            "NextContinuationToken",
            page.next.map(|next| URL_SAFE_NO_PAD.encode(next)),
        )
        .all(page.entries(&wanted, shows_owner.then_some(&bucket.account)));
    Ok(document(&answer))
}

fn read_token(token: &str) -> Result<String, Fault> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| invalid_argument("The continuation token provided is incorrect"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(keys: &[&str]) -> BTreeMap<String, Object> {
        keys.iter()
            .map(|key| ((*key).to_owned(), Object::default()))
            .collect()
    }

    /// All entries, page after page.
    fn all(keys: &[&str], wanted: &mut Wanted) -> Vec<String> {
        let objects = objects(keys);
        let mut entries = Vec::new();
        loop {
            let page = Page::of(&objects, wanted);
            let mut found: Vec<&str> = page.objects.iter().map(|(key, _)| *key).collect();
            found.extend(&page.prefixes);
            found.sort_unstable();
            assert!(found.len() <= wanted.most);
            entries.extend(found.into_iter().map(str::to_owned));
            match page.next {
                Some(next) => wanted.after = next.to_owned(),
                None => return entries,
            }
        }
    }

    #[test]
    fn pages_of_any_size_give_the_same_list() {
        let keys = ["a", "a/1", "a/2", "b/1", "b/2/3", "b0", "ä", "a/"];
        for most in 1..10 {
            let mut wanted = Wanted {
                most,
                ..Wanted::default()
            };
            assert_eq!(all(&keys, &mut wanted).len(), keys.len());
            let delimiter = || "/".to_owned();
            let mut wanted = Wanted {
                most,
                delimiter: delimiter(),
                ..Wanted::default()
            };
            assert_eq!(all(&keys, &mut wanted), ["a", "a/", "b/", "b0", "ä"]);
            let prefix = "b/".to_owned();
            let mut wanted = Wanted {
                most,
                delimiter: delimiter(),
                prefix,
                ..Wanted::default()
            };
            assert_eq!(all(&keys, &mut wanted), ["b/1", "b/2/"]);
        }
    }

    #[test]
    fn a_page_of_nothing_is_empty_and_ends() {
        let objects = objects(&["a"]);
        let page = Page::of(&objects, &Wanted::default());
        assert!(page.objects.is_empty() && page.next.is_none());
    }
}
