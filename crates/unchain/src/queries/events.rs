//! Questions as SQL over events: Athena, CloudTrail Lake, DuckDB.
//!
//! Athena: the table that AWS documents has `userIdentity` as a struct and request, response and
//! additional data as JSON text, all names in lower case
//! (docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html). CloudTrail Lake has these three as
//! maps of text and allows few functions, no `||` and one table
//! (docs.aws.amazon.com/awscloudtrail/latest/userguide/query-limitations.html). DuckDB reads the files.

use super::literal::literal;
use super::question::{Condition, Field, ISSUED, KEY, Question, Show, SourceIdentity, TIME};
use unchain_core::time::Timestamp;

/// Parts of a record that are JSON text in Athena and maps in CloudTrail Lake.
const OPEN: [&str; 3] = [
    "requestParameters",
    "responseElements",
    "additionalEventData",
];

/// What answers from events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Athena, which is Trino.
    Athena,
    /// CloudTrail Lake, a part of Presto.
    Lake,
    /// DuckDB over the files.
    DuckDb,
}

/// The time that is asked about: from `since` on, before `until`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounds {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Dialect {
    /// Whether the table says which source identity a session carries.
    pub(super) fn source_identity(self) -> SourceIdentity {
        match self {
            Self::Athena => SourceIdentity::Unseen,
            Self::Lake | Self::DuckDb => SourceIdentity::Column,
        }
    }

    /// How many texts of the length of a key id one query may hold, three times: CloudTrail Lake takes
    /// 10,000 characters (API reference, StartQuery), Athena 262,144 bytes (user guide, quotas).
    pub(super) fn most_keys(self) -> usize {
        match self {
            Self::Lake => 80,
            Self::Athena | Self::DuckDb => 2000,
        }
    }

    /// The place to read from, as it stands after FROM.
    pub(super) fn place(self, table: &str) -> Option<String> {
        match self {
            Self::Athena => {
                let names: Vec<String> = table.split('.').map(athena_name).collect();
                Some(names.join("."))
            }
            Self::Lake => Some(table.to_owned()),
            Self::DuckDb => {
                let files = self.literal(table)?;
                // Files of a trail have up to 50 MB in one object (CloudTrail user guide, log files).
                Some(format!(
                    "(SELECT unnest(Records) AS record FROM read_json({files},\n    columns = {{Records: 'JSON[]'}}, maximum_object_size = 268435456))"
                ))
            }
        }
    }

    /// One query; none if the engine has no way to write a text in it.
    pub(super) fn query(self, question: &Question, place: &str, bounds: Bounds) -> Option<String> {
        let named = question.show.columns().iter();
        let mut columns: Vec<String> = named
            .map(|(field, name)| format!("{} AS {name}", self.field(field)))
            .collect();
        let time = self.field(TIME);
        let mut all = vec![self.condition(&question.condition, place)?];
        all.extend(self.bounds(bounds));
        let mut order = format!("ORDER BY {time}");
        if question.show == Show::Callers {
            let fields = question.show.columns().iter();
            let by: Vec<String> = fields.map(|(field, _)| self.field(field)).collect();
            order = format!("GROUP BY {}\nORDER BY min({time})", by.join(", "));
            columns.extend([
                "count(*) AS calls".to_owned(),
                format!("min({time}) AS first_used"),
                format!("max({time}) AS last_used"),
            ]);
        }
        Some(format!(
            "SELECT {}\nFROM {place}\nWHERE {}\n{order};",
            columns.join(",\n    "),
            all.join("\n    AND ")
        ))
    }

    /// A text in this engine's SQL; none if it has no form there.
    pub(super) fn literal(self, text: &str) -> Option<String> {
        let by_number = match self {
            Self::Athena | Self::DuckDb => Some("chr"),
            Self::Lake => None,
        };
        literal(text, by_number)
    }

    fn field(self, field: Field) -> String {
        let open = OPEN.iter().find_map(|part| {
            let inside = field.strip_prefix(part)?.strip_prefix('.')?;
            Some((part, inside))
        });
        match (self, open) {
            (Self::DuckDb, _) => format!("json_extract_string(record, '$.{field}')"),
            (Self::Athena, None) => field.to_lowercase(),
            (Self::Athena, Some((part, inside))) => {
                format!("json_extract_scalar({}, '$.{inside}')", part.to_lowercase())
            }
            (Self::Lake, None) => field.to_owned(),
            (Self::Lake, Some((part, inside))) => {
                let end = inside.find(['.', '[']).unwrap_or(inside.len());
                let (first, rest) = inside.split_at_checked(end).unwrap_or((inside, ""));
                let member = format!("element_at({part}, '{first}')");
                if rest.is_empty() {
                    member
                } else {
                    format!("json_extract_scalar({member}, '${rest}')")
                }
            }
        }
    }

    fn condition(self, condition: &Condition, place: &str) -> Option<String> {
        let joined = |list: &[Condition], word: &str| {
            let each = list.iter().map(|one| self.condition(one, place));
            Some(each.collect::<Option<Vec<_>>>()?.join(word))
        };
        match condition {
            Condition::Is(field, text) => {
                Some(format!("{} = {}", self.field(field), self.literal(text)?))
            }
            Condition::In(field, texts) => {
                let each: Option<Vec<_>> = texts.iter().map(|text| self.literal(text)).collect();
                Some(format!("{} IN ({})", self.field(field), each?.join(", ")))
            }
            Condition::Names(field, id) => Some(format!(
                "{} LIKE {}",
                self.field(field),
                self.literal(&format!("{id}:%"))?
            )),
            Condition::Present(field) => Some(format!("{} IS NOT NULL", self.field(field))),
            Condition::Any(list) => Some(format!("({})", joined(list, "\n        OR ")?)),
            Condition::All(list) => joined(list, "\n    AND "),
            Condition::WithKeyOf(inner) => Some(format!(
                "{} IN (SELECT {} FROM {place} WHERE {})",
                self.field(KEY),
                self.field(ISSUED),
                self.condition(inner, place)?
            )),
        }
    }

    fn bounds(self, bounds: Bounds) -> Vec<String> {
        let time = self.field(TIME);
        let instant = |at: Timestamp| match self {
            // A timestamp there, text in the form of RFC 3339 elsewhere.
            Self::Lake => at.to_string().replace('T', " ").replace('Z', ""),
            Self::Athena | Self::DuckDb => at.to_string(),
        };
        let since = bounds
            .since
            .map(|at| format!("{time} >= '{}'", instant(at)));
        let until = bounds.until.map(|at| format!("{time} < '{}'", instant(at)));
        since.into_iter().chain(until).collect()
    }
}

/// Names with other letters stand in double quotes.
fn athena_name(name: &str) -> String {
    let begins = |c: char| c.is_ascii_lowercase() || c == '_';
    let goes_on = |c: char| begins(c) || c.is_ascii_digit();
    if name.starts_with(begins) && name.chars().all(goes_on) {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}
