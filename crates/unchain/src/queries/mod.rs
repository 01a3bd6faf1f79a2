//! `unchain queries`: a pivot as SQL, for the places where the whole log is.
//!
//! Must not need a case: a responder may have nothing but a key id yet.

mod case;
mod events;
mod literal;
mod pivot;
mod question;

use crate::args::Context;
use crate::exit::{self, Exit};
use crate::input::Input;
use crate::output::words::clipped;
use crate::trace;
use crate::when::When;
use clap::{Args, ValueEnum};
use events::{Bounds, Dialect};
use literal::comment;
use pivot::Kind;
use std::collections::BTreeSet;
use unchain_core::lineage::Lineage;
use unchain_core::report::Report;

const EXAMPLES: &str = "Examples:
  unchain queries AKIAQNZGKIQY56JQ7WML --engine athena
      what a leaked key did, who issued it and what it issued
  unchain queries arn:aws:iam::111122223333:mfa/alice --since -7d
      where an MFA device was presented, in SQL for all engines
  unchain queries AKIAQNZGKIQY56JQ7WML --descendants
      the same for every key below it that the case knows
  unchain queries 198.51.100.23 --engine case | sqlite3 -json unchain.case
      ask the case; without -json or -quote a terminal gets log text raw";

/// Print SQL that asks Athena, CloudTrail Lake, the case or DuckDB about a pivot
///
/// A pivot is an access key id, the serial of an MFA device, a role session, the ARN or unique id of
/// a principal, a role's ARN, a source identity or an address. No case is needed, except with
/// --descendants. Nothing is run and nobody is contacted.
#[derive(Debug, Args)]
#[command(after_help = exit::after(EXAMPLES), mut_arg("source", |source| source.num_args(1)))]
pub(crate) struct Queries {
    /// What is known: a key id, an MFA serial, an ARN, an address …
    pivot: String,
    /// What the pivot is, where its form does not say it
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// For which engine; all if not given
    #[arg(long, value_enum)]
    engine: Option<Engine>,
    /// Only events at or after this instant
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    since: Option<When>,
    /// Only events before this instant
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    until: Option<When>,
    /// Athena's table, CloudTrail Lake's event data store id, or DuckDB's files
    #[arg(long, value_name = "NAME", requires = "engine")]
    table: Option<String>,
    /// Also ask about every key below the pivot, which the case or --source must know
    #[arg(long)]
    descendants: bool,
    #[command(flatten)]
    input: Input,
}

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Amazon Athena, over the table that AWS documents
    Athena,
    /// CloudTrail Lake
    Lake,
    /// The case file, with sqlite3
    Case,
    /// DuckDB, over log files
    #[value(name = "duckdb")]
    DuckDb,
}

const ALL: [Engine; 4] = [Engine::Athena, Engine::Lake, Engine::Case, Engine::DuckDb];

/// What is asked.
struct Asked<'a> {
    kind: Kind,
    pivot: &'a str,
    /// The keys below the pivot; empty if not wanted.
    keys: Vec<String>,
    bounds: Bounds,
}

/// A query with what its answer tells.
struct Answer {
    answers: &'static str,
    /// None if the engine cannot write the pivot.
    sql: Option<String>,
}

impl Queries {
    /// Prints the queries.
    pub(crate) fn run(&self, context: &mut Context<'_>) -> anyhow::Result<Exit> {
        let Some(kind) = self.kind.or_else(|| Kind::guess(&self.pivot)) else {
            anyhow::bail!(
                "the form of `{}` does not say what it is; say it with `--kind`",
                clipped(&self.pivot)
            );
        };
        let engines = self.engine.map_or(ALL.to_vec(), |engine| vec![engine]);
        let tables: Result<Vec<String>, _> = engines
            .iter()
            .map(|engine| engine.table(self.table.as_deref()))
            .collect();
        let tables = tables?;
        let (keys, exit) = self.keys(context)?;
        let instant = |when: Option<When>| when.map(|when| when.instant(context.now));
        let asked = Asked {
            kind,
            pivot: &self.pivot,
            keys,
            bounds: Bounds {
                since: instant(self.since),
                until: instant(self.until),
            },
        };
        let mut text = comment(&format!("{} {}\n", kind.name(), clipped(&self.pivot)));
        for (engine, table) in engines.iter().zip(&tables) {
            engine.write(&mut text, table, &asked);
        }
        context.out.write_all(text.as_bytes())?;
        Ok(exit)
    }

    /// The keys below the pivot, itself included if it is one.
    fn keys(&self, context: &Context<'_>) -> anyhow::Result<(Vec<String>, Exit)> {
        if !self.descendants {
            return Ok((Vec::new(), Exit::Clean));
        }
        let loaded = self.input.load_around(context, &self.pivot)?;
        let lineage = Lineage::build(&loaded.ledger);
        let report = Report::new(&lineage, context.now);
        let matches = trace::find(&report, &self.pivot)?;
        let mut waiting: Vec<u32> = matches.iter().map(|found| found.node).collect();
        let mut seen = BTreeSet::new();
        let mut keys = BTreeSet::new();
        while let Some(node) = waiting.pop() {
            if seen.insert(node) {
                keys.extend(report.end(node).access_key_id);
                waiting.extend(lineage.children(node).map(|edge| edge.child));
            }
        }
        let keys = keys.iter().map(|key| key.raw().to_owned()).collect();
        Ok((keys, loaded.exit))
    }
}

impl Engine {
    fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Athena => Some(Dialect::Athena),
            Self::Lake => Some(Dialect::Lake),
            Self::DuckDb => Some(Dialect::DuckDb),
            Self::Case => None,
        }
    }

    /// What stands above an engine's queries.
    fn title(self) -> &'static str {
        match self {
            Self::Athena => {
                "===== Athena; a table with partitions is cheaper with a condition on them"
            }
            Self::Lake => "===== CloudTrail Lake, one query at a time",
            Self::Case => "===== the case, as in: sqlite3 -json unchain.case",
            Self::DuckDb => "===== DuckDB over log files",
        }
    }

    /// The table to read. A name is not data and cannot be escaped everywhere, so an odd one is refused.
    fn table(self, named: Option<&str>) -> anyhow::Result<String> {
        match (self, named) {
            (Self::Case, Some(_)) => {
                anyhow::bail!("a case has fixed views; leave `--table` away with `--engine case`")
            }
            (Self::Athena | Self::Lake, Some(name)) if !is_table(name) => {
                anyhow::bail!(
                    "`{}` is no table; a name has letters, digits, `_`, `-` and `.`",
                    clipped(name)
                )
            }
            (_, Some(name)) => Ok(name.to_owned()),
            (Self::Athena, None) => Ok("cloudtrail_logs".to_owned()),
            (Self::Lake, None) => Ok("<event data store>".to_owned()),
            (Self::DuckDb, None) => Ok("AWSLogs/**/*.json*".to_owned()),
            (Self::Case, None) => Ok(String::new()),
        }
    }

    fn write(self, text: &mut String, table: &str, asked: &Asked<'_>) {
        text.push_str(&format!("\n{}\n", comment(self.title())));
        for answer in self.answers(table, asked) {
            let sql = answer.sql.unwrap_or_else(|| {
                comment("left out: this engine's SQL has no form for a character in it")
            });
            text.push_str(&format!("\n{}\n{sql}\n", comment(answer.answers)));
        }
    }

    fn answers(self, table: &str, asked: &Asked<'_>) -> Vec<Answer> {
        let Some(dialect) = self.dialect() else {
            return from_case(asked);
        };
        let mut questions = question::about(asked.kind, asked.pivot, dialect.source_identity());
        // One key that an engine cannot write must not cost the others.
        let writable = |key: &&String| dialect.literal(key).is_some();
        let keys: Vec<String> = asked.keys.iter().filter(writable).cloned().collect();
        for keys in keys.chunks(dialect.most_keys()) {
            questions.extend(question::about_lineage(keys));
        }
        let place = dialect.place(table);
        let answer = |question: &question::Question| Answer {
            answers: question.answers,
            sql: place
                .as_deref()
                .and_then(|place| dialect.query(question, place, asked.bounds)),
        };
        let mut answers: Vec<Answer> = questions.iter().map(answer).collect();
        answers.extend((keys.len() < asked.keys.len()).then_some(Answer {
            answers: "keys of the lineage with characters that are in no key id",
            sql: None,
        }));
        answers
    }
}

/// Two hyphens would begin a comment.
fn is_table(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    !name.contains("--") && name.split('.').all(part)
}

fn from_case(asked: &Asked<'_>) -> Vec<Answer> {
    let mut queries = case::about(asked.kind, asked.pivot, asked.bounds);
    for keys in asked.keys.chunks(case::MOST_KEYS) {
        queries.extend(case::about_lineage(keys, asked.bounds));
    }
    let answer = |query: case::CaseQuery| Answer {
        answers: query.answers,
        sql: Some(query.sql),
    };
    queries.into_iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sqlparser::ast::{BinaryOperator, Expr, Statement, visit_expressions};
    use sqlparser::dialect::{Dialect as Language, DuckDbDialect, GenericDialect, SQLiteDialect};
    use sqlparser::parser::Parser;
    use sqlparser::tokenizer::{Token, Tokenizer};
    use std::ops::ControlFlow;
    use unchain_core::time::Timestamp;

    const KINDS: [Kind; 7] = [
        Kind::Key,
        Kind::Mfa,
        Kind::Session,
        Kind::Principal,
        Kind::Role,
        Kind::SourceIdentity,
        Kind::Address,
    ];

    fn language(engine: Engine) -> Box<dyn Language> {
        match engine {
            Engine::Athena | Engine::Lake => Box::new(GenericDialect {}),
            Engine::Case => Box::new(SQLiteDialect {}),
            Engine::DuckDb => Box::new(DuckDbDialect {}),
        }
    }

    fn asked(kind: Kind, pivot: &str) -> Asked<'_> {
        Asked {
            kind,
            pivot,
            keys: vec!["ASIA1".to_owned(), pivot.to_owned()],
            bounds: Bounds {
                since: Timestamp::parse("2026-03-02"),
                until: Timestamp::parse("2026-03-03T01:02:03Z"),
            },
        }
    }

    fn text(engine: Engine, asked: &Asked<'_>) -> String {
        let mut text = String::new();
        engine.write(&mut text, "t", asked);
        text
    }

    /// What stands there, a letter for each kind of token, any string expression as one string.
    fn shape(engine: Engine, text: &str) -> String {
        let tokens = Tokenizer::new(&*language(engine), text).tokenize().unwrap();
        let mut shape: String = tokens
            .iter()
            .filter(|token| !matches!(token, Token::Whitespace(_)))
            .map(|token| match token {
                Token::SingleQuotedString(_) => "s".to_owned(),
                Token::Number(..) => "n".to_owned(),
                Token::Word(word) if ["chr", "char"].contains(&word.value.as_str()) => {
                    "c".to_owned()
                }
                Token::StringConcat => "+".to_owned(),
                other => format!(" {other} "),
            })
            .collect();
        for (from, to) in [(" ( ", "("), (" ) ", ")"), ("c(n)", "s")] {
            shape = shape.replace(from, to);
        }
        while shape.contains("s+s") {
            shape = shape.replace("s+s", "s");
        }
        shape.replace("(s)", "s")
    }

    #[test]
    fn every_query_is_one_select_in_its_language() {
        for (kind, engine) in KINDS
            .iter()
            .flat_map(|kind| ALL.map(|engine| (*kind, engine)))
        {
            for pivot in [
                "AKIAQNZGKIQY56JQ7WML",
                "arn:aws:iam::111122223333:user/it's",
                "arn:aws:iam::111122223333:role/x/app",
                "arn:aws:sts::111122223333:assumed-role/app/s",
                "AROAUB266OVZCWROZTVQR:bob",
            ] {
                for answer in engine.answers("t", &asked(kind, pivot)) {
                    let sql = answer.sql.unwrap();
                    let parsed = Parser::parse_sql(&*language(engine), &sql);
                    let statements = parsed.unwrap_or_else(|error| panic!("{error}:\n{sql}"));
                    assert_eq!(statements.len(), 1, "{sql}");
                    assert!(matches!(statements[0], Statement::Query(_)), "{sql}");
                }
            }
        }
    }

    #[test]
    fn cloudtrail_lake_is_asked_only_what_it_allows() {
        // Of the functions of the user guide's page "CloudTrail Lake SQL constraints" those needed here.
        let allowed = ["element_at", "json_extract_scalar", "count", "min", "max"];
        for kind in KINDS {
            let asked = asked(kind, "arn:aws:iam::111122223333:user/a");
            for answer in Engine::Lake.answers("t", &asked) {
                let sql = answer.sql.unwrap();
                assert!(sql.len() < 10_000, "StartQuery takes 10,000 characters");
                assert_eq!(sql.matches("SELECT").count(), 1, "no subquery: {sql}");
                let statements = Parser::parse_sql(&GenericDialect {}, &sql).unwrap();
                let found = visit_expressions(&statements, |expr| match expr {
                    Expr::Function(function)
                        if !allowed.contains(&function.name.to_string().as_str()) =>
                    {
                        ControlFlow::Break(function.name.to_string())
                    }
                    Expr::BinaryOp {
                        op: BinaryOperator::StringConcat,
                        ..
                    } => ControlFlow::Break("||".to_owned()),
                    _ => ControlFlow::Continue(()),
                });
                assert_eq!(found, ControlFlow::Continue(()), "{sql}");
            }
        }
    }

    #[test]
    fn a_long_lineage_is_asked_in_parts() {
        let mut keys: Vec<String> = (0..200).map(|n| format!("ASIA{n:016}")).collect();
        keys.push("ASIA\n".to_owned());
        let all = Asked {
            keys,
            ..asked(Kind::Key, "AKIAQNZGKIQY56JQ7WML")
        };
        let said = text(Engine::Lake, &all);
        assert!(said.split("\n\n").all(|query| query.len() < 10_000));
        for n in 0..200 {
            assert!(said.contains(&format!("ASIA{n:016}")));
        }
        assert_eq!(
            said.matches("left out").count(),
            1,
            "one odd key costs itself only"
        );
    }

    proptest! {
        #[test]
        fn no_pivot_leaves_its_literal(
            before in prop::sample::select(vec!["", "arn:aws:iam::111122223333:user/", "arn:aws:iam::1:role/",
                "arn:aws:sts::1:assumed-role/a/", "AROAEXAMPLE:"]),
            // No slash and no colon: they end a name, and another question is asked.
            evil in "('|\"|--|;|\\\\|\n|\r|\u{1b}|\u{202e}|`|\\$\\$|%|\\*| OR 1=1|[a-z]){1,12}",
            kind in prop::sample::select(KINDS.to_vec()),
            engine in prop::sample::select(ALL.to_vec()),
        ) {
            // A unique id, which has letters and digits only, is asked for one way more.
            let plain = if evil.chars().all(char::is_alphanumeric) { "x" } else { "." };
            let (pivot, plain) = (format!("{before}{evil}"), format!("{before}{plain}"));
            let said = text(engine, &asked(kind, &pivot));
            let safe = said.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}');
            prop_assert!(safe);
            if engine != Engine::Lake || Dialect::Lake.literal(&pivot).is_some() {
                let expected = text(engine, &asked(kind, &plain));
                prop_assert_eq!(shape(engine, &said), shape(engine, &expected));
            }
        }

        #[test]
        fn slashes_and_comments_leave_no_literal_either(evil in "('|/\\*|\\*/|/|:|--|a){1,12}") {
            for engine in ALL {
                let (said, plain) = (text(engine, &asked(Kind::Key, &evil)), text(engine, &asked(Kind::Key, "x")));
                prop_assert_eq!(shape(engine, &said), shape(engine, &plain));
            }
        }
    }
}
