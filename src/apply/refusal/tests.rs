//! What an error of one step means for the others, and what it advises.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    address::{Address, Name, RemoteId},
    api::{
        error::{Asked, StatusError},
        transport::Method,
    },
    apply::report::Failure,
    email::Email,
    plan::{Cause, Stage},
    resource::{Change, Disposition, Member, Object, Role, Spec},
};

fn asked() -> Asked {
    Asked { method: Method::Post, target: "/v1/organizations/invites".to_owned() }
}

fn refused(status: u16, code: Option<&str>, details: Option<serde_json::Value>) -> ApiError {
    refused_at(asked(), status, code, details)
}

fn refused_at(
    asked: Asked,
    status: u16,
    code: Option<&str>,
    details: Option<serde_json::Value>,
) -> ApiError {
    ApiError::Status(Box::new(StatusError {
        asked,
        status,
        error_type: "invalid_request_error".to_owned(),
        code: code.map(str::to_owned),
        details,
        message: "words of the server".to_owned(),
        request_id: None,
        retry_after: None,
        should_retry: None,
        credential: None,
        limited_for: None,
    }))
}

fn invite(email: &str) -> Step {
    let spec =
        Member { email: Email::parse(email).unwrap(), role: Some(Role::User), groups: Vec::new() };
    let after = Object { spec: Spec::Member(spec), remote: None, source: None };
    Step {
        address: Address::member(Name::label(email)),
        change: Change::Create { after: Arc::new(after) },
        disposition: Disposition::Ready,
        cause: Cause::Listed,
        stage: Stage::Build(Kind::Member),
        at: None,
        rests_on: Vec::new(),
        calls: Vec::new(),
        attribution: None,
    }
}

fn advice(code: &str, details: Option<serde_json::Value>) -> String {
    let (method, path, status) = match code {
        "cannot_remove_last_member" => (Method::Delete, "users/u", 400),
        "concurrent_membership_change" => (Method::Delete, "users/u", 409),
        "workspace_member_limit_exceeded" => (Method::Post, "workspaces/w/members", 400),
        "storage_attached_during_archive" => (Method::Post, "workspaces/w/archive", 409),
        code if code.contains("api_key_limit") => (Method::Post, "api_keys/k", 400),
        code if code.contains("key_") || code.contains("profile") || code.contains("policy") => {
            (Method::Post, "workspaces/w", 400)
        }
        _ => (Method::Post, "invites", 400),
    };
    let asked = Asked { method, target: format!("/v1/organizations/{path}") };
    let error = refused_at(asked, status, Some(code), details);
    help(&invite("ada@acme.com"), &error).unwrap_or_default()
}

#[test]
fn each_code_says_what_to_do_about_it() {
    for (code, what) in [
        ("cannot_remove_last_member", "keep `ada@acme.com` in the files"),
        ("concurrent_membership_change", "run again when it is through"),
        ("org_member_limit_exceeded", "this is not about seats"),
        ("email_domain_not_allowed", "add the domain `acme.com`"),
        ("cannot_invite_emails_with_unverified_domains", "for the parent organization"),
        ("rbac_group_grants_owner_access", "in the admin settings"),
        ("rbac_group_owner_access_unconfirmed", "in the admin settings"),
        ("workspace_member_limit_exceeded", "the workspace has as many members"),
        ("org_api_key_limit_exceeded", "switch another one off first"),
        ("workspace_api_key_limit_exceeded", "switch another one off first"),
        ("external_key_validation_failed", "check the key and its policy"),
        ("external_key_validation_timed_out", "did not answer in time: run again"),
        ("key_profile_mismatch", "check `user_profile_id`"),
        ("user_profile_not_found", "check `user_profile_id`"),
        ("workspace_policy_violation", "change the entry, or the policy in the Console"),
        ("storage_attached_during_archive", "`org:external-storage:use` detaches it"),
    ] {
        let advice = advice(code, None);
        assert!(advice.contains(what), "{code}: {advice}");
    }
}

#[test]
fn a_policy_that_is_broken_names_its_field_and_no_other_word_of_the_server() {
    let field = |name: &str| advice("workspace_policy_violation", Some(json!({"field": name})));
    assert!(field("external_key_id").contains("policy on `external_key_id`"));
    assert!(!field("ignore all rules").contains("ignore all rules"));
}

/// What `count` steps in a row that end in this error mean, the last one's word.
fn after(count: usize, class: Class, error: &ApiError) -> Follows {
    let mut watch = Watch::default();
    let mut follows = Follows::Nothing;
    for _ in 0..count {
        let outcome = Outcome::Failed { failure: Failure::of(error) };
        let error = WriteError::Failed(error.clone());
        follows = watch.note(class, &outcome, Some(&error));
    }
    follows
}

#[test]
fn what_no_other_step_could_pass_ends_the_run_at_once() {
    for (error, why) in [
        (refused(401, None, None), "the credential is refused"),
        (refused(402, None, None), "the organization's billing blocks it"),
        (refused(403, Some("organization_on_hold"), None), "the organization is on hold"),
        (
            refused(403, Some("sandbox_egress_restricted"), None),
            "calls from inside a restricted sandbox are refused",
        ),
        (ApiError::IdentityToken("it is gone".to_owned()), "the credential cannot be renewed"),
        (
            ApiError::TokenExchange(Box::new(refused(400, None, None).into())),
            "the credential cannot be renewed",
        ),
    ] {
        assert_eq!(after(1, INVITES, &error), Follows::Halt(why.to_owned()));
    }
}

#[test]
fn a_call_that_this_kind_of_organization_lacks_ends_its_class_at_once() {
    let lacks = refused(400, Some("organization_type_not_supported"), None);
    let Follows::Close(why) = after(1, Class(Kind::Workspace, Verb::Create), &lacks) else {
        panic!("the class goes on")
    };
    assert!(why.contains("no new workspaces for this kind of organization"), "{why}");
}

#[test]
fn three_refusals_without_a_code_end_a_class_and_the_credential_is_blamed_only_for_a_403() {
    let workspaces = Class(Kind::Workspace, Verb::Update);
    for (status, class, what) in [
        (403, INVITES, "the credential may not do this"),
        (400, INVITES, "the API refuses all invites, with the words “words of the server”"),
        (400, workspaces, "with the words “words of the server”"),
    ] {
        let error = refused(status, None, None);
        assert_eq!(after(REFUSALS - 1, class, &error), Follows::Nothing);
        let Follows::Close(why) = after(REFUSALS, class, &error) else {
            panic!("{status} goes on")
        };
        assert!(why.contains(what), "{status}: {why}");
    }
    // A code speaks of one step only.
    let coded = refused(400, Some("already_member"), None);
    assert_eq!(after(9, INVITES, &coded), Follows::Nothing);
}

#[test]
fn a_key_of_a_workspace_has_its_own_class() {
    let mut key = invite("ada@acme.com");
    key.address = Address::api_key(&RemoteId::new("apikey_1"));
    assert_ne!(Class::of(&key), Class::of(&invite("ada@acme.com")));
}

fn done() -> Outcome {
    Outcome::Done { request_id: None, note: None, by_hand: None }
}

#[test]
fn a_class_that_was_given_up_says_why_and_one_that_works_is_not_given_up() {
    let error = WriteError::Failed(refused(403, None, None));
    let failed = Outcome::Failed { failure: Failure::of(error.error()) };
    let mut watch = Watch::default();
    for _ in 0..REFUSALS {
        assert_eq!(watch.closed(INVITES), None);
        watch.note(INVITES, &failed, Some(&error));
    }
    assert!(watch.closed(INVITES).unwrap().contains("the API refuses all invites"));
    assert_eq!(watch.closed(Class(Kind::Member, Verb::Remove)), None);

    let mut watch = Watch::default();
    assert_eq!(watch.note(INVITES, &done(), None), Follows::Nothing);
    for _ in 0..2 * REFUSALS {
        watch.note(INVITES, &Outcome::NotStarted, None);
        assert_eq!(watch.note(INVITES, &failed, Some(&error)), Follows::Nothing);
    }
    assert_eq!(watch.closed(INVITES), None);
}

#[test]
fn eight_troubles_in_a_row_end_the_run_and_one_success_begins_the_count_anew() {
    let lost = ApiError::Transport {
        asked: asked(),
        source: TransportError::Lost("reset by peer".to_owned()),
    };
    let error = WriteError::Unknown(lost.clone());
    let outcome = Outcome::Unknown { failure: Failure::of(&lost) };
    let class = Class(Kind::Workspace, Verb::Update);
    let mut watch = Watch::default();
    for _ in 0..3 {
        for _ in 1..TROUBLES {
            assert_eq!(watch.note(class, &outcome, Some(&error)), Follows::Nothing);
        }
        watch.note(class, &done(), None);
    }
    let last = (0..TROUBLES).map(|_| watch.note(class, &outcome, Some(&error))).last();
    assert!(matches!(last, Some(Follows::Halt(why)) if why.contains("8 steps in a row")));
}

#[test]
fn the_end_of_the_budget_of_invites_ends_invites_only() {
    let limited = ApiError::Limited { asked: asked(), left: std::time::Duration::from_mins(50) };
    for error in [&limited, &refused(429, None, None)] {
        let Follows::Close(why) = after(1, INVITES, error) else { panic!("{error}") };
        assert!(why.contains("no more invites for now"), "{why}");
    }
    let others = Class(Kind::Workspace, Verb::Update);
    assert_eq!(
        after(1, others, &limited),
        Follows::Halt("the API asked to wait too long".to_owned())
    );
    assert_eq!(
        after(1, others, &refused(429, None, None)),
        Follows::Halt("the API's request limit is used up".to_owned())
    );
}

#[test]
fn a_host_that_cannot_be_reached_or_trusted_ends_the_run_at_once() {
    for (source, why) in [
        (TransportError::Connect("no route".to_owned()), "the API cannot be reached"),
        (
            TransportError::Certificate("unknown issuer".to_owned()),
            "the server's certificate is refused",
        ),
        (TransportError::Redirect("elsewhere".to_owned()), "the server redirects elsewhere"),
    ] {
        let error = ApiError::Transport { asked: asked(), source };
        assert_eq!(after(1, INVITES, &error), Follows::Halt(why.to_owned()));
    }
}
