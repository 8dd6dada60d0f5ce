//! From the live organization to a document that wants exactly it: what `import` writes.
//!
//! Invariant: the document loads, and planning it against the same organization finds nothing to do. What cannot
//! be written is left out, named in a finding, and never put at risk by a list that leaves it out.

mod workspaces;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{
    decode::{is_plain_text, is_uuid},
    document::{
        Document, Grant, Ignore, Manage, Organization, Person, Place, Section, Sp, Text, Wanted,
    },
    lower::ignore_glob,
    shape::{MAX_ID, MAX_TEXT},
};
use crate::{
    diagnostic::Diagnostic,
    email::Email,
    resource::{
        Live, Member, OrgKind, Role, Spec, WorkspaceRole,
        desired::{IgnoreTarget, Unlisted},
    },
};

/// The kind of organization that the live roles speak for: no field of the API says it.
pub fn infer_kind(live: &Live) -> OrgKind {
    let speaks_for = |kind: OrgKind, other: OrgKind| {
        live.objects.iter().any(|(_, object)| match &object.spec {
            Spec::Member(Member { role: Some(role), .. }) => {
                role.exists_in(kind) && !role.exists_in(other)
            }
            _ => false,
        })
    };
    match (
        speaks_for(OrgKind::Enterprise, OrgKind::Console),
        speaks_for(OrgKind::Console, OrgKind::Enterprise),
    ) {
        (true, false) => OrgKind::Enterprise,
        _ => OrgKind::Console,
    }
}

/// Writes the live organization down. Listings that were not read are left unmanaged; the findings name what
/// could not be written.
pub fn raise(live: &Live, kind: OrgKind) -> (Document, Vec<Diagnostic>) {
    let mut raising = Raising {
        kind,
        people: HashMap::new(),
        ignore: Vec::new(),
        unprotected: false,
        found: Vec::new(),
    };
    // Sections that this kind of organization does not have would be refused on loading.
    let Lists { members, workspaces, grants, api_keys } = raising.lists(live);
    let members = members.then(|| raising.members(live));
    let (section, mut keys) = raising.workspaces(live);
    let workspaces = workspaces.then_some(section);
    let api_keys = api_keys.then(|| keys.remove(&None).unwrap_or_default());
    let rule = |read: bool, rule: Unlisted| read.then(|| Sp::new(rule));
    let manage = Manage {
        place: Place::default(),
        members: rule(
            members.is_some(),
            if raising.unprotected { Unlisted::Report } else { Unlisted::Remove },
        ),
        workspace_members: rule(
            grants,
            if raising.unprotected { Unlisted::Report } else { Unlisted::Remove },
        ),
        workspaces: rule(workspaces.is_some(), Unlisted::Report),
        api_keys: rule(api_keys.is_some(), Unlisted::Report),
        ignore: raising.ignore,
    };
    let id = is_uuid(&live.organization).then(|| live.organization.to_ascii_lowercase());
    let document = Document {
        organization: Organization {
            place: Place::default(),
            id: id.map(|id| Sp::new(id.into())),
            kind: Sp::new(kind),
        },
        members,
        teams: None,
        workspaces,
        api_keys,
        manage,
        ..Document::default()
    };
    (document, raising.found)
}

/// Which lists are written.
#[expect(clippy::struct_excessive_bools, reason = "one flag a list says it best")]
struct Lists {
    members: bool,
    workspaces: bool,
    grants: bool,
    api_keys: bool,
}

struct Raising {
    kind: OrgKind,
    /// The address under which somebody is written, by the id of the user.
    people: HashMap<Arc<str>, Email>,
    ignore: Vec<Ignore>,
    /// Somebody is live whom neither the list nor `ignore` can name.
    unprotected: bool,
    found: Vec<Diagnostic>,
}

impl Raising {
    /// The lists that were read and that this kind of organization has.
    fn lists(&self, live: &Live) -> Lists {
        let members = live.coverage.members && self.kind != OrgKind::Aws;
        let workspaces = live.coverage.workspaces && self.kind != OrgKind::Enterprise;
        let console = self.kind == OrgKind::Console;
        Lists {
            members,
            workspaces,
            // Nobody could be named without the list of people.
            grants: members && workspaces && console,
            api_keys: live.coverage.api_keys && console,
        }
    }

    fn left_out(&mut self, what: impl std::fmt::Display, why: &str) {
        self.found.push(
            Diagnostic::warning("import/left-out", format!("{what} is left out: {why}"))
                .help("it stays as it is; manage it in the Console"),
        );
    }

    fn members(&mut self, live: &Live) -> Section<Email, Person> {
        let people = || {
            live.objects.iter().filter_map(|(_, object)| match &object.spec {
                Spec::Member(member) => Some((member, object)),
                _ => None,
            })
        };
        let mut seen: HashSet<&Arc<str>> = HashSet::new();
        let shared: BTreeSet<&Arc<str>> = people()
            .map(|(member, _)| member.email.canonical())
            .filter(|canonical| !seen.insert(canonical))
            .collect();
        let mut section = Section::default();
        let mut unlisted = Vec::new();
        for (member, object) in people() {
            let Member { email, role, groups: _ } = member;
            if shared.contains(email.canonical()) {
                continue;
            }
            // What is written must be read as the same address.
            let written = is_plain_text(email.as_written(), 320, false)
                .then(|| Email::parse(email.as_written()).ok())
                .flatten()
                .filter(|parsed| parsed == email);
            let Some(written) = written else {
                unlisted.push((email.canonical(), "charter cannot write this address"));
                continue;
            };
            if let Some(remote) = &object.remote {
                self.people.insert(Arc::clone(&remote.id.0), written.clone());
            }
            section.entries.insert(written, person(role.as_ref(), self.kind));
        }
        unlisted
            .extend(shared.iter().map(|email| (*email, "several live people share this address")));
        for (canonical, reason) in unlisted {
            self.protect(canonical, reason, &section);
        }
        section
    }

    /// Keeps somebody who cannot be listed from being taken for unlisted.
    fn protect(&mut self, canonical: &str, reason: &str, listed: &Section<Email, Person>) {
        // Whatever a pattern cannot say literally stands for any character; `?` stands for one byte.
        let mut pattern = String::new();
        for c in canonical.chars() {
            if c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+') {
                pattern.push(c);
            } else {
                pattern.extend(std::iter::repeat_n('?', c.len_utf8()));
            }
        }
        let matcher =
            ignore_glob(IgnoreTarget::Members, &pattern).map(|glob| glob.compile_matcher());
        let exact = is_plain_text(&pattern, MAX_TEXT, false)
            && matcher.is_some_and(|matcher| {
                matcher.is_match(canonical)
                    && !listed.keys().any(|email| matcher.is_match(&**email.canonical()))
            });
        self.left_out(format_args!("the person `{pattern}`"), reason);
        if exact {
            self.ignore.push(Ignore {
                place: Place::default(),
                target: IgnoreTarget::Members,
                pattern: Sp::new(pattern.into()),
                reason: Sp::new(reason.into()),
                until: None,
            });
        } else {
            self.unprotected = true;
        }
    }
}

fn person(role: Option<&Role>, kind: OrgKind) -> Person {
    let known = role.filter(|role| role.exists_in(kind)).cloned();
    let note = role.filter(|_| known.is_none()).and_then(|role| live_note("role", role.as_str()));
    Person {
        place: Place::default(),
        role: Sp::new(known.map_or(Wanted::Unmanaged, Wanted::Role)),
        until: None,
        note,
        previously: None,
        id: None,
    }
}

fn raised_grant(role: &WorkspaceRole) -> Grant {
    let known = role.assignable().then(|| role.clone());
    let note = if known.is_none() { live_note("role", role.as_str()) } else { None };
    Grant {
        place: Place::default(),
        role: Sp::new(known.map_or(Wanted::Unmanaged, Wanted::Role)),
        until: None,
        note,
    }
}

/// A note with a word of the API that files cannot say.
fn live_note(what: &str, word: &str) -> Option<Text> {
    is_plain_text(word, MAX_ID, false).then(|| Sp::new(format!("live {what}: {word}").into()))
}

/// Whether an id has the form that files take.
fn is_id(id: &str, prefix: &str) -> bool {
    id.len() <= MAX_ID
        && id.strip_prefix(prefix).is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        })
}
