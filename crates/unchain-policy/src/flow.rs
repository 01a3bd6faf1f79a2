//! How the layers of policies decide together (IAM User Guide, "How AWS enforcement code logic evaluates requests to
//! allow or deny access").

use crate::decision::Layer;
use crate::finding::{Basis, Finding, Source};
use crate::layers::{Layers, Named, ResourceKind};
use crate::policy::{Effect, Statement};
use crate::principal::{Naming, PrincipalKind};
use crate::statement::Asked;
use crate::truth::Truth;
use std::slice;

/// A request and the policies that apply to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flow<'a, 'b> {
    pub(crate) asked: &'b Asked<'a>,
    pub(crate) layers: &'b Layers<'a>,
    /// Whether the resource belongs to another account than the principal.
    pub(crate) crosses: bool,
}

/// The policies of one layer.
type List<'a, 'b> = (Layer, &'b [Named<'a>]);

impl<'a, 'b> Flow<'a, 'b> {
    /// Whether a `Deny` of any layer applies.
    pub(crate) fn denied(self) -> Finding<'a> {
        let layers = self.layers;
        let resource = layers.resource.iter();
        let resource = resource.map(|policy| (policy.kind.layer(), slice::from_ref(&policy.named)));
        let boundary = layers.boundary.iter();
        let session = layers.session.iter();
        let lists = self
            .organization()
            .chain(resource)
            .chain([(Layer::Identity, layers.identity.as_slice())])
            .chain(boundary.map(|list| (Layer::Boundary, list.as_slice())))
            .chain(session.map(|list| (Layer::Session, list.as_slice())));
        let mut denied = Finding::nothing(Layer::Identity);
        for list in lists {
            denied = denied.or(|| self.applying(list, Effect::Deny, |_| true));
        }
        denied
    }

    /// Whether every layer that must allow does.
    pub(crate) fn allowed(self) -> Finding<'a> {
        let mut limits = Finding::certain(Basis::NoPermissionNeeded);
        for list in self.organization() {
            limits = limits.and(|| self.allows(list));
        }
        // Where the grant is lacking too, the organization's level is named, because it stands above.
        if limits.truth == Truth::False {
            return limits;
        }
        let grant = if self.crosses {
            self.across_accounts()
        } else {
            self.within_account()
        };
        grant.and(|| limits)
    }

    /// The organization's policies, level by level: of the resource's account, then of the principal's.
    fn organization(self) -> impl Iterator<Item = List<'a, 'b>> {
        let rcps = self.layers.rcps.iter().enumerate();
        let scps = self.layers.scps.iter().enumerate();
        let rcps = rcps.map(|(level, list)| (Layer::Rcp { level }, list.as_slice()));
        rcps.chain(scps.map(|(level, list)| (Layer::Scp { level }, list.as_slice())))
    }

    fn across_accounts(self) -> Finding<'a> {
        let resource = self.resource(|_| true);
        if resource.truth == Truth::False || !self.asked.principal.has_identity() {
            return resource;
        }
        self.own().and(|| self.limits()).and(|| resource)
    }

    /// Within an account a grant to the principal itself stands alone; a grant to the role of its session is limited
    /// by boundary and session policy; a grant to the account only delegates.
    fn within_account(self) -> Finding<'a> {
        let direct = || self.resource(|naming| naming == Naming::Direct);
        let issuer = || self.resource(|naming| naming == Naming::Issuer);
        let limited = || issuer().or(|| self.own()).and(|| self.limits());
        if !self.resource_must_allow() {
            return direct().or(limited);
        }
        let any = self.resource(|_| true);
        if any.truth == Truth::False {
            return any;
        }
        direct().or(limited).and(|| any)
    }

    /// Whether an allow of the resource's policy is needed also within the account.
    fn resource_must_allow(self) -> bool {
        let kind = self.layers.resource.map(|policy| policy.kind);
        !self.asked.principal.has_identity()
            || kind.is_some_and(|kind| kind != ResourceKind::Ordinary)
            || self.assumes_role()
    }

    fn assumes_role(self) -> bool {
        let calls = [
            "sts:assumerole",
            "sts:assumerolewithsaml",
            "sts:assumerolewithwebidentity",
        ];
        calls.contains(&self.asked.action.as_str())
    }

    fn resource(self, wanted: impl Fn(Naming) -> bool) -> Finding<'a> {
        match &self.layers.resource {
            Some(policy) => {
                let list = (policy.kind.layer(), slice::from_ref(&policy.named));
                self.applying(list, Effect::Allow, wanted)
            }
            None if self.assumes_role() => Finding::nothing(Layer::Trust),
            None => Finding::nothing(Layer::Resource),
        }
    }

    /// What the principal's own account gives it.
    fn own(self) -> Finding<'a> {
        if self.asked.principal.has_full_access() {
            return Finding::certain(Basis::RootUser);
        }
        self.allows((Layer::Identity, &self.layers.identity))
    }

    /// What boundary and session policies leave. A federated user session without a session policy has nothing.
    fn limits(self) -> Finding<'a> {
        let unlimited = || Finding::certain(Basis::NoPermissionNeeded);
        let boundary = self.layers.boundary.as_deref();
        let boundary = boundary.map_or_else(unlimited, |list| self.allows((Layer::Boundary, list)));
        boundary.and(|| match self.layers.session.as_deref() {
            Some(list) => self.allows((Layer::Session, list)),
            None if self.asked.principal.kind() == PrincipalKind::FederatedUser => {
                Finding::nothing(Layer::Session)
            }
            None => unlimited(),
        })
    }

    fn allows(self, list: List<'a, '_>) -> Finding<'a> {
        self.applying(list, Effect::Allow, |_| true)
    }

    /// The statements of a layer with this effect that apply and name the principal in a way that is `wanted`.
    fn applying(
        self,
        (layer, policies): List<'a, '_>,
        effect: Effect,
        wanted: impl Fn(Naming) -> bool,
    ) -> Finding<'a> {
        let mut found = Finding::nothing(layer);
        for named in policies {
            for (index, statement) in named.policy.statements().iter().enumerate() {
                if statement.effect != effect {
                    continue;
                }
                let naming = self.naming(layer, statement);
                if naming == Naming::No || !wanted(naming) {
                    continue;
                }
                let source = Source {
                    layer,
                    named: *named,
                    statement: index,
                };
                let truth = self.asked.meets(statement);
                found.add(source, truth, self.asked.open_keys(statement));
                if found.truth == Truth::True {
                    return found;
                }
            }
        }
        found
    }

    /// A statement without a principal speaks of the identity that its policy is attached to; one attached to a
    /// resource speaks of nobody. A `Deny` with `NotPrincipal` spares none that has a permissions boundary (IAM User
    /// Guide, "AWS JSON policy elements: NotPrincipal").
    fn naming(self, layer: Layer, statement: &Statement) -> Naming {
        match (&statement.principal, layer) {
            (Some(element), _)
                if element.negated
                    && statement.effect == Effect::Deny
                    && self.layers.boundary.is_some() =>
            {
                Naming::Direct
            }
            (Some(element), _) => element.names(self.asked.principal),
            (None, Layer::Resource | Layer::Trust | Layer::Key) => Naming::No,
            (None, _) => Naming::Direct,
        }
    }
}
