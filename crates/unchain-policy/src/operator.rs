//! Condition operators by name.

/// A condition operator with its modifiers (IAM User Guide, "IAM JSON policy elements: Condition operators").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) quantifier: Quantifier,
    pub(crate) test: Test,
    pub(crate) polarity: Polarity,
    pub(crate) presence: Presence,
}

/// `ForAllValues:` and `ForAnyValue:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    None,
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Polarity {
    Positive,
    Negated,
}

/// Whether `IfExists` is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    IfExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Arn,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    Network,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Relation {
    pub(crate) fn holds<T: PartialOrd>(self, value: &T, bound: &T) -> bool {
        match self {
            Self::Equal => value == bound,
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::Greater => value > bound,
            Self::GreaterOrEqual => value >= bound,
        }
    }
}

impl Operator {
    /// The operator with this name; case does not matter.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("forallvalues:") {
            (Quantifier::ForAllValues, rest)
        } else if let Some(rest) = name.strip_prefix("foranyvalue:") {
            (Quantifier::ForAnyValue, rest)
        } else {
            (Quantifier::None, name.as_str())
        };
        let (presence, base) = match rest.strip_suffix("ifexists") {
            Some(base) => (Presence::IfExists, base),
            None => (Presence::Required, rest),
        };
        let (test, polarity) = base_operator(base)?;
        let modified = quantifier != Quantifier::None || presence == Presence::IfExists;
        let operator = Self {
            quantifier,
            test,
            polarity,
            presence,
        };
        (test != Test::Null || !modified).then_some(operator)
    }
}

fn base_operator(name: &str) -> Option<(Test, Polarity)> {
    let positive = |test| Some((test, Polarity::Positive));
    let negated = |test| Some((test, Polarity::Negated));
    match name {
        "stringequals" => positive(Test::Equals),
        "stringnotequals" => negated(Test::Equals),
        "stringequalsignorecase" => positive(Test::EqualsIgnoreCase),
        "stringnotequalsignorecase" => negated(Test::EqualsIgnoreCase),
        "stringlike" => positive(Test::Like),
        "stringnotlike" => negated(Test::Like),
        "arnequals" | "arnlike" => positive(Test::Arn),
        "arnnotequals" | "arnnotlike" => negated(Test::Arn),
        "bool" => positive(Test::Bool),
        "binaryequals" => positive(Test::Binary),
        "ipaddress" => positive(Test::Network),
        "notipaddress" => negated(Test::Network),
        "null" => positive(Test::Null),
        _ => {
            let (number, relation) = match name.strip_prefix("numeric") {
                Some(relation) => (true, relation),
                None => (false, name.strip_prefix("date")?),
            };
            let (relation, polarity) = relation_of(relation)?;
            let test = if number { Test::Numeric } else { Test::Date };
            Some((test(relation), polarity))
        }
    }
}

fn relation_of(name: &str) -> Option<(Relation, Polarity)> {
    let relation = match name {
        "notequals" => return Some((Relation::Equal, Polarity::Negated)),
        "equals" => Relation::Equal,
        "lessthan" => Relation::Less,
        "lessthanequals" => Relation::LessOrEqual,
        "greaterthan" => Relation::Greater,
        "greaterthanequals" => Relation::GreaterOrEqual,
        _ => return None,
    };
    Some((relation, Polarity::Positive))
}
