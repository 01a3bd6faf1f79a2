//! Numbers of the `Numeric` operators.

use std::cmp::Ordering;

/// An integer, exact, or a decimal.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        // `f64` also reads `inf`, `nan` and exponents, which are not numbers of a policy.
        let is_decimal = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
        let real: f64 = text.parse().ok().filter(|_| is_decimal)?;
        real.is_finite().then_some(Self::Real(real))
    }

    fn real(self) -> f64 {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "compared with a decimal, which is no more precise"
            )]
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(two)) => one.partial_cmp(two),
            _ => self.real().partial_cmp(&other.real()),
        }
    }
}
