//! The evaluation logic: how the layers of policies decide together.

use crate::decision::{Cited, Decision, Depends, Grant, Layer};
use crate::layers::{Layers, Named, Request, ResourceKind, ResourcePolicy};
use crate::policy::{Effect, Statement};
use crate::principal::{Naming, PrincipalKind, is_account};
use crate::statement::Asked;
use crate::truth::Truth;
use std::collections::BTreeMap;

/// Decides a request.
///
/// Beyond the order of the IAM User Guide, "Policy evaluation logic":
///
/// - `sts:GetCallerIdentity` is allowed even where it is denied (AWS STS API Reference, "GetCallerIdentity").
/// - `sts:GetSessionToken` needs no allow. A deny is honoured, as AWS's own example that denies all but listed
///   actions without MFA expects, although the STS reference says that policies cannot control it; who plans a
///   containment should not rely on that deny.
/// - `sts:AssumeRole`, `…WithSAML` and `…WithWebIdentity` are denied without a trust policy.
/// - A service, a federated and an anonymous caller have no identity-based policies; the resource's policy decides.
#[must_use]
pub fn evaluate(request: &Request<'_>, layers: &Layers<'_>) -> Decision {
    let asked = Asked::new(request);
    if asked.action == "sts:getcalleridentity" {
        return Decision::Allowed(Grant::NoPermissionNeeded);
    }
    let denied = denials(&asked, layers);
    if denied.truth == Truth::True
        && let Some(Basis::Statement(source)) = denied.basis
    {
        return Decision::ExplicitlyDenied(source.cited());
    }
    let allowed = if asked.action == "sts:getsessiontoken" {
        Finding::certain(Basis::NoPermissionNeeded)
    } else {
        Evaluation {
            asked: &asked,
            layers,
            crosses: crosses_accounts(request),
        }
        .allowed()
    };
    conclude(&denied, &allowed)
}

fn conclude(denied: &Finding<'_>, allowed: &Finding<'_>) -> Decision {
    match (denied.truth, allowed.truth) {
        (Truth::False, Truth::False) => Decision::ImplicitlyDenied(allowed.lacking),
        (Truth::False, Truth::True) => Decision::Allowed(allowed.grant()),
        (_, truth) => {
            let mut keys = BTreeMap::new();
            for key in denied.keys.iter().chain(&allowed.keys) {
                let spelled = keys.entry(key.to_lowercase()).or_insert(*key);
                *spelled = (*spelled).min(key);
            }
            Decision::Depends(Depends {
                keys: keys.into_values().map(str::to_owned).collect(),
                explicitly_denied: denied.basis.and_then(Basis::cited),
                implicitly_denied: (truth != Truth::True).then_some(allowed.lacking),
                allowed: (truth != Truth::False).then(|| allowed.grant()),
            })
        }
    }
}

/// Whether the resource belongs to another account than the principal (IAM User Guide, "Cross-account policy
/// evaluation logic"). Where one of the two is not known it is taken to be the same.
fn crosses_accounts(request: &Request<'_>) -> bool {
    let of_arn = || {
        request
            .resource
            .split(':')
            .nth(4)
            .filter(|account| is_account(account))
    };
    match (
        request.principal.account(),
        request.resource_account.or_else(of_arn),
    ) {
        (Some(own), Some(other)) => own != other,
        _ => false,
    }
}

#[derive(Debug, Clone, Copy)]
struct Source<'a> {
    layer: Layer,
    named: Named<'a>,
    statement: usize,
}

impl Source<'_> {
    fn cited(self) -> Cited {
        let statement = self.named.policy.statements().get(self.statement);
        Cited {
            layer: self.layer,
            policy: self.named.name.to_owned(),
            statement: self.statement,
            sid: statement.and_then(Statement::sid).map(str::to_owned),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Basis<'a> {
    Statement(Source<'a>),
    RootUser,
    NoPermissionNeeded,
}

impl Basis<'_> {
    fn cited(self) -> Option<Cited> {
        match self {
            Self::Statement(source) => Some(source.cited()),
            Self::RootUser | Self::NoPermissionNeeded => None,
        }
    }
}

/// Whether something holds, by what, and on which unknown keys that depends.
#[derive(Debug, Clone)]
struct Finding<'a> {
    truth: Truth,
    basis: Option<Basis<'a>>,
    keys: Vec<&'a str>,
    /// What is missing where it does not hold.
    lacking: Layer,
}

impl<'a> Finding<'a> {
    fn nothing(lacking: Layer) -> Self {
        Self {
            truth: Truth::False,
            basis: None,
            keys: Vec::new(),
            lacking,
        }
    }

    fn certain(basis: Basis<'a>) -> Self {
        Self {
            truth: Truth::True,
            basis: Some(basis),
            ..Self::nothing(Layer::Identity)
        }
    }

    fn grant(&self) -> Grant {
        match self.basis {
            Some(Basis::Statement(source)) => Grant::Statement(source.cited()),
            Some(Basis::RootUser) => Grant::RootUser,
            Some(Basis::NoPermissionNeeded) | None => Grant::NoPermissionNeeded,
        }
    }

    /// Both hold. `self` is what grants; `limit` only limits.
    fn and(self, limit: impl FnOnce() -> Self) -> Self {
        if self.truth == Truth::False {
            return self;
        }
        let limit = limit();
        match (self.truth, limit.truth) {
            (_, Truth::False) => limit,
            (Truth::True, Truth::Unknown) => Self {
                basis: self.basis,
                ..limit
            },
            (_, Truth::True) => self,
            (_, Truth::Unknown) => Self {
                keys: [self.keys, limit.keys].concat(),
                ..self
            },
        }
    }

    /// At least one holds. Where neither does, `other` says what is lacking.
    fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.truth == Truth::True {
            return self;
        }
        let other = other();
        match (self.truth, other.truth) {
            (Truth::False, _) | (_, Truth::True) => other,
            (_, Truth::False) => self,
            _ => Self {
                keys: [self.keys, other.keys].concat(),
                ..self
            },
        }
    }

    /// Adds a statement that applies, or may.
    fn add(&mut self, source: Source<'a>, truth: Truth, keys: impl Iterator<Item = &'a str>) {
        if truth > self.truth {
            (self.truth, self.basis) = (truth, Some(Basis::Statement(source)));
        }
        match self.truth {
            Truth::True => self.keys.clear(),
            Truth::Unknown => self.keys.extend(keys),
            Truth::False => {}
        }
    }
}

/// Every policy with its layer, in the order in which AWS names them.
fn all_policies<'a>(layers: &Layers<'a>) -> impl Iterator<Item = (Layer, Named<'a>)> {
    let levels = |lists: &[Vec<Named<'a>>], layer: fn(usize) -> Layer| {
        let levels = lists.iter().enumerate();
        levels
            .flat_map(|(level, list)| list.iter().map(move |named| (layer(level), *named)))
            .collect::<Vec<_>>()
    };
    let list = |list: &[Named<'a>], layer: Layer| {
        list.iter()
            .map(move |named| (layer, *named))
            .collect::<Vec<_>>()
    };
    let resource = layers
        .resource
        .map(|policy| (policy.kind.layer(), policy.named));
    let rcps = levels(&layers.rcps, |level| Layer::Rcp { level });
    let scps = levels(&layers.scps, |level| Layer::Scp { level });
    let limits = list(
        layers.boundary.as_deref().unwrap_or_default(),
        Layer::Boundary,
    );
    let session = list(
        layers.session.as_deref().unwrap_or_default(),
        Layer::Session,
    );
    let identity = list(&layers.identity, Layer::Identity);
    let organization = rcps.into_iter().chain(scps).chain(resource);
    organization.chain(identity).chain(limits).chain(session)
}

fn denials<'a>(asked: &Asked<'a>, layers: &Layers<'a>) -> Finding<'a> {
    let mut denied = Finding::nothing(Layer::Identity);
    for (layer, named) in all_policies(layers) {
        denied = denied.or(|| applying(asked, (layer, named), Effect::Deny));
        if denied.truth == Truth::True {
            break;
        }
    }
    denied
}

/// The statements of one policy with this effect that apply, however they name the principal.
fn applying<'a>(
    asked: &Asked<'a>,
    (layer, named): (Layer, Named<'a>),
    effect: Effect,
) -> Finding<'a> {
    by_naming(asked, (layer, named), effect, |_| true)
}

/// The statements of one policy with this effect that apply and name the principal in a way that is `wanted`.
fn by_naming<'a>(
    asked: &Asked<'a>,
    (layer, named): (Layer, Named<'a>),
    effect: Effect,
    wanted: impl Fn(Naming) -> bool,
) -> Finding<'a> {
    let mut found = Finding::nothing(layer);
    for (index, statement) in named.policy.statements().iter().enumerate() {
        if statement.effect != effect {
            continue;
        }
        let naming = naming(asked, layer, statement);
        if naming == Naming::No || !wanted(naming) {
            continue;
        }
        let truth = asked.meets(statement);
        if truth != Truth::False {
            let source = Source {
                layer,
                named,
                statement: index,
            };
            found.add(source, truth, asked.open_keys(statement));
        }
        if found.truth == Truth::True {
            break;
        }
    }
    found
}

/// A statement without a principal speaks of the identity that its policy is attached to; one attached to a resource
/// speaks of nobody.
fn naming(asked: &Asked<'_>, layer: Layer, statement: &Statement) -> Naming {
    match (&statement.principal, layer) {
        (Some(element), _) => element.names(asked.principal),
        (None, Layer::Resource | Layer::Trust | Layer::Key) => Naming::No,
        (None, _) => Naming::Direct,
    }
}

#[derive(Debug, Clone, Copy)]
struct Evaluation<'a, 'b> {
    asked: &'b Asked<'a>,
    layers: &'b Layers<'a>,
    crosses: bool,
}

impl<'a> Evaluation<'a, '_> {
    fn allowed(self) -> Finding<'a> {
        let grant = if self.crosses {
            self.across_accounts()
        } else {
            self.within_account()
        };
        let levels = |lists: &[Vec<Named<'a>>], layer: fn(usize) -> Layer| {
            let levels = lists.iter().enumerate();
            levels
                .map(|(level, list)| self.allows(layer(level), list))
                .collect::<Vec<_>>()
        };
        let rcps = levels(&self.layers.rcps, |level| Layer::Rcp { level });
        let scps = levels(&self.layers.scps, |level| Layer::Scp { level });
        // The organization's layers come first, so that they are named where they and the grant are both lacking.
        let mut limits = Finding::certain(Basis::NoPermissionNeeded);
        for level in rcps.into_iter().chain(scps) {
            limits = limits.and(|| level);
        }
        if limits.truth == Truth::False {
            limits
        } else {
            grant.and(|| limits)
        }
    }

    fn across_accounts(self) -> Finding<'a> {
        let own = || self.own().and(|| self.limits());
        match self.resource_policy() {
            None => Finding::nothing(Layer::Resource),
            Some(_) if !self.asked.principal.has_identity() => self.resource(|_| true),
            Some(_) => {
                let resource = self.resource(|_| true);
                if resource.truth == Truth::False {
                    resource
                } else {
                    own().and(|| resource)
                }
            }
        }
    }

    /// Within an account a grant to the principal itself stands alone; a grant to the role of its session is limited
    /// by boundary and session policy; a grant to the account only delegates.
    fn within_account(self) -> Finding<'a> {
        let direct = self.resource(|naming| naming == Naming::Direct);
        let limited = || {
            let issuer = self.resource(|naming| naming == Naming::Issuer);
            issuer.or(|| self.own()).and(|| self.limits())
        };
        if !self.must_allow() {
            return direct.or(limited);
        }
        let any = self.resource(|_| true);
        if any.truth == Truth::False {
            return any;
        }
        direct.or(limited).and(|| any)
    }

    /// Whether an allow of the resource's policy is needed also within the account.
    fn must_allow(self) -> bool {
        let kind = self.resource_policy().map(|policy| policy.kind);
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

    fn resource_policy(self) -> Option<ResourcePolicy<'a>> {
        self.layers.resource
    }

    fn resource(self, wanted: impl Fn(Naming) -> bool) -> Finding<'a> {
        match self.resource_policy() {
            Some(policy) => by_naming(
                self.asked,
                (policy.kind.layer(), policy.named),
                Effect::Allow,
                wanted,
            ),
            None if self.assumes_role() => Finding::nothing(Layer::Trust),
            None => Finding::nothing(Layer::Resource),
        }
    }

    /// What the principal's own account gives it.
    fn own(self) -> Finding<'a> {
        if self.asked.principal.has_full_access() {
            return Finding::certain(Basis::RootUser);
        }
        self.allows(Layer::Identity, &self.layers.identity)
    }

    fn limits(self) -> Finding<'a> {
        let unlimited = || Finding::certain(Basis::NoPermissionNeeded);
        let boundary = match &self.layers.boundary {
            Some(policies) => self.allows(Layer::Boundary, policies),
            None => unlimited(),
        };
        boundary.and(|| match &self.layers.session {
            Some(policies) => self.allows(Layer::Session, policies),
            None if self.asked.principal.kind() == PrincipalKind::FederatedUser => {
                Finding::nothing(Layer::Session)
            }
            None => unlimited(),
        })
    }

    fn allows(self, layer: Layer, policies: &[Named<'a>]) -> Finding<'a> {
        let mut allowed = Finding::nothing(layer);
        for named in policies {
            allowed = allowed.or(|| applying(self.asked, (layer, *named), Effect::Allow));
        }
        allowed
    }
}
