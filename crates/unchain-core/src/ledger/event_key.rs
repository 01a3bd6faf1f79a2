//! Event ids in sixteen bytes: every use and every fact holds two.

use super::symbols::Symbol;
use crate::id::uuid_bytes;

/// What the bytes of a text's number begin with. A GUID that begins so is kept as a text.
const TEXT: [u8; 12] = [0; 12];

/// An event id: the sixteen bytes of a GUID, or a text of the same ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey([u8; 16]);

/// What an [`EventKey`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpacked {
    /// A GUID.
    Guid([u8; 16]),
    /// Any other text.
    Text(Symbol),
}

impl EventKey {
    /// The empty text: no id.
    pub const NONE: Self = Self::of_text(Symbol::EMPTY);

    /// The id that is a GUID, unless that is kept as a text.
    pub(super) fn of_guid(bytes: [u8; 16]) -> Option<Self> {
        (!bytes.starts_with(&TEXT)).then_some(Self(bytes))
    }

    /// The id of this text that is a GUID, unless that is kept as a text.
    pub(super) fn of_guid_text(text: &str) -> Option<Self> {
        uuid_bytes(text).and_then(Self::of_guid)
    }

    /// The id that is a text.
    pub(super) const fn of_text(symbol: Symbol) -> Self {
        // The first twelve bytes of a number this small are those of `TEXT`.
        Self((symbol.number() as u128).to_be_bytes())
    }

    /// What it stands for.
    pub fn unpack(self) -> Unpacked {
        let number = u128::from_be_bytes(self.0);
        match u32::try_from(number) {
            Ok(number) => Unpacked::Text(Symbol::from_number(number)),
            Err(_) => Unpacked::Guid(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_guid_that_looks_like_a_text_is_kept_as_one() {
        for number in [0, u128::from(u32::MAX)] {
            assert_eq!(EventKey::of_guid(number.to_be_bytes()), None);
        }
        let more = (u128::from(u32::MAX) + 1).to_be_bytes();
        let kept = EventKey::of_guid(more).map(EventKey::unpack);
        assert_eq!(kept, Some(Unpacked::Guid(more)));
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(number: u32) {
            let symbol = Symbol::from_number(number);
            prop_assert_eq!(EventKey::of_text(symbol).unpack(), Unpacked::Text(symbol));
        }
    }
}
