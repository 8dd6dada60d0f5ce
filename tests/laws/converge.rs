//! Laws 1 and 2: what an apply without trouble comes to.
//!
//! Invariant: where a law has an exception, the exception is stated with the switch or rule it comes from.

use std::collections::{BTreeMap, BTreeSet};

use orgcharter::{
    address::{Address, Kind, Name, RemoteId},
    api::call::{Call, Part},
    apply::{Outcome, Report},
    config::document::Document,
    plan::{Cause, Plan, Step},
    resource::{Change, Disposition, Object, Role, Spec, Verb},
    sandbox::{Entry, KeyStatus, Sandbox, State, Switches, switches},
};

use crate::{
    common::{Session, load, lowered, runtime},
    coverage::Coverage,
    frame,
    generate::Case,
    run::{Verdict, ensure, law},
};

#[test]
fn law_1_after_an_apply_the_plan_is_empty_but_for_deferred_manual_and_held_steps() {
    let runtime = runtime();
    law("1 apply, then plan", |case, coverage| {
        for kind in Kind::ALL {
            coverage.want(done(kind));
        }
        runtime.block_on(converges(case, coverage))
    });
}

#[test]
fn law_2_what_the_files_do_not_name_is_unchanged() {
    let runtime = runtime();
    law("2 frame", |case, coverage| {
        for kind in Kind::ALL {
            coverage.want(done(kind));
        }
        runtime.block_on(async {
            let document = load(&case.sources)?.document;
            let sandbox = case.sandbox();
            let before = sandbox.state();
            let (_, report) = plan_and_apply(&sandbox, &document).await?;
            note_done(&report, coverage);
            frame::check(&case.files, &before, &sandbox.state())
        })
    });
}

fn done(kind: Kind) -> &'static str {
    match kind {
        Kind::Member => "a member's step done",
        Kind::Workspace => "a workspace's step done",
        Kind::WorkspaceMember => "a grant's step done",
        Kind::ApiKey => "a key's step done",
    }
}

fn note_done(report: &Report, coverage: &mut Coverage) {
    for step in report.steps.iter().filter(|step| step.outcome.is_done()) {
        coverage.meet(done(step.address.kind));
    }
}

/// Plans and applies as one command.
pub(crate) async fn plan_and_apply(
    sandbox: &Sandbox,
    document: &Document,
) -> Result<(Plan, Report), String> {
    let session = Session::new(sandbox);
    let (desired, _) = lowered(document, session.now);
    let (plan, _) = session.plan(&desired).await.map_err(|error| error.to_string())?;
    let report = session.apply(&plan).await;
    Ok((plan, report))
}

pub(crate) async fn plan_only(sandbox: &Sandbox, document: &Document) -> Result<Plan, String> {
    let session = Session::new(sandbox);
    let (desired, _) = lowered(document, session.now);
    Ok(session.plan(&desired).await.map_err(|error| error.to_string())?.0)
}

async fn converges(case: &Case, coverage: &mut Coverage) -> Verdict {
    let document = load(&case.sources)?.document;
    let sandbox = case.sandbox();
    let before = sandbox.state();
    let (first, report) = plan_and_apply(&sandbox, &document).await?;
    note_done(&report, coverage);
    every_write_was_planned(&sandbox, &[&first])?;
    let refused = judged(&first, &report, &before)?;
    no_key_dies_unannounced(&first, &before, &sandbox.state())?;

    let revealed = revealed_grants(&first, &report, before.switches);
    let second = plan_only(&sandbox, &document).await?;
    leftover(&first, &second, &refused, &revealed, &sandbox.state())?;
    if second.ready().all(|step| refused.contains(step)) {
        return Ok(());
    }

    // What the first apply brought to light is done by the second.
    let (second, report) = plan_and_apply(&sandbox, &document).await?;
    coverage.meet("a grant that was hidden");
    let mut refused = refused;
    refused.extend(judged(&second, &report, &before)?);
    let third = plan_only(&sandbox, &document).await?;
    leftover(&second, &third, &refused, &BTreeSet::new(), &sandbox.state())
}

/// Every ready step is done, but for those that the organization refuses by a rule no plan can know; gives those.
pub(crate) fn judged(plan: &Plan, report: &Report, state: &State) -> Result<Refused, String> {
    let ready: Vec<&Address> = plan.ready().map(|step| &step.address).collect();
    let reported: Vec<&Address> = report.steps.iter().map(|step| &step.address).collect();
    ensure!(ready == reported, "ready steps and outcomes differ: {ready:?}, {reported:?}");
    let mut refused = Refused::default();
    for step in &report.steps {
        if step.outcome.is_done() {
            continue;
        }
        let planned = &plan.steps[step.step];
        ensure!(
            excused(planned, &step.outcome, state, &refused),
            "{} was not done: {:?}",
            step.address,
            step.outcome
        );
        refused.insert(planned);
    }
    Ok(refused)
}

/// Whether a rule of the organization that the Admin API does not tell explains that a step was not done.
fn excused(step: &Step, outcome: &Outcome, state: &State, refused: &Refused) -> bool {
    let switches = &state.switches;
    let references = step.change.object().spec.resource().references();
    let blocked = references.iter().any(|reference| refused.addresses.contains(reference));
    if blocked && matches!(outcome, Outcome::Skipped { .. }) {
        return true;
    }
    match (&step.change.object().spec, step.change.verb()) {
        // Whether the API takes the grant of a billing member away is not known (core.md §5.30).
        (Spec::WorkspaceMember(_), Verb::Remove)
            if switches.billing_removal == switches::BillingRemoval::Refused
                && matches!(outcome, Outcome::Manual { .. }) =>
        {
            true
        }
        // Whether the API takes a grant for a billing member, and shows one that is there, is not known (core.md §3.5): what it
        // refuses is left to a person.
        (Spec::WorkspaceMember(_), Verb::Create)
            if switches.billing_grants != switches::BillingGrants::Listed
                && matches!(outcome, Outcome::Manual { .. }) =>
        {
            true
        }
        // What somebody inherits stays while their role does (core.md §3.5): then so does what is beside it.
        (Spec::WorkspaceMember(_), Verb::Remove) if blocked => true,
        // core.md §5.12: an identity provider rules people, and no call tells before.
        (Spec::Member(_), _)
            if switches.identity_provider == switches::IdentityProvider::Manages =>
        {
            true
        }
        (Spec::Member(_), Verb::Create | Verb::Replace) => match outcome {
            // product.md: `already_member` for a variant of the address is by hand.
            Outcome::Manual { .. } => {
                switches.address_matching == switches::AddressMatching::Variants
            }
            // core.md §5.14: an expired invite may still count as open for a while.
            Outcome::Waiting { .. } => switches.invite_expiry == switches::InviteExpiry::LagsAnHour,
            Outcome::Failed { .. } | Outcome::Skipped { .. } => state.limits.seats.is_some(),
            _ => false,
        },
        // core.md §3.2: the last member stays.
        (Spec::Member(_), Verb::Remove) => {
            matches!(outcome, Outcome::Failed { failure }
                if failure.code.as_deref() == Some("cannot_remove_last_member"))
        }
        // core.md §3.4: names may have to be unique, or short, and workspaces few.
        (Spec::Workspace(workspace), _) => {
            let long = workspace.name.chars().count() > 40
                && switches.workspace_name_limit == switches::WorkspaceNameLimit::Older;
            let taken = switches.workspace_names != switches::WorkspaceNames::MayRepeat
                && (step.change.verb() == Verb::Create || step.change.field("name").is_some());
            let full = step.change.verb() == Verb::Create && state.limits.workspaces < 100;
            matches!(outcome, Outcome::Failed { .. } | Outcome::Skipped { .. })
                && (long || taken || full)
        }
        // A grant that was hidden while its person inherited access: the next run sees it.
        (Spec::WorkspaceMember(_), Verb::Create) => matches!(outcome, Outcome::Skipped { .. }),
        _ => false,
    }
}

/// People whose grants come to light, or are hidden, with the role that the first apply gave them: listings may leave
/// out what somebody holds beside inherited access (core.md §3.5, §5.33).
pub(crate) fn revealed_grants(
    plan: &Plan,
    report: &Report,
    switches: Switches,
) -> BTreeSet<Address> {
    // An admin's role is neither given nor taken by a call.
    let hidden = |object: &Object| {
        switches.billing_grants != switches::BillingGrants::Listed
            && matches!(&object.spec, Spec::Member(member) if member.role == Some(Role::Billing))
    };
    let done = report.steps.iter().filter(|step| step.outcome.is_done());
    done.filter(|step| match &plan.steps[step.step].change {
        Change::Update { before, after, .. } => hidden(before) || hidden(after),
        _ => false,
    })
    .map(|step| step.address.clone())
    .collect()
}

/// What a second plan still has was in the first one, and is no more ready than it was.
pub(crate) fn leftover(
    first: &Plan,
    second: &Plan,
    refused: &Refused,
    revealed: &BTreeSet<Address>,
    after: &State,
) -> Verdict {
    let before: BTreeMap<&Address, &Step> =
        first.steps.iter().map(|step| (&step.address, step)).collect();
    let dying: BTreeSet<&str> =
        first.keys.iter().filter(|key| key.dies).map(|key| key.id.as_str()).collect();
    for step in &second.steps {
        if refused.contains(step) {
            continue;
        }
        let person = Address::member(step.address.name.clone());
        if step.address.kind == Kind::WorkspaceMember && revealed.contains(&person) {
            continue;
        }
        let remote = remote_of(step);
        let died = remote.is_some_and(|id| dying.contains(id.as_str()))
            || first.keys.iter().any(|key| key.dies && key.address == step.address);
        if step.address.kind == Kind::ApiKey && died && !step.disposition.is_ready() {
            continue;
        }
        // A grant that was sent to a billing member cannot be seen, and is left to a person from then on.
        let hidden = step.change.verb() == Verb::Create && step.is_grant_of_billing();
        if hidden && matches!(step.disposition, Disposition::Manual { .. }) {
            continue;
        }
        // One of two people with one address is called by id, and by the address once the other has gone.
        let earlier = before.get(&step.address).copied().or_else(|| {
            first.steps.iter().find(|earlier| remote.is_some() && remote_of(earlier) == remote)
        });
        let Some(earlier) = earlier else {
            return Err(format!("a step came up after the apply: {step:?}"));
        };
        if let Disposition::Manual { why } = &earlier.disposition
            && frees_its_name(step, why, after)
        {
            continue;
        }
        if matches!(earlier.disposition, Disposition::Held { .. })
            && was_like_one_who_left(first, step)
        {
            continue;
        }
        // Others are shown by now, so one that is not shown is not there.
        if hidden && matches!(earlier.disposition, Disposition::Manual { .. }) {
            continue;
        }
        ensure!(
            !step.disposition.is_ready(),
            "the plan is not empty after the apply: {step:?}\nit was {earlier:?}"
        );
        let waits = references_wait(step, second);
        ensure!(
            std::mem::discriminant(&earlier.disposition)
                == std::mem::discriminant(&step.disposition)
                || waits,
            "{} was {:?} and is {:?}",
            step.address,
            earlier.disposition,
            step.disposition
        );
    }
    Ok(())
}

/// Of several keys of one name, all but one died with the first apply: the name has come to mean the one that is left.
/// Keys that were off died too, without a word, since nothing stopped working.
fn frees_its_name(step: &Step, why: &str, after: &State) -> bool {
    let lives = |id: &&str| {
        let key = after.api_key(id);
        key.is_some_and(|key| key.status_at(after.now()) != KeyStatus::Archived)
    };
    let several = why
        .strip_prefix("several keys here are named")
        .and_then(|rest| rest.rsplit_once("list them by id ("));
    let Some((_, ids)) = several else { return false };
    let ids: Vec<&str> = ids.split('`').filter(|part| part.starts_with("apikey_")).collect();
    step.address.kind == Kind::ApiKey
        && matches!(step.address.name, Name::Label(_))
        && ids.len() > 1
        && ids.iter().filter(|id| lives(id)).count() < 2
}

/// docs/how-it-works.md: an invite is held beside a removal that it resembles. A date or a `none` ends access whatever it
/// resembles, so its removal is done, and the next plan has nothing that the invite could be mistaken for.
fn was_like_one_who_left(first: &Plan, step: &Step) -> bool {
    let like = |step: &Step| step.change.object().spec.resource().likeness();
    step.address.kind == Kind::Member
        && step.change.verb() == Verb::Create
        && like(step).is_some()
        && first.ready().any(|gone| {
            gone.address.kind == Kind::Member
                && gone.change.verb() == Verb::Remove
                && matches!(gone.cause, Cause::Expired | Cause::None)
                && like(gone) == like(step)
        })
}

/// Steps that the organization refused: by address, and by id, since an address may be another one the next time.
#[derive(Default)]
pub(crate) struct Refused {
    addresses: BTreeSet<Address>,
    ids: BTreeSet<RemoteId>,
}

impl Refused {
    pub(crate) fn insert(&mut self, step: &Step) {
        self.addresses.insert(step.address.clone());
        self.ids.extend(remote_of(step).cloned());
    }

    pub(crate) fn contains(&self, step: &Step) -> bool {
        self.addresses.contains(&step.address)
            || remote_of(step).is_some_and(|id| self.ids.contains(id))
    }

    pub(crate) fn extend(&mut self, other: Refused) {
        self.addresses.extend(other.addresses);
        self.ids.extend(other.ids);
    }
}

fn remote_of(step: &Step) -> Option<&RemoteId> {
    step.change.before()?.remote.as_ref().map(|remote| &remote.id)
}

/// A grant whose person or workspace was to come with the same plan, and did not.
fn references_wait(step: &Step, plan: &Plan) -> bool {
    let references = step.change.object().spec.resource().references();
    matches!(step.disposition, Disposition::Deferred { .. })
        && references
            .iter()
            .any(|reference| plan.steps.iter().any(|step| step.address == *reference))
}

/// A key that stops working by another step stands in the plan as dying (product.md: the plan lists the keys that
/// die).
fn no_key_dies_unannounced(plan: &Plan, before: &State, after: &State) -> Verdict {
    let now = before.now();
    for key in before.api_keys() {
        let is = after.api_key(&key.id).map(|key| key.status_at(now));
        let died = key.status_at(now) == KeyStatus::Active && is == Some(KeyStatus::Archived);
        let asked = plan.ready().any(|step| {
            step.change
                .before()
                .and_then(|o| o.remote.as_ref())
                .is_some_and(|r| r.id.as_str() == key.id)
        });
        let told = plan.keys.iter().any(|fate| fate.dies && fate.id.as_str() == key.id);
        ensure!(!died || asked || told, "{key:?} died, and the plan did not say so");
    }
    for fate in plan.keys.iter().filter(|fate| !fate.dies) {
        let lives = after
            .api_key(fate.id.as_str())
            .is_some_and(|key| key.status_at(now) != KeyStatus::Archived);
        let asked = plan.ready().any(|step| step.address == fate.address);
        ensure!(lives || asked, "{fate:?} was to live on");
    }
    Ok(())
}

/// No request changed anything but by a call that stands in one of the plans.
pub(crate) fn every_write_was_planned(sandbox: &Sandbox, plans: &[&Plan]) -> Verdict {
    let log = sandbox.log();
    for entry in log.writes() {
        let planned = plans
            .iter()
            .flat_map(|plan| plan.ready())
            .flat_map(|step| &step.calls)
            .any(|call| is(call, entry));
        ensure!(planned, "no plan has this write: {}", entry.call());
    }
    Ok(())
}

/// Whether a request is a call, whatever the ids that the call left open.
fn is(call: &Call, entry: &Entry) -> bool {
    let path = entry.target.strip_prefix("/v1/organizations/").unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    let part = |part: &Part, value: &str| match part {
        Part::Text(text) => {
            text.as_str().is_some_and(|text| orgcharter::api::call::encode_segment(text) == value)
        }
        Part::IdOf(_) => true,
    };
    let body = match (&call.body, &entry.body) {
        (None, None) => true,
        (Some(fields), Some(serde_json::Value::Object(sent))) => {
            fields.len() == sent.len()
                && fields.iter().all(|(key, part)| match (part, sent.get(key)) {
                    (Part::Text(value), Some(sent)) => value == sent,
                    (Part::IdOf(_), Some(sent)) => sent.is_string(),
                    (_, None) => false,
                })
        }
        _ => false,
    };
    call.method == entry.method
        && call.path.len() == segments.len()
        && call.path.iter().zip(segments).all(|(own, sent)| part(own, sent))
        && body
}
