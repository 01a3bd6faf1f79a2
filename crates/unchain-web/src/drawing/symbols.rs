//! What kinds of nodes look like. The word stands beside it: nobody has to know the symbols.

use unchain_core::lineage::NodeKind;

/// The outline of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outline {
    /// What works until somebody ends it: square corners.
    Lasting,
    /// What ends by itself: round corners.
    Passing,
    /// What a credential left behind: cut corners.
    Made,
    /// Who acts: round ends.
    Actor,
}

/// The outline of a kind.
pub(crate) fn outline(kind: NodeKind) -> Outline {
    match kind {
        NodeKind::LongTermKey => Outline::Lasting,
        NodeKind::TemporaryCredential
        | NodeKind::FederatedSession
        | NodeKind::ConsoleSession
        | NodeKind::OAuthSession
        | NodeKind::IdentityCenterSession => Outline::Passing,
        NodeKind::MfaDevice
        | NodeKind::LoginProfile
        | NodeKind::User
        | NodeKind::Role
        | NodeKind::IdentityProvider => Outline::Made,
        NodeKind::IdpSubject
        | NodeKind::Certificate
        | NodeKind::Service
        | NodeKind::Workload
        | NodeKind::Identity => Outline::Actor,
    }
}

/// A kind as lines in a square of 16.
pub(crate) fn symbol(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::LongTermKey => "M9 7.5a3.5 3.5 0 1 0-2 2L8.5 11H10v1.5h1.5V14H14v-2.5zM5 5h.1",
        NodeKind::TemporaryCredential => "M8 2a6 6 0 1 0 .1 0zM8 4.5V8l2.5 1.5",
        NodeKind::FederatedSession => "M8 2a6 6 0 1 0 .1 0zM2 8h12M8 2c-4 4-4 8 0 12c4-4 4-8 0-12",
        NodeKind::ConsoleSession => "M2 3h12v8H2zM6 14h4M8 11v3M4.5 5.5l2 1.5-2 1.5",
        NodeKind::OAuthSession => "M3 8a5 5 0 0 1 9-3M12 2v3H9M13 8a5 5 0 0 1-9 3M4 14v-3h3",
        NodeKind::IdentityCenterSession => "M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 11.5h5M11.5 9v5",
        NodeKind::IdpSubject => "M8 2a2.5 2.5 0 1 0 .1 0zM2.5 14c0-6 11-6 11 0M12 6l1.5 1.5 2-3",
        NodeKind::Certificate => "M3 2h10v8H3zM5 5h6M5 7h4M8 10v5l2-1.5 2 1.5v-5",
        NodeKind::Service => {
            "M8 5.5a2.5 2.5 0 1 0 .1 0zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.5 3.5l1.4 1.4M11.1 11.1l1.4 1.4M3.5 12.5l1.4-1.4M11.1 4.900l1.4-1.4"
        }
        NodeKind::Workload => "M8 1.5l6 3.25v6.5L8 14.5l-6-3.25v-6.5zM2 4.75L8 8l6-3.25M8 8v6.5",
        NodeKind::MfaDevice => "M4.5 1.5h7v13h-7zM7 12.5h2M6.5 6l1 1.5 2-3",
        NodeKind::LoginProfile => "M3 7.5h10V14H3zM5 7.5V5a3 3 0 0 1 6 0v2.5M8 10v1.5",
        NodeKind::User => "M8 2a2.75 2.75 0 1 0 .1 0zM2.5 14c0-6 11-6 11 0z",
        NodeKind::Role => "M2.5 2h11v5c0 4-3 6-5.5 7.5C5.5 13 2.5 11 2.5 7zM8 5v5M5.5 7.5h5",
        NodeKind::IdentityProvider => {
            "M2 14h12M3 6.5h10M3.5 5L8 2l4.5 3M4.5 6.5V14M8 6.5V14M11.5 6.5V14"
        }
        NodeKind::Identity => "M8 2a6 6 0 1 0 .1 0zM6 6.5a2 2 0 1 1 2.5 2C8 9 8 9.5 8 10M8 12h.1",
    }
}
