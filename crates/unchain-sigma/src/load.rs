//! From files to rules that can be asked. Whatever cannot be used is named with its reason, never dropped.

use crate::enrichment::PREFIX;
use crate::error::SigmaError;
use crate::index::Index;
use crate::rule::{Correlation, Rule};
use rsigma_parser::{CorrelationRule, SigmaCollection, parse_sigma_yaml};
use std::path::Path;
use unchain_core::text::Untrusted;
use walkdir::WalkDir;

mod compile;
mod guard;
mod split;

/// Rule files are small; one that is not is somebody's mistake, or worse.
const LARGEST_FILE: usize = 256 << 10;

/// What cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The file.
    pub path: Untrusted,
    /// The rule's `id`, where it could be read.
    pub id: Option<Untrusted>,
    /// The rule's `title`, where it could be read.
    pub title: Option<Untrusted>,
    /// Why.
    pub reason: Untrusted,
}

/// Every rule that was found.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    unusable: Vec<Unusable>,
    files: u64,
    asks_lineage: bool,
    pub(crate) index: Index,
    /// For each rule the correlations, and their slots, that want its hits.
    pub(crate) wanted_by: Vec<Vec<(u32, u16)>>,
}

impl Rules {
    /// Loads every `*.yml` and `*.yaml` file below a folder, or one file.
    ///
    /// # Errors
    /// The place cannot be read, or holds no such file.
    pub fn load(place: &Path) -> Result<Self, SigmaError> {
        let mut loading = Loading::default();
        for entry in WalkDir::new(place).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => {
                    return Err(SigmaError::Unreadable {
                        path: place.to_owned(),
                        source: error.into(),
                    });
                }
                Err(error) => {
                    let path = error.path().unwrap_or(place).to_owned();
                    loading.refuse(&path, &error.to_string());
                    continue;
                }
            };
            if entry.file_type().is_file() && is_rule(entry.path()) {
                loading.file(entry.path());
            }
        }
        if loading.files == 0 && loading.unusable.is_empty() {
            return Err(SigmaError::Nothing {
                path: place.to_owned(),
            });
        }
        Ok(loading.finish())
    }

    /// Reads rules that are in memory, as if they were a file of this name.
    pub fn read(name: &str, text: &str) -> Self {
        let mut loading = Loading::default();
        loading.text(name, text);
        loading.finish()
    }

    /// The rules over single events; hits name them by their position.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules over hits; their hits name them by their position.
    pub fn correlations(&self) -> &[Correlation] {
        &self.correlations
    }

    /// What could not be used.
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// How many files were read.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// Whether any rule may ask for a field of [`crate::Enrichment`]; if none does, its node is enough.
    pub fn asks_lineage(&self) -> bool {
        self.asks_lineage
    }

    /// How many rules must be asked of every event, because they say nothing of its name or source.
    pub fn always_asked(&self) -> usize {
        self.index.always()
    }
}

fn is_rule(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| end.eq_ignore_ascii_case("yml") || end.eq_ignore_ascii_case("yaml"))
}

/// Rules while files are read.
#[derive(Default)]
struct Loading {
    files: u64,
    asks_lineage: bool,
    rules: Vec<Rule>,
    correlations: Vec<(Untrusted, CorrelationRule)>,
    unusable: Vec<Unusable>,
}

impl Loading {
    fn refuse(&mut self, path: &Path, reason: &str) {
        self.unusable.push(Unusable {
            path: Untrusted::new(&*path.to_string_lossy()),
            id: None,
            title: None,
            reason: Untrusted::new(reason),
        });
    }

    fn file(&mut self, path: &Path) {
        self.files += 1;
        match std::fs::metadata(path).map(|data| data.len()) {
            Ok(size) if size > LARGEST_FILE as u64 => {
                return self.refuse(path, "the file is larger than 256 kB");
            }
            Ok(_) => {}
            Err(error) => return self.refuse(path, &format!("cannot be read: {error}")),
        }
        match std::fs::read_to_string(path) {
            Ok(text) => self.text(&path.to_string_lossy(), &text),
            Err(error) => self.refuse(path, &format!("cannot be read: {error}")),
        }
    }

    /// Documents are read one by one, so that a broken one costs no other.
    fn text(&mut self, name: &str, text: &str) {
        if text.len() > LARGEST_FILE {
            return self.refuse(Path::new(name), "the file is larger than 256 kB");
        }
        self.asks_lineage |= text.contains(PREFIX);
        for document in split::documents(text) {
            let path = Untrusted::new(name);
            match guard::harmless(document) {
                Ok(()) => self.document(&path, document),
                Err(reason) => self.unusable.push(Unusable::of(&path, document, reason)),
            }
        }
    }

    fn document(&mut self, path: &Untrusted, document: &str) {
        let mut read = match parse_sigma_yaml(document) {
            Ok(read) => read,
            Err(error) => {
                let reason = error.to_string();
                return self.unusable.push(Unusable::of(path, document, &reason));
            }
        };
        // What the parser complains about beside a rule that it gives is no reason to leave the rule out.
        if read.is_empty() {
            let errors = std::mem::take(&mut read.errors);
            for error in &errors {
                self.unusable.push(Unusable::of(path, document, error));
            }
        }
        self.collection(path, document, read);
    }

    fn collection(&mut self, path: &Untrusted, document: &str, read: SigmaCollection) {
        for rule in &read.rules {
            match compile::rule(rule, path) {
                Ok(rule) => self.rules.push(rule),
                Err(reason) => self.unusable.push(Unusable {
                    path: path.clone(),
                    id: rule.id.as_deref().map(Untrusted::new),
                    title: Some(Untrusted::new(rule.title.as_str())),
                    reason: Untrusted::new(reason),
                }),
            }
        }
        let correlations = read.correlations.into_iter();
        self.correlations
            .extend(correlations.map(|rule| (path.clone(), rule)));
        for _ in &read.filters {
            let reason = "filters are not applied: the rules that it narrows run without it";
            self.unusable.push(Unusable::of(path, document, reason));
        }
    }

    fn finish(mut self) -> Rules {
        let mut correlations: Vec<Correlation> = Vec::new();
        for (path, rule) in std::mem::take(&mut self.correlations) {
            match compile::correlation(&rule, &path, &self.rules) {
                Ok(correlation) => correlations.push(correlation),
                Err(reason) => self.unusable.push(Unusable {
                    path,
                    id: rule.id.as_deref().map(Untrusted::new),
                    title: Some(Untrusted::new(rule.title.as_str())),
                    reason: Untrusted::new(reason),
                }),
            }
        }
        let mut wanted_by = vec![Vec::new(); self.rules.len()];
        for (number, correlation) in (0u32..).zip(&correlations) {
            let generate = correlation.compiled.generate;
            for (slot, meant) in (0u16..).zip(&correlation.slots) {
                for &rule in &meant.rules {
                    if let Some(wanted) = wanted_by.get_mut(rule as usize) {
                        wanted.push((number, slot));
                    }
                    if let Some(rule) = self.rules.get_mut(rule as usize).filter(|_| !generate) {
                        rule.base = true;
                    }
                }
            }
        }
        Rules {
            index: Index::new(self.rules.iter().map(|rule| &rule.compiled)),
            rules: self.rules,
            correlations,
            unusable: self.unusable,
            files: self.files,
            asks_lineage: self.asks_lineage,
            wanted_by,
        }
    }
}

impl Unusable {
    fn of(path: &Untrusted, document: &str, reason: &str) -> Self {
        let told = |key| split::told(document, key).map(Untrusted::new);
        Self {
            path: path.clone(),
            id: told("id:"),
            title: told("title:"),
            reason: Untrusted::new(reason),
        }
    }
}
