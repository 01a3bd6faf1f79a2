//! One condition: an operator, a key, and the values it is compared with.

use crate::context::{Context, Known};
use crate::date::Moment;
use crate::network::Network;
use crate::number::Number;
use crate::operator::{Operator, Polarity, Presence, Quantifier, Relation, Test};
use crate::pattern::{Case, Pattern, Style, Variables, Wildcards};
use crate::truth::Truth;
use std::net::IpAddr;

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The operator's name, as written.
    pub(crate) name: String,
    /// The key, as written.
    pub(crate) key: String,
    /// The values, as written.
    pub(crate) values: Vec<String>,
    folded_key: String,
    operator: Operator,
    bounds: Bounds,
}

/// The values, prepared. One that its operator cannot read is `None` and never matches.
#[derive(Debug, Clone)]
enum Bounds {
    Texts(Vec<Pattern>),
    Numbers(Relation, Vec<Option<Number>>),
    Moments(Relation, Vec<Option<Moment>>),
    Networks(Vec<Option<Network>>),
    Binaries(Vec<Option<String>>),
    /// Whether the key must be absent.
    Absences(Vec<Option<bool>>),
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.key, &self.values) == (&other.name, &other.key, &other.values)
    }
}

impl Eq for Condition {}

/// What the values could match, were the key present with some value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Nothing,
    Something,
    Everything,
}

impl Condition {
    /// A condition; `None` when there is no such operator.
    pub(crate) fn new(
        name: &str,
        key: &str,
        values: Vec<String>,
        variables: Variables,
    ) -> Option<Self> {
        let operator = Operator::parse(name)?;
        Some(Self {
            name: name.to_owned(),
            key: key.to_owned(),
            folded_key: key.to_lowercase(),
            operator,
            bounds: Bounds::new(operator.test, &values, variables),
            values,
        })
    }

    /// Whether the condition holds in `context`.
    pub(crate) fn holds(&self, context: &Context) -> Truth {
        match context.folded(&self.folded_key) {
            Known::Absent => Truth::from(self.holds_without_key()),
            Known::Values(values) => self.holds_with(values, context),
            Known::Unknown => {
                let without = Truth::from(self.holds_without_key());
                if without == self.holds_with_some_value(context) {
                    without
                } else {
                    Truth::Unknown
                }
            }
        }
    }

    /// The unknown keys that the condition looks at.
    pub(crate) fn unknown_keys<'a>(
        &'a self,
        context: &'a Context,
    ) -> impl Iterator<Item = &'a str> {
        let own =
            (*context.folded(&self.folded_key) == Known::Unknown).then_some(self.key.as_str());
        let patterns = match &self.bounds {
            Bounds::Texts(patterns) => patterns.as_slice(),
            _ => &[],
        };
        let variables = patterns
            .iter()
            .flat_map(|pattern| pattern.unknown_variables(context));
        own.into_iter().chain(variables)
    }

    /// A missing key fails a test and passes a negated one, `IfExists` and `ForAllValues`; `ForAnyValue` fails, also
    /// with `IfExists`, because there is no value that could match (IAM User Guide, "Condition operators" and "Set
    /// operators for multivalued context keys").
    fn holds_without_key(&self) -> bool {
        if let Bounds::Absences(wanted) = &self.bounds {
            return wanted.contains(&Some(true));
        }
        match self.operator.quantifier {
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => false,
            Quantifier::None => self.operator.presence == Presence::IfExists || self.is_negated(),
        }
    }

    /// Several values without a set operator are not defined by AWS; here one of them is enough to match, and so to
    /// fail a negated test. For a set operator, empty strings alone are no values. What the operator cannot read, on
    /// either side, fails a test and its negation.
    fn holds_with(&self, values: &[String], context: &Context) -> Truth {
        if let Bounds::Absences(wanted) = &self.bounds {
            return Truth::from(wanted.contains(&Some(false)));
        }
        let is_empty = values.iter().all(String::is_empty);
        let matches = || values.iter().map(|value| self.match_one(value, context));
        let unlike = || {
            let readable = self.bounds.are_readable(context);
            let read = values
                .iter()
                .map(move |value| readable.min(self.reads(value)));
            matches()
                .zip(read)
                .map(|(matched, read)| read.min(!matched))
        };
        match (self.operator.quantifier, self.is_negated()) {
            (Quantifier::None, false) => Truth::any(matches()),
            (Quantifier::None, true) => Truth::all(unlike()),
            (Quantifier::ForAllValues, _) if is_empty => Truth::True,
            (Quantifier::ForAllValues, false) => Truth::all(matches()),
            (Quantifier::ForAllValues, true) => Truth::all(unlike()),
            (Quantifier::ForAnyValue, _) if is_empty => Truth::False,
            (Quantifier::ForAnyValue, false) => Truth::any(matches()),
            (Quantifier::ForAnyValue, true) => Truth::any(unlike()),
        }
    }

    fn match_one(&self, value: &str, context: &Context) -> Truth {
        match self.operator.test {
            Test::Bool if boolean(value).is_none() => Truth::False,
            _ => self.bounds.match_one(value, context),
        }
    }

    fn is_negated(&self) -> bool {
        self.operator.polarity == Polarity::Negated
    }

    fn reads(&self, value: &str) -> Truth {
        Truth::from(self.bounds.read(value))
    }

    /// Whether the condition holds with every value of the key, with none, or with some.
    fn holds_with_some_value(&self, context: &Context) -> Truth {
        if let Bounds::Absences(wanted) = &self.bounds {
            return Truth::from(wanted.contains(&Some(false)));
        }
        let signed = match (self.bounds.extent(), self.is_negated()) {
            (Extent::Everything, false) => Truth::True,
            (Extent::Nothing, false) | (Extent::Everything, true) => Truth::False,
            (Extent::Nothing, true) if self.bounds.read_everything() => Truth::True,
            (Extent::Something, false) => Truth::Unknown,
            (_, true) => Truth::Unknown.min(self.bounds.are_readable(context)),
        };
        match self.operator.quantifier {
            // An empty string is no value, and passes even where nothing matches; so does a missing key.
            Quantifier::None | Quantifier::ForAllValues => signed,
            // An empty string fails even where everything matches.
            Quantifier::ForAnyValue => signed.min(Truth::Unknown),
        }
    }
}

impl Bounds {
    fn new(test: Test, values: &[String], variables: Variables) -> Self {
        let patterns = |wildcards, case| {
            let style = Style {
                wildcards,
                case,
                variables,
            };
            Self::Texts(
                values
                    .iter()
                    .map(|text| Pattern::new(text, style))
                    .collect(),
            )
        };
        match test {
            Test::Equals => patterns(Wildcards::None, Case::Kept),
            Test::EqualsIgnoreCase | Test::Bool => patterns(Wildcards::None, Case::Folded),
            Test::Like => patterns(Wildcards::Free, Case::Kept),
            Test::Arn => patterns(Wildcards::Arn, Case::Kept),
            Test::Numeric(relation) => Self::Numbers(relation, read(values, Number::parse)),
            Test::Date(relation) => Self::Moments(relation, read(values, Moment::parse)),
            Test::Network => Self::Networks(read(values, Network::parse)),
            Test::Binary => Self::Binaries(read(values, base64)),
            Test::Null => Self::Absences(read(values, boolean)),
        }
    }

    fn match_one(&self, value: &str, context: &Context) -> Truth {
        match self {
            Self::Texts(patterns) => {
                let folded = patterns
                    .iter()
                    .any(Pattern::ignores_case)
                    .then(|| value.to_lowercase());
                let value = folded.as_deref().unwrap_or(value);
                Truth::any(
                    patterns
                        .iter()
                        .map(|pattern| pattern.matches(value, context)),
                )
            }
            Self::Numbers(relation, bounds) => compare(*relation, Number::parse(value), bounds),
            Self::Moments(relation, bounds) => compare(*relation, Moment::parse(value), bounds),
            Self::Networks(networks) => Truth::from(value.parse().is_ok_and(|address| {
                let mut networks = networks.iter().flatten();
                networks.any(|network| network.contains(address))
            })),
            Self::Binaries(bounds) => {
                let value = base64(value);
                Truth::from(value.is_some() && bounds.contains(&value))
            }
            // Presence alone decides.
            Self::Absences(_) => Truth::False,
        }
    }

    /// Whether each of the policy's values can be read.
    fn are_readable(&self, context: &Context) -> Truth {
        match self {
            Self::Texts(patterns) => {
                Truth::all(patterns.iter().map(|pattern| pattern.is_readable(context)))
            }
            Self::Numbers(_, bounds) => Truth::from(bounds.iter().all(Option::is_some)),
            Self::Moments(_, bounds) => Truth::from(bounds.iter().all(Option::is_some)),
            Self::Networks(bounds) => Truth::from(bounds.iter().all(Option::is_some)),
            Self::Binaries(bounds) => Truth::from(bounds.iter().all(Option::is_some)),
            Self::Absences(_) => Truth::True,
        }
    }

    /// Whether a value of the request can be read.
    fn read(&self, value: &str) -> bool {
        match self {
            Self::Texts(patterns) => patterns.iter().all(|pattern| pattern.reads(value)),
            Self::Numbers(..) => Number::parse(value).is_some(),
            Self::Moments(..) => Moment::parse(value).is_some(),
            Self::Networks(_) => value.parse::<IpAddr>().is_ok(),
            Self::Binaries(_) => base64(value).is_some(),
            Self::Absences(_) => true,
        }
    }

    /// Whether there is no value that cannot be read.
    fn read_everything(&self) -> bool {
        matches!(self, Self::Texts(patterns) if patterns.iter().all(|pattern| pattern.reads("")))
    }

    fn extent(&self) -> Extent {
        let nothing = match self {
            Self::Texts(patterns) if patterns.iter().any(Pattern::is_everything) => {
                return Extent::Everything;
            }
            Self::Texts(patterns) => patterns.is_empty(),
            Self::Numbers(_, bounds) => bounds.iter().all(Option::is_none),
            Self::Moments(_, bounds) => bounds.iter().all(Option::is_none),
            Self::Networks(networks) => networks.iter().all(Option::is_none),
            Self::Binaries(bounds) => bounds.iter().all(Option::is_none),
            Self::Absences(_) => false,
        };
        if nothing {
            Extent::Nothing
        } else {
            Extent::Something
        }
    }
}

fn read<T>(values: &[String], parse: impl Fn(&str) -> Option<T>) -> Vec<Option<T>> {
    values.iter().map(|value| parse(value.trim())).collect()
}

fn compare<T: PartialOrd>(relation: Relation, value: Option<T>, bounds: &[Option<T>]) -> Truth {
    Truth::from(value.is_some_and(|value| {
        let mut bounds = bounds.iter().flatten();
        bounds.any(|bound| relation.holds(&value, bound))
    }))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Base64 without its padding: equal where the bytes are.
fn base64(text: &str) -> Option<String> {
    let text = text.trim_end_matches('=');
    let sound = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    sound.then(|| text.to_owned())
}
