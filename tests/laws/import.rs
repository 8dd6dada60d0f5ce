//! Laws 7 and 8: what is imported plans to nothing, and documents survive being written, read, lowered and raised.
//!
//! Invariant: compares documents by what they say; places in files do not count.

use std::sync::Arc;

use orgcharter::{
    address::{Address, Kind, Name, RemoteId},
    config::{document::Document, raise::raise, write::write},
    email::Email,
    plan::{Step, adopt::adopt, bind::bind, compare::compare},
    resource::{
        Live, Object, OrgKind, Snapshot, Spec,
        read_scope::{GrantScope, ReadScope},
    },
    sandbox::{self, InviteStatus, KeyStatus, Sandbox, State, Workspace},
};

use crate::{
    common::{Session, load, lowered, make, runtime},
    generate::{CLAUDE_CODE, Case, DEFAULT},
    model::{
        files::{Kind as OrganizationKind, Layout},
        yaml,
    },
    run::{Verdict, ensure, law},
};

#[test]
fn law_7_what_was_imported_plans_to_nothing() {
    let runtime = runtime();
    law("7 import, then plan", |case, coverage| {
        coverage.want("somebody who cannot be written");
        coverage.want("an edit after the import");
        let sandbox = case.sandbox();
        let (document, findings) = runtime.block_on(import(&sandbox, case))?;
        if !findings.is_empty() {
            coverage.meet("somebody who cannot be written");
        }
        let left_out: String = findings.iter().map(|found| found.message.as_str()).collect();
        nothing_is_missing(&document, &sandbox.state(), &left_out)?;
        let text = write(&document);
        let session = Session::new(&sandbox);
        let loaded = load(&[("charter.yaml", &text)])
            .map_err(|why| format!("what was imported does not load: {why}\n{text}"))?;
        let (desired, notes) = lowered(&loaded.document, session.now);
        let (plan, _) =
            runtime.block_on(session.plan(&desired)).map_err(|error| error.to_string())?;
        ensure!(plan.steps.is_empty(), "what was imported has steps: {:#?}\n{text}", plan.steps);
        ensure!(plan.breaches().next().is_none(), "what was imported breaks a guard\n{text}");
        ensure!(notes.is_empty(), "what was imported needs a word: {notes:?}\n{text}");

        // And it is the whole organization that is managed now: whatever changes is noticed.
        let Some(edited) = sandbox.with(edit_something) else { return Ok(()) };
        let (plan, _) = runtime
            .block_on(Session::new(&sandbox).plan(&desired))
            .map_err(|error| error.to_string())?;
        coverage.meet("an edit after the import");
        let about = |step: &&Step| {
            let remote = step.change.before().and_then(|before| before.remote.as_ref());
            remote.is_some_and(|remote| remote.id.as_str() == edited)
        };
        let seen = plan.steps.iter().any(|step| about(&step));
        ensure!(seen || left_out.contains("person"), "an edit of {edited} goes unnoticed\n{text}");
        Ok(())
    });
}

/// Whoever and whatever is live stands in the document, but for what a finding names and what is the product's.
fn nothing_is_missing(document: &Document, state: &State, left_out: &str) -> Verdict {
    let now = state.now();
    let member = |email: &str| {
        let email = Email::lenient(email);
        let listed = document.members.as_ref().is_some_and(|section| section.contains_key(&email));
        listed || left_out.contains("the person")
    };
    for user in state.users() {
        ensure!(member(&user.email), "{user:?} is missing");
    }
    for invite in state.invites() {
        let open =
            invite.expires_at > now && invite.status(now, &state.switches) == InviteStatus::Pending;
        ensure!(!open || member(&invite.email), "{invite:?} is missing");
    }
    let entries = || document.workspaces.iter().flat_map(|section| &section.entries);
    for row in state.workspaces() {
        let hidden = row.is_default
            && state.switches.default_listing == sandbox::switches::DefaultListing::Never;
        if row.archived_at.is_some() || row.name == CLAUDE_CODE || hidden {
            continue;
        }
        let named = entries().any(|(label, entry)| **entry.name(label) == *row.name);
        ensure!(named || left_out.contains(&row.id), "{row:?} is missing");
    }
    let lists =
        || entries().filter_map(|(_, entry)| entry.api_keys.as_ref()).chain(&document.api_keys);
    for key in state.api_keys() {
        let home = key.workspace_id.as_ref().and_then(|id| state.workspace(id));
        let managed = home.is_none_or(|home| {
            home.archived_at.is_none() && home.name != CLAUDE_CODE && !left_out.contains(&home.id)
        });
        let works = matches!(key.status_at(now), KeyStatus::Active | KeyStatus::Inactive);
        let listed = lists().any(|list| list.contains_key(key.id.as_str()));
        ensure!(!managed || !works || listed, "{key:?} is missing");
    }
    Ok(())
}

/// Changes somebody's role, a colour, or a key; gives the id.
fn edit_something(state: &mut State) -> Option<String> {
    let role = |role: &str| matches!(role, "user" | "developer" | "claude_code_user");
    let changeable = state.users().find(|user| role(&user.role)).map(|user| user.id.clone());
    if let Some(id) = changeable {
        state.set_role(&id, "billing");
        return Some(id);
    }
    let own = |row: &&Workspace| {
        row.archived_at.is_none() && row.name != CLAUDE_CODE && row.name != DEFAULT
    };
    let id = state.workspaces().find(own).map(|row| row.id.clone())?;
    state.edit_workspace(&id, |row| "#123456".clone_into(&mut row.display_color));
    Some(id)
}

#[test]
fn law_8_raising_what_was_lowered_gives_the_same_document() {
    let runtime = runtime();
    law("8 raise, lower", |case, _| {
        let sandbox = case.sandbox();
        runtime.block_on(raised_and_lowered(&sandbox, case))?;

        // Any document survives being written and read, in whatever layout its files came.
        let document = load(&case.sources)?.document;
        written_and_read(&document)?;
        for layout in [Layout::OneFile, Layout::Folder, Layout::Torn] {
            let files = crate::model::files::Files { layout, ..case.files.clone() };
            let again = load(&yaml::write(&files))?.document;
            ensure!(again == document, "{layout:?} is another document: {again:#?}\n{document:#?}");
        }

        // Lowering the same document twice changes nothing for anybody.
        let (desired, _) = lowered(&document, sandbox.now());
        let same = compare(&desired, &desired);
        ensure!(same.changes.is_empty(), "a document differs from itself: {:#?}", same.changes);
        ensure!(same.access.is_empty(), "a document differs from itself: {:#?}", same.access);
        Ok(())
    });
}

/// Reads the whole organization and writes it down.
pub(crate) async fn import(
    sandbox: &Sandbox,
    case: &Case,
) -> Result<(Document, Vec<orgcharter::diagnostic::Diagnostic>), String> {
    let live = everything(sandbox, case).await?;
    Ok(raise(&live, kind(case)))
}

/// Everything that there is in an organization of its kind.
pub(crate) async fn everything(sandbox: &Sandbox, case: &Case) -> Result<Live, String> {
    let kind = kind(case);
    let all = ReadScope::everything();
    let scope = match kind {
        OrgKind::Console => all,
        OrgKind::Enterprise => ReadScope {
            members: true,
            workspaces: false,
            default_workspace: false,
            grants: GrantScope::None,
            api_keys: false,
        },
        OrgKind::Aws => {
            ReadScope { members: false, grants: GrantScope::None, api_keys: false, ..all }
        }
    };
    Session::new(sandbox).read(&scope, kind).await.map_err(|error| error.to_string())
}

fn kind(case: &Case) -> OrgKind {
    match case.files.kind {
        OrganizationKind::Console => OrgKind::Console,
        OrganizationKind::Enterprise => OrgKind::Enterprise,
        OrganizationKind::Aws => OrgKind::Aws,
    }
}

fn written_and_read(document: &Document) -> Verdict {
    let text = write(document);
    let again = load(&[("charter.yaml", &text)])?.document;
    ensure!(again == *document, "another document comes back: {again:#?}\n{document:#?}\n{text}");
    let twice = write(&again);
    ensure!(twice == text, "it is written differently the second time:\n{twice}\n{text}");
    Ok(())
}

async fn raised_and_lowered(sandbox: &Sandbox, case: &Case) -> Verdict {
    let live = everything(sandbox, case).await?;
    let (document, _) = raise(&live, kind(case));
    written_and_read(&document)?;
    let (desired, _) = lowered(&document, sandbox.now());
    let bound = bind(&desired, &live);
    let after = adopt(&desired, &live, &bound).after;
    let wanted = as_listed(&after, &bound.live, &live);
    let (again, _) = raise(&wanted, kind(case));
    ensure!(again == document, "raise after lower is another document: {again:#?}\n{document:#?}");
    let (desired_again, _) = lowered(&again, sandbox.now());
    let (one, other) = (
        make(&desired, &live, sandbox.now(), &[]).steps,
        make(&desired_again, &wanted, sandbox.now(), &[]).steps,
    );
    ensure!(one.is_empty() && other.is_empty(), "steps: {one:#?}\n{other:#?}");
    Ok(())
}

/// What is wanted, as if it had been read: by ids, in the order of the listing.
fn as_listed(after: &Snapshot, bound: &Snapshot, live: &Live) -> Live {
    let id_of = |address: &Address| -> Option<RemoteId> {
        Some(bound.get(address)?.remote.as_ref()?.id.clone())
    };
    let name_of = |kind: Kind, name: &Name| -> Name {
        let address = match kind {
            Kind::Workspace => Address::workspace(name.clone()),
            _ => Address::member(name.clone()),
        };
        id_of(&address).map_or_else(|| name.clone(), |id| Name::id(&id))
    };
    let objects = after.iter().map(|(address, object)| {
        let mut object = Object::clone(object);
        object.remote = bound.get(address).and_then(|object| object.remote.clone());
        object.source = None;
        object.spec.resource_mut().rebind(&name_of);
        let id = object.remote.as_ref().map(|remote| remote.id.clone());
        let address = match (&object.spec, id) {
            (Spec::Member(_), Some(id)) => Address::member(Name::id(&id)),
            (Spec::Workspace(_), Some(id)) => Address::workspace(Name::id(&id)),
            (Spec::ApiKey(_), Some(id)) => Address::api_key(&id),
            (Spec::WorkspaceMember(grant), _) => {
                Address::workspace_member(grant.workspace.clone(), grant.member.clone())
            }
            (_, None) => address.clone(),
        };
        (address, Arc::new(object))
    });
    Live { objects: objects.collect(), ..live.clone() }
}
