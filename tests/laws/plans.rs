//! Laws 4, 6 and 9: what plans are made of.
//!
//! Invariant: nothing here writes to the organization but the edits that a person makes in the Console.

use orgcharter::{
    address::Kind,
    api::call::Call,
    config::outline::read_scope,
    plan::{self, Plan, Step, stale},
    resource::{Live, Verb, read_scope::GrantScope},
    sandbox::{Sandbox, State, Switches, switches},
};

use crate::{
    common::{Session, load, lowered, make, runtime},
    disturb::disturb,
    generate::{Case, tape::Tape},
    run::{ensure, law},
};

#[test]
fn generated_files_are_always_valid() {
    law("0 valid files", |case, _| load(&case.sources).map(|_| ()));
}

#[test]
fn what_is_read_does_not_depend_on_the_entries_of_long_lists() {
    law("0 read scope", |case, coverage| {
        coverage.want("grants to read");
        coverage.want("keys to read");
        let document = load(&case.sources)?.document;
        let (desired, _) = lowered(&document, case.sandbox().now());
        let (early, late) = (read_scope(&document), desired.read_scope());
        ensure!(early == late, "{early:?} is to be read, and then {late:?}");
        if matches!(late.grants, GrantScope::Of(_)) {
            coverage.meet("grants to read");
        }
        if late.api_keys {
            coverage.meet("keys to read");
        }
        Ok(())
    });
}

#[test]
fn law_4_references_point_to_smaller_kinds() {
    let runtime = runtime();
    law("4 references", |case, coverage| {
        coverage.want("a grant's references");
        coverage.want("a key's reference");
        let planned = Planned::of(case, &runtime)?;
        let Planned { desired, live, plan, .. } = &planned;
        let bound = plan::bind::bind(desired, live);
        let adopted = plan::adopt::adopt(desired, live, &bound);
        let listed = live.objects.iter().map(|(address, object)| (address, object));
        let steps = plan.steps.iter().map(|step| (&step.address, step.change.object()));
        let all = listed
            .chain(desired.objects.iter())
            .chain(bound.live.iter())
            .chain(adopted.after.iter())
            .chain(steps);
        for (address, object) in all {
            for reference in object.spec.resource().references() {
                ensure!(
                    reference.kind < address.kind,
                    "{address} refers to {reference}, which is not of a smaller kind"
                );
                match address.kind {
                    Kind::WorkspaceMember => coverage.meet("a grant's references"),
                    Kind::ApiKey => coverage.meet("a key's reference"),
                    Kind::Member | Kind::Workspace => {}
                }
            }
        }
        for step in plan.ready() {
            for reference in step.calls.iter().flat_map(Call::references) {
                let makes =
                    |other: &&Step| other.address == *reference && other.disposition.is_ready();
                let maker = plan.steps.iter().find(makes);
                ensure!(
                    maker.is_some_and(|maker| maker.stage < step.stage),
                    "{} needs the id of {reference}, which no earlier step makes",
                    step.address
                );
            }
        }
        Ok(())
    });
}

#[test]
fn law_6_a_plan_survives_json_and_is_stale_only_when_a_fact_it_rests_on_has_changed() {
    let runtime = runtime();
    law("6 plan, JSON, plan", |case, coverage| {
        for verb in ["create", "update", "replace", "remove"] {
            for kind in Kind::ALL {
                if possible(kind, verb) {
                    coverage.want(met(kind, verb));
                }
            }
        }
        let Planned { plan, sandbox, desired, .. } = Planned::of(case, &runtime)?;
        let text = serde_json::to_string(&plan).map_err(|error| error.to_string())?;
        let read: Plan = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        ensure!(read == plan, "another plan comes back from JSON: {text}");
        let again = serde_json::to_string(&read).map_err(|error| error.to_string())?;
        ensure!(again == text, "the same plan is written differently: {text}\n{again}");
        ensure!(
            stale::foreign_calls(&read).is_empty(),
            "calls are not rebuilt: {:?}",
            stale::foreign_calls(&read).iter().map(|step| &step.address).collect::<Vec<_>>()
        );

        let look = |sandbox: &Sandbox| -> Result<Vec<String>, String> {
            let session = Session::new(sandbox);
            let scope = stale::read_scope(&read);
            let live = runtime
                .block_on(session.read(&scope, desired.organization.kind))
                .map_err(|error| error.to_string())?;
            let found = stale::stale_facts(&read, &live);
            Ok(found.into_iter().map(|found| found.message).collect())
        };
        let stale = look(&sandbox)?;
        ensure!(stale.is_empty(), "a plan is stale at once: {stale:?}");

        let elsewhere = Sandbox::new(sandbox.state());
        elsewhere.with(edit_something_else);
        let stale = look(&elsewhere)?;
        ensure!(stale.is_empty(), "edits that no step rests on make it stale: {stale:?}");

        // Every ready step is disturbed in turn, as somebody in the Console would.
        for step in plan.ready() {
            let disturbed = Sandbox::new(sandbox.state());
            let Some(names) = disturbed.with(|state| disturb(state, step, &mut case.later()))
            else {
                continue;
            };
            coverage.meet(met(step.address.kind, verb_word(step.change.verb())));
            let stale = look(&disturbed)?;
            ensure!(
                stale.iter().any(|message| names.iter().any(|name| message.contains(name))),
                "{} ({:?}) was disturbed, and none of {names:?} is named as stale: {stale:?}",
                step.address,
                step.change.verb()
            );
        }

        let mut tampered = read.clone();
        if let Some(step) = tampered.steps.iter_mut().find(|step| step.disposition.is_ready()) {
            step.calls.pop();
            let foreign = stale::foreign_calls(&tampered);
            ensure!(foreign.len() == 1, "a call that was taken out is not noticed");
        }
        Ok(())
    });
}

#[test]
fn law_9_the_same_inputs_give_the_same_bytes() {
    let runtime = runtime();
    law("9 same bytes", |case, coverage| {
        coverage.want("another order of live objects");
        let Planned { plan, live, desired, sandbox, .. } = Planned::of(case, &runtime)?;
        let bytes = json(&plan);
        let twice = Planned::of(case, &runtime)?;
        ensure!(json(&twice.plan) == bytes, "a second run plans differently");

        // What an API says in another way is the same organization.
        let other = Sandbox::new(sandbox.state());
        other.with(|state| {
            state.switches = Switches {
                list_order: match state.switches.list_order {
                    switches::ListOrder::NewestFirst => switches::ListOrder::OldestFirst,
                    switches::ListOrder::OldestFirst => switches::ListOrder::NewestFirst,
                },
                page_size: switches::PageSize::Short,
                has_more: switches::HasMore::Absent,
                unknown_fields: switches::UnknownFields::Present,
                principal_shape: switches::PrincipalShape::Plain,
                key_workspace_id: switches::KeyWorkspaceId::Never,
                invite_groups: switches::InviteGroups::Absent,
                ..state.switches
            };
        });
        let session = Session::new(&other);
        let (again, _) =
            runtime.block_on(session.plan(&desired)).map_err(|error| error.to_string())?;
        ensure!(
            json(&again) == bytes,
            "another listing order plans differently:\n{}\n{bytes}",
            json(&again)
        );

        let mut shuffled = live.clone();
        shuffle(&mut case.later(), &mut shuffled);
        if shuffled.objects.iter().map(|(a, _)| a).ne(live.objects.iter().map(|(a, _)| a)) {
            coverage.meet("another order of live objects");
        }
        let again = make(&desired, &shuffled, sandbox.now(), &[]);
        ensure!(
            json(&again) == bytes,
            "another order of objects plans differently:\n{}\n{bytes}",
            json(&again)
        );
        Ok(())
    });
}

/// A case up to its plan.
struct Planned {
    sandbox: Sandbox,
    desired: orgcharter::resource::Desired,
    live: Live,
    plan: Plan,
}

impl Planned {
    fn of(case: &Case, runtime: &tokio::runtime::Runtime) -> Result<Self, String> {
        let sandbox = case.sandbox();
        let session = Session::new(&sandbox);
        let (desired, _) = lowered(&load(&case.sources)?.document, session.now);
        let (plan, live) =
            runtime.block_on(session.plan(&desired)).map_err(|error| error.to_string())?;
        Ok(Self { sandbox, desired, live, plan })
    }
}

fn json(plan: &Plan) -> String {
    serde_json::to_string(plan).expect("a plan is JSON")
}

fn shuffle(tape: &mut Tape<'_>, live: &mut Live) {
    let count = live.objects.len();
    for at in (1..count).rev() {
        let with = usize::from(tape.byte()) % (at + 1);
        live.objects.swap(at, with);
    }
    live.archived.reverse();
    live.objects.rotate_left(count / 2);
}

fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Replace => "replace",
        Verb::Remove => "remove",
    }
}

/// Whether there are ready steps of this sort at all.
fn possible(kind: Kind, verb: &str) -> bool {
    match kind {
        Kind::Member => true,
        Kind::Workspace | Kind::WorkspaceMember => verb != "replace",
        Kind::ApiKey => verb == "update",
    }
}

fn met(kind: Kind, verb: &'static str) -> &'static str {
    match (kind, verb) {
        (Kind::Member, "create") => "an invite disturbed",
        (Kind::Member, "update") => "a role change disturbed",
        (Kind::Member, "replace") => "a replaced invite disturbed",
        (Kind::Member, _) => "a removal of a member disturbed",
        (Kind::Workspace, "create") => "a new workspace disturbed",
        (Kind::Workspace, "update") => "a change of a workspace disturbed",
        (Kind::Workspace, _) => "an archive disturbed",
        (Kind::WorkspaceMember, "create") => "a new grant disturbed",
        (Kind::WorkspaceMember, "update") => "a change of a grant disturbed",
        (Kind::WorkspaceMember, _) => "a removal of a grant disturbed",
        (Kind::ApiKey, _) => "a change of a key disturbed",
    }
}

/// Edits that nothing can rest on.
fn edit_something_else(state: &mut State) {
    state.add_user("newcomer@else.example", "developer");
    state.add_invite("another@else.example", "user");
    let id = state.add_workspace("made in the Console");
    state.set_grant(&id, "newcomer@else.example", "workspace_admin");
    state.add_api_key("made in the Console", Some(&id));
}
