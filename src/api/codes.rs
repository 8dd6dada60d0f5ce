//! What each error of the Admin API means: one table of codes and one of statuses, for every operation that charter uses.
//!
//! Invariant: the code decides before the status; a code counts only for an operation that documents it, and one that
//! nobody decided never proves that nothing was done. A test compares both tables with the contract.

use serde_json::Value;

use super::{
    error::{Asked, StatusError},
    transport::Method,
};

/// What became of a request that was answered with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing was done, and the same request may succeed a moment later.
    NothingDone,
    /// It was done, whatever the status says. It is never sent again.
    Done,
    /// Some of it was done. Looking shows what; the next plan has the rest.
    PartlyDone,
    /// It may have been done: look before anything else.
    MaybeDone,
    /// Nothing was done, and the same request would be refused again.
    Final,
}

/// A request that charter sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is explained by its line of the table below")]
pub enum Operation {
    Me,
    ListUsers,
    GetUser,
    UpdateUser,
    RemoveUser,
    ListInvites,
    GetInvite,
    Invite,
    WithdrawInvite,
    ListWorkspaces,
    GetWorkspace,
    CreateWorkspace,
    UpdateWorkspace,
    ArchiveWorkspace,
    ListMembers,
    AddMember,
    UpdateMember,
    RemoveMember,
    ListKeys,
    GetKey,
    UpdateKey,
}
use Operation::{
    AddMember, ArchiveWorkspace, CreateWorkspace, Invite, RemoveMember, RemoveUser, UpdateKey,
    UpdateMember, UpdateUser, UpdateWorkspace, WithdrawInvite,
};

impl Operation {
    /// Each with its method and the path of the contract, without `/v1/organizations/`.
    pub const ALL: [(Operation, Method, &'static str); 21] = [
        (Operation::Me, Method::Get, "me"),
        (Operation::ListUsers, Method::Get, "users"),
        (Operation::GetUser, Method::Get, "users/{user_id}"),
        (UpdateUser, Method::Post, "users/{user_id}"),
        (RemoveUser, Method::Delete, "users/{user_id}"),
        (Operation::ListInvites, Method::Get, "invites"),
        (Operation::GetInvite, Method::Get, "invites/{invite_id}"),
        (Invite, Method::Post, "invites"),
        (WithdrawInvite, Method::Delete, "invites/{invite_id}"),
        (Operation::ListWorkspaces, Method::Get, "workspaces"),
        (Operation::GetWorkspace, Method::Get, "workspaces/{workspace_id}"),
        (CreateWorkspace, Method::Post, "workspaces"),
        (UpdateWorkspace, Method::Post, "workspaces/{workspace_id}"),
        (ArchiveWorkspace, Method::Post, "workspaces/{workspace_id}/archive"),
        (Operation::ListMembers, Method::Get, "workspaces/{workspace_id}/members"),
        (AddMember, Method::Post, "workspaces/{workspace_id}/members"),
        (UpdateMember, Method::Post, "workspaces/{workspace_id}/members/{user_id}"),
        (RemoveMember, Method::Delete, "workspaces/{workspace_id}/members/{user_id}"),
        (Operation::ListKeys, Method::Get, "api_keys"),
        (Operation::GetKey, Method::Get, "api_keys/{api_key_id}"),
        (UpdateKey, Method::Post, "api_keys/{api_key_id}"),
    ];

    /// Which one a request is.
    pub fn of(asked: &Asked) -> Option<Self> {
        let path = asked.target.strip_prefix("/v1/organizations/")?;
        let fits = |pattern: &str| {
            pattern.split('/').count() == path.split('/').count()
                && pattern.split('/').zip(path.split('/')).all(|(want, is)| {
                    if want.starts_with('{') { !is.is_empty() } else { want == is }
                })
        };
        let mut all = Self::ALL.iter();
        all.find(|(_, method, pattern)| *method == asked.method && fits(pattern))
            .map(|(operation, ..)| *operation)
    }
}

/// A code of an error, and what it means.
#[allow(clippy::struct_field_names, reason = "the code is what the API calls it")]
pub(crate) struct Code {
    on: &'static [Operation],
    status: u16,
    code: &'static str,
    class: Class,
    /// What to do. `{title}` is the object, `{domain}` that of an address, `{field}` the one that the error names.
    help: &'static str,
}

const WRITES: &[Operation] = &[
    Invite,
    WithdrawInvite,
    UpdateUser,
    RemoveUser,
    CreateWorkspace,
    UpdateWorkspace,
    ArchiveWorkspace,
    AddMember,
    UpdateMember,
    RemoveMember,
    UpdateKey,
];
const SETS: &[Operation] = &[CreateWorkspace, UpdateWorkspace];
const MAKES: &[Operation] = &[CreateWorkspace];
const CHANGES: &[Operation] = &[UpdateWorkspace];
const INVITES: &[Operation] = &[Invite];
const GRANTS: &[Operation] = &[AddMember, UpdateMember];

const fn code(
    on: &'static [Operation],
    status: u16,
    code: &'static str,
    class: Class,
    help: &'static str,
) -> Code {
    Code { on, status, code, class, help }
}

/// Settings of a workspace that charter never sends: what the API says of them is for a person.
const PRIVACY: &str = "this is about the workspace's data privacy or storage, which charter does not manage: look at \
                       the workspace in the Console, or ask whoever manages its storage";
const PROFILE: &str = "check `user_profile_id`, and that it goes with `external_key_id`";
const AGAIN: &str = "someone else is changing the same object: run again";

/// Every documented code of every write (reads have none).
#[rustfmt::skip] // a table
const CODES: &[Code] = &[
    code(WRITES, 403, "sandbox_egress_restricted", Class::Final, "the call was made from inside a Claude sandbox whose network is restricted: run charter elsewhere"),

    code(INVITES, 400, "already_member", Class::Final, "the address, or a variant of it, belongs to a member: write the address that the Console shows under Settings > Members"),
    code(INVITES, 400, "invite_already_exists", Class::Final, "an invite to this address, or to a variant of it, is open: write the address that the Console shows under Settings > Members"),
    code(INVITES, 400, "cannot_invite_emails_with_unverified_domains", Class::Final, "verify the domain `{domain}` for the parent organization, or take `{title}` out of the files"),
    code(INVITES, 400, "email_domain_not_allowed", Class::Final, "add the domain `{domain}` to the domains that the organization allows, in the Console (an empty list allows none), or take `{title}` out of the files"),
    code(INVITES, 400, "org_member_limit_exceeded", Class::Final, "Anthropic has set a limit of members for this organization, and open invites count too (this is not about seats): remove somebody, withdraw an invite, or ask Anthropic for a higher limit"),
    code(INVITES, 400, "rbac_group_grants_owner_access", Class::Final, "a group of this invite gives owner rights, which no invite can: add the person to the group in the admin settings"),
    code(INVITES, 400, "rbac_group_owner_access_unconfirmed", Class::Final, "the API could not check whether a group of this invite gives owner rights, and trying again does not help: invite the person in the admin settings"),

    code(&[RemoveUser], 400, "cannot_remove_last_member", Class::Final, "an organization keeps at least one member: let somebody else join first, or keep `{title}` in the files"),
    code(&[RemoveUser], 409, "concurrent_membership_change", Class::NothingDone, "another change of the organization's members was under way all the time: run again when it is through"),

    code(SETS, 400, "external_key_validation_failed", Class::Final, "check the key and its policy in your key management service, and `external_key_id`"),
    code(SETS, 400, "external_key_validation_timed_out", Class::NothingDone, "the key management service did not answer in time: run again"),
    code(SETS, 400, "key_profile_mismatch", Class::Final, PROFILE),
    code(SETS, 400, "user_profile_not_found", Class::Final, "check `user_profile_id`, and the profile that the key in `external_key_id` is bound to: one of them does not exist or is not active"),
    code(SETS, 400, "workspace_policy_violation", Class::Final, "the organization's policy on {field} forbids this (the API's text says which rule: for `external_key_id`, a customer-managed key is wanted, or this one is not allowed): change the entry, or the policy in the Console"),
    code(SETS, 400, "storage_profile_mismatch", Class::Final, "the workspace's storage has another user profile, or none ({field}), so `user_profile_id` cannot be set: take it out of the entry, or let whoever manages the storage change it; charter cannot see that storage"),
    code(SETS, 409, "external_key_changed", Class::NothingDone, AGAIN),
    code(MAKES, 503, "workspace_created_incomplete", Class::Done, "the workspace exists, and part of what was asked may be missing: run `charter plan`, which shows what is left; never make it again"),
    code(CHANGES, 503, "change_outcome_unknown", Class::MaybeDone, "some of the change may be saved: run again, which sends what is left"),
    code(&[ArchiveWorkspace], 409, "storage_attached_during_archive", Class::Done, "the workspace is archived, and customer storage that was attached to it meanwhile still is: somebody with the permission `org:external-storage:use` detaches it by archiving the workspace once more, in the Console or by the API"),

    // Only with a beta header that charter does not send.
    code(CHANGES, 409, "storage_changed_concurrently", Class::PartlyDone, "somebody else changed {field} at the same time: run `charter plan`, which shows what is left"),
    code(CHANGES, 409, "workspace_changed_concurrently", Class::PartlyDone, "somebody else changed {field} at the same time: run `charter plan`, which shows what is left"),
    code(SETS, 503, "authorization_check_unavailable", Class::NothingDone, "the API could not read an approval: run again later"),
    code(SETS, 400, "approval_required", Class::Final, PRIVACY),
    code(SETS, 400, "grant_required", Class::Final, PRIVACY),
    code(SETS, 400, "organization_not_eligible", Class::Final, PRIVACY),
    code(SETS, 400, "external_storage_not_available", Class::Final, PRIVACY),
    code(SETS, 400, "human_review_not_available", Class::Final, PRIVACY),
    code(SETS, 400, "human_review_on_with_external_storage", Class::Final, PRIVACY),
    code(SETS, 400, "transcripts_storage_required", Class::Final, PRIVACY),
    code(SETS, 400, "storage_not_attachable", Class::Final, PRIVACY),
    code(SETS, 400, "storage_verification_failed", Class::Final, PRIVACY),
    code(SETS, 400, "invalid_storage_arn", Class::Final, PRIVACY),
    code(CHANGES, 400, "storage_profile_still_required", Class::Final, PRIVACY),
    code(CHANGES, 400, "storage_attach_limit_reached", Class::Final, PRIVACY),

    code(GRANTS, 400, "workspace_member_limit_exceeded", Class::Final, "the workspace has as many members as Anthropic allows it: remove some, or ask Anthropic for a higher limit"),

    code(&[UpdateKey], 400, "org_api_key_limit_exceeded", Class::Final, "the organization has as many active keys as it may have: switch another one off first"),
    code(&[UpdateKey], 400, "workspace_api_key_limit_exceeded", Class::Final, "the workspace has as many active keys as it may have: switch another one off first"),
];

/// What a documented status means without a code, and the help that is the same for every operation.
pub(crate) const STATUSES: [(u16, Class, Option<&str>); 17] = [
    (400, Class::Final, None),
    (401, Class::Final, None),
    (402, Class::Final, None),
    (403, Class::Final, None),
    (404, Class::Final, None),
    (408, Class::MaybeDone, Some(TROUBLE)),
    (409, Class::NothingDone, Some(AGAIN)),
    (
        412,
        Class::Final,
        Some(
            "the organization is not in the state that this call needs: look at the object in the Console",
        ),
    ),
    (
        413,
        Class::Final,
        Some(
            "the request is larger than the API takes: make the entry smaller (most often its tags)",
        ),
    ),
    (429, Class::NothingDone, None),
    (
        431,
        Class::Final,
        Some(
            "the request's headers are larger than the API takes: check the length of the credential, and what a proxy adds",
        ),
    ),
    (
        499,
        Class::MaybeDone,
        Some(
            "the API, or a proxy before it, says that charter hung up, which it did not: check the time limit of the proxy",
        ),
    ),
    (500, Class::MaybeDone, Some(TROUBLE)),
    (501, Class::Final, Some("the API does not offer this call here: do it in the Console")),
    (503, Class::MaybeDone, Some(TROUBLE)),
    (504, Class::MaybeDone, Some(TROUBLE)),
    (529, Class::MaybeDone, Some(TROUBLE)),
];

const TROUBLE: &str = "the API is in trouble: run again later (status.claude.com)";

/// The entry of a code for an operation.
pub(crate) fn entry(operation: Operation, status: u16, code: &str) -> Option<&'static Code> {
    let is = |entry: &&Code| {
        entry.code == code && entry.status == status && entry.on.contains(&operation)
    };
    CODES.iter().find(is)
}

/// What became of a request. `code`: `error.details.error_code`.
pub fn class(operation: Option<Operation>, status: u16, code: Option<&str>) -> Class {
    let known = operation.zip(code).and_then(|(operation, code)| entry(operation, status, code));
    if let Some(entry) = known {
        return entry.class;
    }
    match by_status(status) {
        // Two documented codes of this status say that something was done. A third one may as well.
        Class::NothingDone if status == 409 && code.is_some() => Class::MaybeDone,
        class => class,
    }
}

fn by_status(status: u16) -> Class {
    let documented = STATUSES.iter().find(|(known, ..)| *known == status);
    match documented {
        Some((_, class, _)) => *class,
        None if status >= 500 => Class::MaybeDone,
        None => Class::Final,
    }
}

/// What to do about a status, whatever was asked.
pub(crate) fn status_help(status: u16) -> Option<&'static str> {
    match STATUSES.iter().find(|(known, ..)| *known == status) {
        Some((.., help)) => *help,
        None if status >= 500 => Some(TROUBLE),
        None => None,
    }
}

/// What to do about a coded error on `title`.
pub(crate) fn help(error: &StatusError, title: &str) -> Option<String> {
    let operation = Operation::of(&error.asked)?;
    let entry = entry(operation, error.status, error.code.as_deref()?)?;
    let domain = title.rsplit_once('@').map_or("", |(_, domain)| domain);
    let field = field(error).map_or_else(|| "a setting".to_owned(), |field| format!("`{field}`"));
    // One pass each: what is filled in is never read as a placeholder.
    let text = |template: &str| match template {
        "title" => title.to_owned(),
        "domain" => domain.to_owned(),
        "field" => field.clone(),
        other => format!("{{{other}}}"),
    };
    let mut out = String::new();
    let mut rest = entry.help;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&text(name));
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

/// `details.field`, if it looks like the name of a field: other words of the server are not repeated unchecked.
pub(crate) fn field(error: &StatusError) -> Option<&str> {
    let named = error.details.as_ref()?.get("field").and_then(Value::as_str)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
    ((1..=80).contains(&named.len()) && named.chars().all(plain)).then_some(named)
}

#[cfg(test)]
mod tests;
