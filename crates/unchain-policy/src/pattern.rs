//! Text that a policy compares with: wildcards, ARN fields and policy variables, prepared once.

use crate::context::{Context, Known};
use crate::truth::Truth;

/// The fields of an ARN; the last may hold colons.
const FIELDS: usize = 6;

/// What is short of the resource is still compared as an ARN.
const LEAST_FIELDS: usize = 5;

/// How a pattern's text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) wildcards: Wildcards,
    /// Whether case is ignored; the value must then come in lower case.
    pub(crate) case: Case,
    /// Whether `${…}` is a variable: only in version 2012-10-17.
    pub(crate) variables: Variables,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// `*` and `?` are themselves.
    None,
    /// They match anything.
    Free,
    /// As in `Resource`: before the fifth colon, only a `*` that ends its field reaches beyond it (IAM User Guide,
    /// "IAM JSON policy elements: Resource").
    Resource,
    /// As in the ARN operators: each field is matched by itself (IAM User Guide, "IAM JSON policy elements:
    /// Condition operators").
    Arn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Kept,
    Folded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variables {
    Literal,
    Resolved,
}

/// One pattern of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) text: String,
    style: Style,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Everything,
    Exact(String),
    Prefix(String),
    Tokens(Vec<Token>),
    Template(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Byte(u8),
    Many,
    /// `*` that does not reach over a colon.
    ManyInField,
    One,
    /// `?` that is not a colon.
    OneInField,
    Variable(Box<Variable>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    folded: String,
    default: Option<String>,
}

impl Pattern {
    pub(crate) fn new(text: &str, style: Style) -> Self {
        Self {
            text: text.to_owned(),
            style,
            form: Form::of(tokens(text, style), style),
        }
    }

    /// Whether the pattern matches every value.
    pub(crate) fn is_everything(&self) -> bool {
        self.form == Form::Everything
    }

    /// Whether values must be brought to lower case first.
    pub(crate) fn ignores_case(&self) -> bool {
        self.style.case == Case::Folded
    }

    /// Whether `value` matches. A variable that is absent or has several values matches nothing (IAM User Guide,
    /// "IAM policy elements: Variables and tags"); wildcards inside a variable's value are plain characters.
    pub(crate) fn matches(&self, value: &str, context: &Context) -> Truth {
        match &self.form {
            Form::Everything => Truth::True,
            Form::Exact(text) => Truth::from(text == value),
            Form::Prefix(text) => Truth::from(value.starts_with(text.as_str())),
            Form::Tokens(tokens) => Truth::from(self.tokens_match(tokens, value)),
            Form::Template(tokens) => self.template_matches(tokens, value, context),
        }
    }

    /// Whether the pattern can be compared at all: not where a variable has no value, nor, for an ARN operator, where
    /// it has less than five fields. What cannot be compared fails a negated test too (IAM User Guide, "IAM policy elements:
    /// Variables and tags": a variable that is not in the request context can make the statement invalid).
    pub(crate) fn is_readable(&self, context: &Context) -> Truth {
        match &self.form {
            Form::Template(template) => match resolve(template, self.style.case, context) {
                Resolved::Undefined => Truth::False,
                Resolved::Known(tokens) => Truth::from(self.has_fields(&tokens)),
                Resolved::Partly(_) => Truth::Unknown,
            },
            Form::Tokens(tokens) => Truth::from(self.has_fields(tokens)),
            Form::Everything | Form::Exact(_) | Form::Prefix(_) => Truth::True,
        }
    }

    /// Whether the operator can read `value`: an ARN operator needs five fields.
    pub(crate) fn reads(&self, value: &str) -> bool {
        self.style.wildcards != Wildcards::Arn || value.splitn(FIELDS, ':').count() >= LEAST_FIELDS
    }

    fn has_fields(&self, tokens: &[Token]) -> bool {
        let fields = || tokens.splitn(FIELDS, is_colon).count();
        self.style.wildcards != Wildcards::Arn || fields() >= LEAST_FIELDS
    }

    /// Whether the pattern is for another service, Region, account or resource type than `value`, whatever its
    /// variables hold. An object of Amazon S3 has no type.
    pub(crate) fn is_apart(&self, value: &str) -> bool {
        let Form::Template(template) = &self.form else {
            return false;
        };
        let free = |token: &Token| match token {
            Token::Variable(_) => Token::Many,
            token => token.clone(),
        };
        let tokens: Vec<Token> = template.iter().map(free).collect();
        let patterns = || tokens.splitn(FIELDS, is_colon);
        let fields = || value.splitn(FIELDS, ':');
        let mut before = patterns().zip(fields()).take(LEAST_FIELDS);
        if !before.all(|(pattern, field)| glob(pattern, field)) {
            return true;
        }
        let is_global = fields().skip(3).take(2).all(str::is_empty);
        match (patterns().nth(LEAST_FIELDS), fields().nth(LEAST_FIELDS)) {
            (Some(pattern), Some(resource)) if !is_global => !has_type(pattern, resource),
            _ => false,
        }
    }

    fn template_matches(&self, template: &[Token], value: &str, context: &Context) -> Truth {
        match resolve(template, self.style.case, context) {
            Resolved::Undefined => Truth::False,
            Resolved::Known(tokens) => Truth::from(self.tokens_match(&tokens, value)),
            // What is unknown may hold colons, so fields do not limit what could match.
            Resolved::Partly(tokens) if glob(&tokens, value) => Truth::Unknown,
            Resolved::Partly(_) => Truth::False,
        }
    }

    fn tokens_match(&self, tokens: &[Token], value: &str) -> bool {
        if self.style.wildcards != Wildcards::Arn {
            return glob(tokens, value);
        }
        let patterns = || tokens.splitn(FIELDS, is_colon);
        let fields = || value.splitn(FIELDS, ':');
        let alike = fields().count() >= LEAST_FIELDS && patterns().count() == fields().count();
        alike
            && patterns()
                .zip(fields())
                .all(|(pattern, field)| glob(pattern, field))
    }

    /// The pattern's variables that are unknown, as the policy spells them.
    pub(crate) fn unknown_variables<'a>(
        &'a self,
        context: &'a Context,
    ) -> impl Iterator<Item = &'a str> {
        let tokens = match &self.form {
            Form::Template(tokens) => tokens.as_slice(),
            _ => &[],
        };
        tokens.iter().filter_map(|token| match token {
            Token::Variable(variable) if *context.folded(&variable.folded) == Known::Unknown => {
                Some(variable.name.as_str())
            }
            _ => None,
        })
    }
}

impl Form {
    fn of(tokens: Vec<Token>, style: Style) -> Self {
        if tokens
            .iter()
            .any(|token| matches!(token, Token::Variable(_)))
        {
            return Self::Template(tokens);
        }
        if style.wildcards == Wildcards::Arn {
            return Self::Tokens(tokens);
        }
        let is_byte = |token: &Token| matches!(token, Token::Byte(_));
        match tokens.split_last() {
            Some((Token::Many, [])) => Self::Everything,
            Some((Token::Many, text)) if text.iter().all(is_byte) => Self::Prefix(plain(text)),
            _ if tokens.iter().all(is_byte) => Self::Exact(plain(&tokens)),
            _ => Self::Tokens(tokens),
        }
    }
}

fn is_colon(token: &Token) -> bool {
    *token == Token::Byte(b':')
}

/// Whether `resource` has a type, as in `role/app` or `function:f`, and `pattern` begins with it.
fn has_type(pattern: &[Token], resource: &str) -> bool {
    let own = resource
        .split_inclusive([':', '/'])
        .next()
        .unwrap_or_default();
    let own: Vec<Token> = own.bytes().map(Token::Byte).collect();
    own.len() < resource.len() && pattern.starts_with(&own)
}

fn plain(tokens: &[Token]) -> String {
    let bytes = tokens.iter().filter_map(|token| match token {
        Token::Byte(byte) => Some(*byte),
        _ => None,
    });
    // The bytes are those of whole characters of one text, so nothing is lost.
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

fn tokens(text: &str, style: Style) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut colons = 0;
    while let Some(character) = rest.chars().next() {
        if style.variables == Variables::Resolved
            && let Some((inner, after)) = rest
                .strip_prefix("${")
                .and_then(|rest| rest.split_once('}'))
        {
            tokens.extend(variable(inner, style.case));
            rest = after;
            continue;
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        let in_field =
            style.wildcards == Wildcards::Resource && text.starts_with("arn:") && colons < 5;
        let ends_field = rest.is_empty() || rest.starts_with(':');
        match character {
            '*' | '?' if style.wildcards == Wildcards::None => {
                tokens.push(Token::Byte(character as u8))
            }
            '*' if in_field && !ends_field => tokens.push(Token::ManyInField),
            '*' => tokens.push(Token::Many),
            '?' if in_field => tokens.push(Token::OneInField),
            '?' => tokens.push(Token::One),
            _ => {
                colons += usize::from(character == ':');
                push_text(&mut tokens, character.encode_utf8(&mut [0; 4]), style.case);
            }
        }
    }
    tokens
}

fn push_text(tokens: &mut Vec<Token>, text: &str, case: Case) {
    match case {
        Case::Kept => tokens.extend(text.bytes().map(Token::Byte)),
        Case::Folded => tokens.extend(text.to_lowercase().bytes().map(Token::Byte)),
    }
}

/// What `${inner}` stands for: one of three characters, or a variable with or without a default.
fn variable(inner: &str, case: Case) -> Vec<Token> {
    if let "*" | "?" | "$" = inner {
        return inner.bytes().map(Token::Byte).collect();
    }
    let (name, default) = match inner.split_once(',') {
        Some((name, default)) => (name, Some(default.trim())),
        None => (inner, None),
    };
    let unquote = |text: &str| {
        let text = text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(match case {
            Case::Kept => text.to_owned(),
            Case::Folded => text.to_lowercase(),
        })
    };
    vec![Token::Variable(Box::new(Variable {
        name: name.trim().to_owned(),
        folded: name.trim().to_lowercase(),
        default: default.and_then(unquote),
    }))]
}

enum Resolved {
    /// A variable has no value.
    Undefined,
    Known(Vec<Token>),
    /// Unknown variables are `Many`.
    Partly(Vec<Token>),
}

fn resolve(template: &[Token], case: Case, context: &Context) -> Resolved {
    let mut tokens = Vec::with_capacity(template.len());
    let mut partly = false;
    for token in template {
        let Token::Variable(variable) = token else {
            tokens.push(token.clone());
            continue;
        };
        let value = match context.folded(&variable.folded) {
            Known::Unknown => {
                partly = true;
                tokens.push(Token::Many);
                continue;
            }
            Known::Values(values) => match values.as_slice() {
                [value] => Some(value),
                _ => None,
            },
            Known::Absent => variable.default.as_ref(),
        };
        let Some(value) = value else {
            return Resolved::Undefined;
        };
        push_text(&mut tokens, value, case);
    }
    if partly {
        let free = tokens.into_iter().map(|token| match token {
            Token::ManyInField => Token::Many,
            Token::OneInField => Token::One,
            token => token,
        });
        Resolved::Partly(free.collect())
    } else {
        Resolved::Known(tokens)
    }
}

fn glob(tokens: &[Token], value: &str) -> bool {
    if tokens.contains(&Token::ManyInField) {
        glob_in_fields(tokens, value.as_bytes())
    } else {
        glob_free(tokens, value.as_bytes())
    }
}

/// Goes back only to the last `*`: one that reaches everywhere makes earlier choices irrelevant.
fn glob_free(tokens: &[Token], value: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match tokens.get(token) {
            Some(Token::Many) => {
                star = Some((token + 1, at));
                token += 1;
                continue;
            }
            Some(one) => {
                if let Some(length) = step(one, value, at) {
                    token += 1;
                    at += length;
                    continue;
                }
            }
            None if at == value.len() => return true,
            None => {}
        }
        match &mut star {
            Some((after, from)) if *from < value.len() => {
                *from += 1;
                (token, at) = (*after, *from);
            }
            _ => return false,
        }
    }
}

/// Follows every choice at once, for `*` that stops at a colon.
fn glob_in_fields(tokens: &[Token], value: &[u8]) -> bool {
    let mut reached = vec![false; value.len() + 1];
    set(&mut reached, 0);
    for token in tokens {
        let mut next = vec![false; value.len() + 1];
        let mut running = false;
        for at in 0..=value.len() {
            let here = reached.get(at).copied().unwrap_or_default();
            match token {
                Token::Many | Token::ManyInField => {
                    let passed_colon =
                        at.checked_sub(1).and_then(|before| value.get(before)) == Some(&b':');
                    running = here || running && !(passed_colon && *token == Token::ManyInField);
                    if running {
                        set(&mut next, at);
                    }
                }
                one if here => {
                    if let Some(length) = step(one, value, at) {
                        set(&mut next, at + length);
                    }
                }
                _ => {}
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or_default()
}

fn set(reached: &mut [bool], at: usize) {
    if let Some(reached) = reached.get_mut(at) {
        *reached = true;
    }
}

/// How many bytes of `value` from `at` one token other than `*` takes, if it matches there.
fn step(token: &Token, value: &[u8], at: usize) -> Option<usize> {
    let byte = *value.get(at)?;
    match token {
        Token::Byte(expected) => (*expected == byte).then_some(1),
        Token::OneInField if byte == b':' => None,
        Token::One | Token::OneInField => match byte {
            0x00..=0x7f => Some(1),
            0xc0..=0xdf => Some(2),
            0xe0..=0xef => Some(3),
            0xf0..=0xff => Some(4),
            // The middle of a character.
            0x80..=0xbf => None,
        },
        Token::Many | Token::ManyInField | Token::Variable(_) => None,
    }
}
