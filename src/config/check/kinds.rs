//! Roles and sections that the kind of organization does not have (core.md §1.3, §3.2).
//!
//! Invariant: what passes exists in an organization of the kind the files name.

use crate::{
    config::document::{Document, Wanted},
    diagnostic::{Diagnostic, Span, did_you_mean},
    resource::{OrgKind, Role},
};

pub(super) fn check(document: &Document, found: &mut Vec<Diagnostic>) {
    let kind = document.organization.kind.value;
    sections(document, kind, found);
    let Some(members) = document.members.as_ref().filter(|_| kind != OrgKind::Aws) else { return };
    for person in members.values() {
        let Wanted::Role(role) = &person.role.value else { continue };
        if !role.exists_in(kind) {
            found.push(role_of_another_kind(document, role, person.role.span.as_ref()));
        }
    }
}

fn role_of_another_kind(document: &Document, role: &Role, span: Option<&Span>) -> Diagnostic {
    let kind = document.organization.kind.value;
    let others: Vec<_> = [OrgKind::Console, OrgKind::Enterprise]
        .into_iter()
        .filter(|other| role.exists_in(*other))
        .map(OrgKind::as_str)
        .collect();
    let own: Vec<_> = Role::KNOWN.iter().filter(|role| role.exists_in(kind)).collect();
    let named: Vec<_> = own.iter().map(|role| format!("`{role}`")).collect();
    let near = did_you_mean(role.as_str(), own.iter().map(|role| role.as_str()))
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    let mut finding = Diagnostic::error(
        "config/role-of-another-kind",
        format!(
            "`{role}` is a role of {} organizations, and this one is `{kind}`",
            others.join(" and ")
        ),
    )
    .at_opt(span)
    .help(format!("{near}the roles here are {}; else set `organization.kind`", named.join(", ")));
    if let Some(kind) = &document.organization.kind.span {
        finding = finding.with(kind, "the kind is set here");
    }
    finding
}

/// Sections whose objects the API of this kind of organization does not have.
fn sections(document: &Document, kind: OrgKind, found: &mut Vec<Diagnostic>) {
    let Document {
        organization: _,
        members,
        teams,
        workspaces,
        api_keys,
        manage,
        guard: _,
        policy: _,
        tests: _,
        files: _,
        read: _,
    } = document;
    let mut refuse = |key: &str, span: Option<&Span>| {
        let has = match kind {
            OrgKind::Console => "everything",
            OrgKind::Enterprise => "members and invites only",
            OrgKind::Aws => "workspaces only, without members and keys",
        };
        found.push(
            Diagnostic::error(
                "config/section-of-another-kind",
                format!("`{key}` does not exist in organizations of the kind `{kind}`"),
            )
            .at_opt(span)
            .help(format!(
                "remove it: the API of such organizations has {has}; else set `organization.kind`"
            )),
        );
    };
    let rule = |rule: &Option<crate::config::document::Sp<_>>| {
        rule.as_ref().and_then(|rule: &crate::config::document::Sp<_>| rule.span.clone())
    };
    match kind {
        OrgKind::Console => {}
        OrgKind::Enterprise => {
            if let Some(section) = workspaces {
                refuse("workspaces", section.place.0.as_ref());
            }
            if let Some(section) = api_keys {
                refuse("api_keys", section.place.0.as_ref());
            }
            for (key, value) in [
                ("manage.workspaces", &manage.workspaces),
                ("manage.workspace_members", &manage.workspace_members),
                ("manage.api_keys", &manage.api_keys),
            ] {
                if value.is_some() {
                    refuse(key, rule(value).as_ref());
                }
            }
        }
        OrgKind::Aws => {
            if let Some(section) = members {
                refuse("members", section.place.0.as_ref());
            }
            if let Some(section) = teams {
                refuse("teams", section.place.0.as_ref());
            }
            if let Some(section) = api_keys {
                refuse("api_keys", section.place.0.as_ref());
            }
            for workspace in workspaces.iter().flat_map(|section| section.values()) {
                if let Some(grants) = &workspace.members {
                    refuse("members", grants.place.0.as_ref());
                }
                if let Some(keys) = &workspace.api_keys {
                    refuse("api_keys", keys.place.0.as_ref());
                }
            }
            for (key, value) in [
                ("manage.members", &manage.members),
                ("manage.workspace_members", &manage.workspace_members),
                ("manage.api_keys", &manage.api_keys),
            ] {
                if value.is_some() {
                    refuse(key, rule(value).as_ref());
                }
            }
        }
    }
}
