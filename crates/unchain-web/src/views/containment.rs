//! Containment: the plans that are known, and where each stands. Must not know how a plan is made or carried out.

use super::{Reply, Visit};
use crate::access::Access;
use crate::containment::{Containment, Errand, PlanRecord};
use crate::html::{column, counted, log, nothing, outside, pager, table, time, word};
use crate::routes::Site;
use maud::{Markup, html};
use std::collections::HashSet;
use std::sync::Arc;
use unchain_core::contain::{Containment as Outcome, Progress, Stage, Verification, progress};
use unchain_core::report::IncidentRow;

/// What views about plans need besides a visit.
pub(crate) struct PlanContext {
    pub(crate) containment: Containment,
    access: Access,
    /// How often something came of a plan, when the page was built.
    pub(crate) journal: u64,
}

impl PlanContext {
    pub(crate) fn of(site: &Site) -> Self {
        Self {
            containment: site.desk.containment().clone(),
            access: site.access.clone(),
            journal: site.desk.live().of_journal(),
        }
    }

    /// Every plan; none where they cannot be read, which the list of plans tells.
    pub(crate) fn plans(&self) -> Vec<Arc<PlanRecord>> {
        (self.containment.plans)().unwrap_or_default()
    }

    /// A form that sends its fields to an address.
    pub(crate) fn form(&self, path: &str, fields: &Markup) -> Markup {
        html! {
            form.sent action=(path) method="post" {
                input type="hidden" name="token" value=(self.access.form_token(path));
                (fields)
            }
        }
    }

    /// Where a plan stands, in one word.
    pub(crate) fn standing(
        &self,
        visit: &Visit<'_, '_>,
        of: (&PlanRecord, &Progress),
    ) -> &'static str {
        match self.containment.under_way(&of.0.digest) {
            Some(Errand::Apply) => "being-applied",
            Some(Errand::Undo) => "being-undone",
            Some(Errand::Verify | Errand::Look) | None => standing(visit, of),
        }
    }
}

/// Where a plan stands that nothing is being done with.
pub(crate) fn standing(
    visit: &Visit<'_, '_>,
    (record, progress): (&PlanRecord, &Progress),
) -> &'static str {
    let lives = |found: &Verification| found.outcome == Outcome::Lives;
    let holds = |found: &Verification| found.outcome == Outcome::Contained;
    let found = record.verification.as_ref();
    match progress.stage {
        Stage::Planned if visit.world.now() > record.plan.valid_until => "out-of-date",
        Stage::Planned => "planned",
        Stage::Begun => "stopped",
        Stage::Applied | Stage::Verified if found.is_some_and(lives) => "not-contained",
        Stage::Verified => "verified",
        Stage::Applied if found.is_some_and(holds) => "verified",
        Stage::Applied => "applied",
        Stage::Undoing => "partly-undone",
        Stage::Undone => "undone",
    }
}

impl Visit<'_, '_> {
    /// The address of the form for a plan about a node.
    pub(crate) fn plan_about(&self, node: u32) -> String {
        let query = self.query.instant();
        query
            .with("node", self.world.names.name(node))
            .link("/containment/new")
    }
}

/// Every plan, the newest first.
pub(crate) fn list(visit: &Visit<'_, '_>, context: &PlanContext) -> Reply {
    let mut all = match (context.containment.plans)() {
        Ok(all) => all,
        Err(why) => return visit.conflict(&why),
    };
    all.reverse();
    let (rows, pages) = visit.paged(&all);
    let head = html! {
        (column("Plan")) (column("For")) (column("State")) (column("Steps done")) (column("Level"))
        (column("Credentials")) (column("Made (UTC)")) (column("Last done (UTC)"))
    };
    let lines = html! { @for record in rows { (row(visit, context, record)) } };
    let body = html! {
        @if all.is_empty() {
            p { "No plan is known. Begin at an incident or a credential: “Plan how to end its lineage”." }
        } @else { (table(&counted(all.len(), "plan"), &head, &lines)) }
        (pager(visit.query, "/containment", pages))
        p { a href=(visit.link("/containment/new")) { "Make a plan" } }
    };
    visit.page("Containment", &body)
}

fn row(visit: &Visit<'_, '_>, context: &PlanContext, record: &PlanRecord) -> Markup {
    let plan = &record.plan;
    let progress = progress(plan, &record.receipts);
    let credentials = plan.subjects.iter().filter(|s| s.credential).count();
    html! {
        tr {
            th scope="row" { a href=(visit.link(&record.path())) { "Plan " (outside(&plan.id)) } }
            td { (log(&plan.pivot)) }
            td { (word(context.standing(visit, (record, &progress)))) }
            td.number { (progress.over()) " of " (plan.steps.len()) }
            td { (plan.settings.level.name()) }
            td.number { (credentials) }
            td { (time(plan.made_at)) }
            td { @if let Some(last) = record.receipts.last() { (time(last.at)) } @else { (nothing()) } }
        }
    }
}

/// Says where a plan stands.
pub(crate) type Standing<'s> = &'s dyn Fn(&PlanRecord, &Progress) -> &'static str;

/// Plans with who is in the lineage of each.
pub(crate) struct Met<'p>(Vec<(&'p PlanRecord, Progress, HashSet<&'p str>)>);

impl<'p> Met<'p> {
    pub(crate) fn of(plans: &'p [Arc<PlanRecord>]) -> Self {
        let each = plans.iter().map(|record| {
            let progress = progress(&record.plan, &record.receipts);
            (&**record, progress, record.members())
        });
        Self(each.collect())
    }

    /// What is known of the containment of an incident: where the plan stands whose lineage meets it; of several that
    /// which was begun last, or else was made last.
    pub(crate) fn told(
        &self,
        visit: &Visit<'_, '_>,
        standing: Standing<'_>,
        (incident, root): (&IncidentRow, u32),
    ) -> Markup {
        if self.0.is_empty() {
            return html! { "none" };
        }
        let names = names(visit, (incident, root));
        let meets =
            |members: &HashSet<&str>| names.iter().any(|name| members.contains(name.as_str()));
        let met = self.0.iter().filter(|(_, _, members)| meets(members));
        let last = met.max_by_key(|(record, progress, _)| {
            (progress.stage != Stage::Planned, record.plan.made_at)
        });
        html! {
            @if let Some((record, progress, _)) = last {
                a href=[visit.href(&record.path())] { (word(standing(record, progress))) }
            } @else { "none" }
        }
    }
}

/// What names an incident's root and the subjects of its findings: key ids, and principals of what has none.
fn names(visit: &Visit<'_, '_>, (incident, root): (&IncidentRow, u32)) -> HashSet<String> {
    let judged = visit.judged();
    let findings = judged.findings.findings.iter().zip(&judged.subjects);
    let own = findings.filter(|(finding, _)| finding.incident.as_ref() == Some(&incident.id));
    let nodes = own.map(|(_, node)| *node).chain([root]);
    let names = nodes.filter_map(|node| {
        let end = visit.report.end(node);
        end.access_key_id.or(end.principal_arn)
    });
    names.map(|name| name.raw().to_owned()).collect()
}
