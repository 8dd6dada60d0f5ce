//! The tables against the contract: whatever it documents for a call of charter's is decided.

use std::{collections::BTreeSet, path::Path};

use super::*;

/// The project's own copy of the contract.
fn contract() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/openapi.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// The operations of a path of charter's, with and without `?beta=true`.
fn operations(contract: &Value) -> Vec<(Operation, &Value)> {
    let paths = contract["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (operation, method, path) in Operation::ALL {
        let method = method.as_str().to_lowercase();
        let variants: Vec<&Value> = ["", "?beta=true"]
            .iter()
            .filter_map(|query| {
                paths.get(&format!("/v1/organizations/{path}{query}"))?.get(&method)
            })
            .collect();
        assert!(!variants.is_empty(), "the contract has no {method} {path}");
        found.extend(variants.into_iter().map(|variant| (operation, variant)));
    }
    found
}

/// Codes that the contract documents for an operation.
fn coded(operation: &Value) -> Vec<(u16, &str)> {
    let Some(codes) = operation.get("x-codes").and_then(Value::as_object) else {
        return Vec::new();
    };
    codes
        .iter()
        .flat_map(|(status, codes)| {
            let status: u16 = status.parse().unwrap();
            codes.as_array().unwrap().iter().map(move |code| (status, code.as_str().unwrap()))
        })
        .collect()
}

/// A status, as a number or as the text of one.
fn number(status: &Value) -> u16 {
    let text = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    text.parse().unwrap()
}

/// What the contract documents and nobody decided.
fn undecided(contract: &Value, decided: impl Fn(Operation, u16, &str) -> bool) -> Vec<String> {
    let mut open = BTreeSet::new();
    for (operation, documented) in operations(contract) {
        for (status, code) in coded(documented) {
            if !decided(operation, status, code) {
                open.insert(format!("{operation:?}: {status} {code}"));
            }
        }
        for status in documented["x-statuses"].as_array().unwrap() {
            let status = number(status);
            if !STATUSES.iter().any(|(known, ..)| *known == status) {
                open.insert(format!("{operation:?}: {status}"));
            }
        }
        // Answers that are written out: successes, the default, and statuses with codes of their own.
        for answer in documented["responses"].as_object().unwrap().keys() {
            let status = answer.parse::<u16>().ok().filter(|status| *status != 200);
            if status.is_some_and(|status| !STATUSES.iter().any(|(known, ..)| *known == status)) {
                open.insert(format!("{operation:?}: {answer}"));
            }
        }
    }
    open.into_iter().collect()
}

fn in_the_table(operation: Operation, status: u16, code: &str) -> bool {
    entry(operation, status, code).is_some()
}

#[test]
fn every_code_and_status_of_the_contract_is_decided() {
    assert_eq!(undecided(&contract(), in_the_table), [""; 0]);
}

#[test]
fn a_code_or_status_that_nobody_decided_is_found() {
    let without = |operation: Operation, status: u16, code: &str| {
        code != "workspace_created_incomplete" && in_the_table(operation, status, code)
    };
    assert_eq!(
        undecided(&contract(), without),
        ["CreateWorkspace: 503 workspace_created_incomplete"]
    );
    let mut later = contract();
    let users = &mut later["paths"]["/v1/organizations/users/{user_id}"]["post"];
    users["x-codes"]["409"] = serde_json::json!(["role_changed_concurrently"]);
    users["x-statuses"].as_array_mut().unwrap().push("418".into());
    let open = undecided(&later, in_the_table);
    assert!(open.contains(&"UpdateUser: 409 role_changed_concurrently".to_owned()), "{open:?}");
    assert!(open.contains(&"UpdateUser: 418".to_owned()), "{open:?}");
}

#[test]
fn the_table_has_no_code_that_the_contract_does_not_have() {
    let contract = contract();
    let documented: BTreeSet<(Operation, u16, String)> = operations(&contract)
        .into_iter()
        .flat_map(|(operation, documented)| {
            coded(documented)
                .into_iter()
                .map(move |(status, code)| (operation, status, code.to_owned()))
        })
        .collect();
    for Code { on, status, code, .. } in CODES {
        for operation in *on {
            let entry = (*operation, *status, (*code).to_owned());
            assert!(documented.contains(&entry), "{entry:?}");
        }
    }
}

#[test]
fn every_code_has_help_and_its_placeholders_are_known() {
    for Code { code, help, .. } in CODES {
        assert!(help.len() > 20, "{code}");
        for placeholder in help.split('{').skip(1) {
            let name = placeholder.split('}').next().unwrap();
            assert!(["title", "domain", "field"].contains(&name), "{code}: {name}");
        }
    }
}

#[test]
fn a_code_goes_before_the_status_and_only_where_it_is_documented() {
    let of = |operation, status, code| class(Some(operation), status, code);
    assert_eq!(of(CreateWorkspace, 503, Some("workspace_created_incomplete")), Class::Done);
    assert_eq!(of(CreateWorkspace, 503, None), Class::MaybeDone);
    assert_eq!(of(UpdateWorkspace, 503, Some("workspace_created_incomplete")), Class::MaybeDone);
    assert_eq!(
        of(CreateWorkspace, 503, Some("authorization_check_unavailable")),
        Class::NothingDone
    );
    assert_eq!(of(ArchiveWorkspace, 409, Some("storage_attached_during_archive")), Class::Done);
    assert_eq!(of(RemoveUser, 409, Some("concurrent_membership_change")), Class::NothingDone);
    assert_eq!(of(UpdateWorkspace, 409, Some("workspace_changed_concurrently")), Class::PartlyDone);
    // A conflict of an unknown kind is no proof that nothing was done.
    assert_eq!(of(ArchiveWorkspace, 409, None), Class::NothingDone);
    assert_eq!(of(ArchiveWorkspace, 409, Some("from_the_future")), Class::MaybeDone);
    assert_eq!(of(RemoveUser, 409, Some("storage_attached_during_archive")), Class::MaybeDone);
    for (status, class) in [(499, Class::MaybeDone), (501, Class::Final), (599, Class::MaybeDone)] {
        assert_eq!(of(Invite, status, Some("from_the_future")), class, "{status}");
    }
}

#[test]
fn a_request_is_known_by_its_method_and_path() {
    let of = |method, path: &str| {
        Operation::of(&Asked { method, target: format!("/v1/organizations/{path}") })
    };
    assert_eq!(of(Method::Post, "workspaces/w/archive"), Some(ArchiveWorkspace));
    assert_eq!(of(Method::Post, "workspaces/w/members"), Some(AddMember));
    assert_eq!(of(Method::Post, "workspaces/w"), Some(UpdateWorkspace));
    assert_eq!(of(Method::Delete, "workspaces/w"), None);
    assert_eq!(of(Method::Post, "users/u/sign_out"), None);
    assert_eq!(of(Method::Post, "users/"), None);
}

#[test]
fn help_names_the_field_of_the_error_and_no_other_word_of_the_server() {
    let error = |field: &str| StatusError {
        asked: Asked {
            method: Method::Post,
            target: "/v1/organizations/workspaces/wrkspc_1".to_owned(),
        },
        status: 400,
        error_type: "invalid_request_error".to_owned(),
        code: Some("storage_profile_mismatch".to_owned()),
        details: Some(serde_json::json!({"field": field})),
        message: "no".to_owned(),
        request_id: None,
        retry_after: None,
        should_retry: None,
        credential: None,
        limited_for: None,
    };
    let named = help(&error("inference_data_privacy.transcripts_storage"), "Prod").unwrap();
    assert!(named.contains("(`inference_data_privacy.transcripts_storage`)"), "{named}");
    for other in ["run this: {title}", "", "A", "\u{1b}[2J"] {
        let unnamed = help(&error(other), "Prod").unwrap();
        assert!(unnamed.contains("(a setting)"), "{unnamed}");
    }
}
