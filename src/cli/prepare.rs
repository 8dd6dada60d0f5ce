//! What the commands share: files to wishes, wishes and a connection to a plan.
//!
//! Invariant: the organization's id is compared before anything else of it is read.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    args::Narrow,
    connect::Connection,
    failure::Failure,
    held::Held,
    pulse::{Doing, watched},
    revision::{also_of_base, environment},
    skew,
    ui::Ui,
};
use crate::{
    address::{Address, Kind, Name},
    beside::Beside,
    config::{
        document::Document,
        load::{Loaded, Side, load_for},
        lower::lower,
        outline::read_scope,
        raise::infer_kind,
    },
    diagnostic::{Diagnostic, Sources},
    observe::{self, ObserveError, OrganizationInfo, observe},
    plan::{
        self, Input, Only, Plan,
        attribution::{Past, hold_against},
        hidden,
    },
    policy,
    resource::{
        Desired, Live, Object, OrgKind, Spec,
        api_key::Reach,
        desired::{GuardName, OrganizationPin},
        read_scope::ReadScope,
        snapshot::Coverage,
    },
    threads::discard,
};

/// Files that were read and checked.
pub(super) struct Files {
    document: Document,
    /// Their text.
    pub(super) sources: Sources,
    warnings: Vec<Diagnostic>,
}

impl Files {
    /// Reads a file or a folder.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(Self::from(load_for(path, Side::Own, &environment())?))
    }

    /// Reads a file or a folder that others are held against.
    pub(super) fn read_base(path: &Path) -> Result<Self, Failure> {
        Ok(Self::from(load_for(path, Side::Base, &environment())?))
    }

    /// What they say.
    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    /// What was found in them, none of it an error.
    pub(super) fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The organization they are for.
    pub(super) fn organization(&self) -> OrganizationPin {
        let organization = &self.document.organization;
        OrganizationPin {
            id: organization.id.as_ref().map(|id| id.value.clone()),
            kind: organization.kind.value,
            span: organization.id.as_ref().and_then(|id| id.span.clone()),
        }
    }

    /// What they want at a time, and all that is to be said about them.
    pub(super) fn wishes(&self, now: Timestamp) -> Wishes<'_> {
        let (desired, notes) = lower(&self.document, day(now));
        let notes = self.warnings.iter().cloned().chain(notes).collect();
        let past = Past::default();
        Wishes { document: &self.document, desired, notes, past, rules: Vec::new() }
    }
}

/// What the files want at a time.
pub(super) struct Wishes<'f> {
    /// The files.
    pub(super) document: &'f Document,
    /// What they want.
    pub(super) desired: Desired,
    /// Findings to show with a plan.
    pub(super) notes: Vec<Diagnostic>,
    /// The files as they were, if the plan is to be held against them.
    pub(super) past: Past<'f>,
    /// The files under the rules of each of those, by its name.
    pub(super) rules: Vec<(String, Document)>,
}

impl From<Loaded> for Files {
    fn from(loaded: Loaded) -> Self {
        let Loaded { document, sources, warnings } = loaded;
        Self { document, sources, warnings }
    }
}

/// The day of a time, UTC.
pub(super) fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

/// What a plan is made from, besides what is live.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'f> {
    /// The files.
    pub(super) files: &'f Files,
    /// What they are held against.
    pub(super) held: &'f Held,
    /// The time that they are for.
    pub(super) now: Timestamp,
}

impl<'f> Wanted<'f> {
    fn wishes(self) -> Wishes<'f> {
        let Self { files, held, now } = self;
        held.wishes(files, now)
    }

    /// What has to be read.
    fn scope(self) -> ReadScope {
        let document = self.files.document();
        let kind = document.organization.kind.value;
        let mut scope = read_scope(document);
        policy::widen(document, &mut scope, kind);
        for files in self.held.files() {
            policy::widen(files.document(), &mut scope, kind);
        }
        scope
    }
}

/// Who a plan is for and what narrows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    /// Which steps.
    pub(super) only: Vec<Only>,
    /// Guards that may be passed.
    pub(super) allow: BTreeMap<GuardName, u64>,
    /// It is planned once more after a run: what is sent only once was sent.
    pub(super) after_a_run: bool,
}

impl From<&Narrow> for Choices {
    fn from(narrow: &Narrow) -> Self {
        let Narrow { only, allow } = narrow;
        Self { only: only.clone(), allow: allow.iter().copied().collect(), after_a_run: false }
    }
}

/// Asks whose credential it is, and refuses any organization but the one of the files.
pub(super) async fn identified(
    connection: &Connection,
    pin: &OrganizationPin,
) -> Result<OrganizationInfo, Failure> {
    let info = observe::identify(connection.me().await, &connection.client.reader(), pin.kind)?;
    match &pin.id {
        Some(id) if *id != info.id => Err(wrong_organization(id, &info, pin)),
        _ => Ok(info),
    }
}

fn wrong_organization(id: &str, info: &OrganizationInfo, pin: &OrganizationPin) -> Failure {
    let name = info.name.as_ref().map(|name| format!(" (`{name}`)")).unwrap_or_default();
    let place = pin.span.as_ref().map(|span| format!(", at {span},")).unwrap_or_default();
    Failure::refused(format!(
        "the files are for the organization `{id}`, but the credential belongs to `{}`{name}; nothing was read",
        info.id
    ))
    .help(format!("use a credential of `{id}`, or correct `organization.id`{place} if it is wrong"))
}

/// Reads what the files need and makes the plan.
pub(super) async fn make(
    connection: &Connection,
    wanted: Wanted<'_>,
    choices: &Choices,
) -> Result<Plan, Failure> {
    make_seen(connection, wanted, choices, &|_| {}).await
}

/// The same, and shows what is live to somebody else besides.
pub(super) async fn make_seen(
    connection: &Connection,
    wanted: Wanted<'_>,
    choices: &Choices,
    seen: &dyn Fn(&Live),
) -> Result<Plan, Failure> {
    let now = wanted.now;
    let info = identified(connection, &wanted.files.organization()).await?;
    let (there, clock) = skew::checked(connection, wanted.files, now)?;
    let looking = begin_look(connection, &info, wanted.scope(), there);
    // This takes a while, and does not need the network.
    let Wishes { document, desired, mut notes, past, rules } = wanted.wishes();
    notes.extend(clock);
    debug_assert_eq!(
        desired.read_scope(),
        read_scope(document),
        "more is to be read than was asked for"
    );
    let mut live = looking.end().await?;
    let asked = |address: &Address| {
        !choices.after_a_run && hidden::is_asked_for(address, &choices.only, past.earliest())
    };
    let plan = |live: &Live, notes: Vec<Diagnostic>| {
        plan::make(Input {
            desired: &desired,
            live,
            now,
            notes,
            observed: connection.observed(),
            only: &choices.only,
            allow: &choices.allow,
            asked: &asked,
            applied: past.applied(),
        })
    };
    seen(&live);
    let mut made = plan(&live, notes.clone());
    let unseen = hidden::unseen(&made);
    let wants_keys = plan::wants_keys(&made, &live);
    if wants_keys {
        // Somebody or something goes: what becomes of the keys is shown, even where the files name none.
        let scope = ReadScope { api_keys: true, ..ReadScope::nothing() };
        let keys = look(connection, &info, &scope, there).await?;
        seen(&keys);
        add_keys(&mut live, keys);
    }
    if !unseen.is_empty() {
        let found = observe::grants_by_member(&connection.client.reader(), &unseen).await?;
        live.objects.extend(found);
    }
    if wants_keys || !unseen.is_empty() {
        made = plan(&live, notes);
    }
    hold_against(&mut made, &desired, past, &live, &choices.allow);
    made.revision.clone_from(&wanted.held.revision);
    made.policy = policy::judge_plan(document, &desired, &live, &made);
    for (name, rules) in rules {
        let found = policy::judge_plan(&rules, &desired, &live, &made);
        also_of_base(&mut made.policy, found, &name);
    }
    discard((live, desired));
    Ok(made)
}

/// Reads what is in a scope.
pub(super) async fn look(
    connection: &Connection,
    info: &OrganizationInfo,
    scope: &ReadScope,
    now: Timestamp,
) -> Result<Live, Failure> {
    Ok(begin_look(connection, info, scope.clone(), now).end().await?)
}

/// Begins to read it, and gives what waits for the end.
fn begin_look(
    connection: &Connection,
    info: &OrganizationInfo,
    scope: ReadScope,
    now: Timestamp,
) -> Beside<Result<Live, ObserveError>> {
    let (client, info) = (connection.client.clone(), info.clone());
    Beside::begin(async move {
        let own_key = |hint: &str| client.credential().matches_hint(hint);
        observe(&client.reader(), &info, &scope, &own_key, now).await
    })
}

/// Reads what there is in an organization that no files describe. Where nobody says of which kind it is, people are
/// read first: their roles tell.
pub(super) async fn look_around(
    connection: &Connection,
    info: &OrganizationInfo,
    kind: Option<OrgKind>,
    scope: impl Fn(OrgKind) -> ReadScope,
    ui: &Ui,
) -> Result<(Live, OrgKind), Failure> {
    let activity = || Some(connection.client.activity());
    watched(ui, Doing::Reading, activity, look_at_kind(connection, info, kind, scope)).await
}

async fn look_at_kind(
    connection: &Connection,
    info: &OrganizationInfo,
    kind: Option<OrgKind>,
    scope: impl Fn(OrgKind) -> ReadScope,
) -> Result<(Live, OrgKind), Failure> {
    if let Some(kind) = kind {
        return Ok((look(connection, info, &scope(kind), connection.now).await?, kind));
    }
    let people = ReadScope { members: true, ..ReadScope::nothing() };
    let mut live = look(connection, info, &people, connection.now).await?;
    let kind = infer_kind(&live);
    let rest = ReadScope { members: false, ..scope(kind) };
    if rest != ReadScope::nothing() {
        let rest = look(connection, info, &rest, connection.now).await?;
        live.objects.extend(rest.objects);
        live.archived = rest.archived;
        live.coverage = Coverage { members: true, ..rest.coverage };
    }
    Ok((live, kind))
}

/// Adds keys that were read by themselves, each placed in the workspace it reaches.
fn add_keys(live: &mut Live, keys: Live) {
    let is_ordinary = |spec: &Spec| matches!(spec, Spec::Workspace(w) if !w.is_default);
    let workspaces: BTreeMap<Arc<str>, Name> = live
        .objects
        .iter()
        .filter(|(_, object)| is_ordinary(&object.spec))
        .filter_map(|(address, object)| {
            Some((object.remote.as_ref()?.id.0.clone(), address.name.clone()))
        })
        .collect();
    for (address, object) in keys.objects {
        if address.kind != Kind::ApiKey {
            continue;
        }
        let object = placed(object, &workspaces);
        live.objects.push((address, object));
    }
    live.coverage.api_keys = true;
}

fn placed(object: Arc<Object>, workspaces: &BTreeMap<Arc<str>, Name>) -> Arc<Object> {
    let place = match object.key_facts().map(|facts| &facts.reach) {
        Some(Reach::Workspace(id)) => workspaces.get(&id.0).cloned(),
        _ => None,
    };
    let mut object = Arc::unwrap_or_clone(object);
    if let Spec::ApiKey(key) = &mut object.spec {
        key.workspace = place;
    }
    Arc::new(object)
}

/// The organization of a command without files.
pub(super) fn unpinned(kind: OrgKind) -> OrganizationPin {
    OrganizationPin { id: None, kind, span: None }
}
