//! Which variable wins, how it is sent, and what is said when none will do (`admin-api` notes on credentials).

use super::*;

fn find(variables: &[(&str, &str)]) -> Result<Found, CredentialError> {
    Credential::from_env(&|name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

const IDENTITY: [(&str, &str); 3] = [
    ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
    ("ANTHROPIC_ORGANIZATION_ID", "3f0c1b1e-0000-4000-8000-000000000000"),
    ("ANTHROPIC_IDENTITY_TOKEN_FILE", "/run/token"),
];

#[test]
fn the_first_variable_that_is_set_wins_and_the_others_are_told() {
    let mut all = vec![
        ("ANTHROPIC_AUTH_TOKEN", "token"),
        ("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-a"),
        ("ANTHROPIC_API_KEY", "sk-ant-api03-b"),
    ];
    all.extend(IDENTITY);
    let order = [
        "ANTHROPIC_ADMIN_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_FEDERATION_RULE_ID",
    ];
    for (index, wins) in order.iter().enumerate() {
        let found = find(&all).unwrap();
        assert_eq!(found.credential.source(), *wins);
        assert_eq!(found.also_set, order[index + 1..]);
        all.retain(|(name, _)| name != wins);
    }
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let found =
        find(&[("ANTHROPIC_ADMIN_KEY", " \n"), ("ANTHROPIC_API_KEY", "sk-ant-api03-b")]).unwrap();
    assert_eq!(found.credential.source(), "ANTHROPIC_API_KEY");
}

#[test]
fn a_final_newline_is_not_part_of_a_key() {
    let found = find(&[("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-a\r\n")]).unwrap();
    assert_eq!(
        found.credential.header(),
        Some(("x-api-key".to_owned(), "sk-ant-admin01-a".to_owned()))
    );
}

#[test]
fn an_access_token_in_a_keys_variable_is_sent_as_a_bearer() {
    let found = find(&[("ANTHROPIC_API_KEY", "sk-ant-oat01-t")]).unwrap();
    assert_eq!(
        found.credential.header(),
        Some(("authorization".to_owned(), "Bearer sk-ant-oat01-t".to_owned()))
    );
    assert_eq!(found.credential.source(), "ANTHROPIC_API_KEY");
}

#[test]
fn a_value_that_no_header_carries_is_refused_without_showing_it() {
    for value in ["sk-ant admin01", "sk-ant-\u{fc}ber", "sk\nant", "sk\u{1}ant"] {
        let error = find(&[("ANTHROPIC_AUTH_TOKEN", value)]).unwrap_err();
        assert!(
            error.to_string().starts_with("the value of `ANTHROPIC_AUTH_TOKEN` has "),
            "{error}"
        );
        assert!(!format!("{error} {error:?} {}", error.next_step()).contains("ant"), "{error:?}");
    }
}

#[test]
fn nothing_set_lists_what_can_be_set() {
    let error = find(&[]).unwrap_err();
    let step = error.next_step();
    for name in [
        "ANTHROPIC_ADMIN_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "org:admin",
        "--sandbox",
    ] {
        assert!(step.contains(name), "{step} lacks {name}");
    }
    let error = find(&[("ANTHROPIC_ADMIN_API_KEY", "sk-ant-admin01-a")]).unwrap_err();
    assert!(error.next_step().starts_with("`ANTHROPIC_ADMIN_API_KEY` is set but not read"));
}

#[test]
fn a_workload_identity_that_lacks_a_part_names_it() {
    let error = find(&IDENTITY[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the workload identity is not complete: `ANTHROPIC_ORGANIZATION_ID` and `ANTHROPIC_IDENTITY_TOKEN_FILE` are not set"
    );
    let error = find(&[IDENTITY[0], IDENTITY[2]]).unwrap_err();
    assert!(error.to_string().ends_with("`ANTHROPIC_ORGANIZATION_ID` is not set"), "{error}");
    assert!(matches!(find(&IDENTITY[1..2]), Err(CredentialError::Missing { .. })));
    find(&[IDENTITY[0], ("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-a")]).unwrap();
}

#[test]
fn a_token_file_goes_before_the_token_itself() {
    let mut all = IDENTITY.to_vec();
    all.push(("ANTHROPIC_IDENTITY_TOKEN", "eyJ.a.b"));
    all.push(("ANTHROPIC_SERVICE_ACCOUNT_ID", "svac_1"));
    all.push(("ANTHROPIC_WORKSPACE_ID", ""));
    let Credential::WorkloadIdentity(identity) = find(&all).unwrap().credential else { panic!() };
    assert!(matches!(identity.identity, IdentityToken::File(_)));
    assert_eq!(identity.service_account_id.as_deref(), Some("svac_1"));
    assert_eq!(identity.workspace_id, None);
    all.remove(2);
    let Credential::WorkloadIdentity(identity) = find(&all).unwrap().credential else { panic!() };
    assert!(matches!(identity.identity, IdentityToken::Literal(_)));
}

#[test]
fn a_keys_hint_is_recognized_by_its_head_and_tail() {
    let key = find(&[("ANTHROPIC_API_KEY", "sk-ant-api03-R2D2-middle-igAA")]).unwrap().credential;
    for (hint, fits) in [
        ("sk-ant-api03-R2D...igAA", true),
        ("sk-ant-api03-R2D…igAA", true),
        ("sk-ant-api03-R2D2-middle-igAA", true),
        ("sk-ant-api03-R2D...igAB", false),
        ("sk-ant-api03-XYZ...igAA", false),
        ("sk-ant-api03-R2D2-middle-igAA...igAA", false),
        ("...", false),
        ("", false),
    ] {
        assert_eq!(key.matches_hint(hint), fits, "{hint}");
    }
    let identity = find(&IDENTITY).unwrap().credential;
    assert!(!identity.matches_hint("sk-ant-api03-R2D...igAA"));
}

#[test]
fn debug_shows_no_secret() {
    let found = find(&[("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-hush")]).unwrap();
    assert!(!format!("{found:?}").contains("hush"));
}

#[test]
fn a_variable_that_was_named_is_sent_only_if_it_looks_like_a_credential_of_the_api() {
    let of = |value: &'static str| {
        Credential::from_variable("ACME_KEY", &|name| (name == "ACME_KEY").then(|| value.into()))
    };
    assert_eq!(of("sk-ant-admin01-a").unwrap().source(), "ACME_KEY");
    let error = of("hunter2-of-some-other-service").unwrap_err();
    assert!(matches!(error, CredentialError::Malformed { .. }), "{error:?}");
}

#[test]
fn a_hint_that_shows_one_end_only_is_still_ones_own_key() {
    let found = find(&[("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-abcdwxyz")]).unwrap();
    for (hint, own) in [
        ("...wxyz", true),
        ("sk-ant-admin01-...", true),
        ("...", false),
        ("...wxy", false),
        ("sk-ant-admin02-...wxyz", false),
        ("sk-ant-admin01-...dcba", false),
    ] {
        assert_eq!(found.credential.matches_hint(hint), own, "{hint}");
    }
}

#[test]
fn a_profile_of_the_official_cli_is_not_read_but_its_access_token_is_within_reach() {
    let error = find(&[("ANTHROPIC_PROFILE", "work")]).unwrap_err();
    let step = error.next_step();
    assert!(step.contains("ant auth print-credentials --profile work --access-token"), "{step}");
    assert!(step.contains("ant auth login --profile work --scope"), "{step}");
    let found =
        find(&[("ANTHROPIC_PROFILE", "work"), ("ANTHROPIC_API_KEY", "sk-ant-api03-b")]).unwrap();
    assert_eq!(found.also_set, ["ANTHROPIC_PROFILE"]);
}

#[test]
fn a_profile_on_disk_is_found_where_each_sdk_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let profiles = folder.path().join(".config/anthropic/configs");
    std::fs::create_dir_all(&profiles).unwrap();
    assert!(!find(&[("HOME", home)]).unwrap_err().next_step().contains("ant auth"));
    std::fs::write(profiles.join("default.json"), "{}").unwrap();
    std::fs::write(profiles.join("admin.json"), "{}").unwrap();
    assert!(find(&[("HOME", home)]).unwrap_err().next_step().contains("--profile default "));
    std::fs::write(folder.path().join(".config/anthropic/active_config"), "admin\n").unwrap();
    assert!(find(&[("HOME", home)]).unwrap_err().next_step().contains("--profile admin "));
    let elsewhere = [("HOME", home), ("ANTHROPIC_CONFIG_DIR", "/nowhere")];
    assert!(!find(&elsewhere).unwrap_err().next_step().contains("ant auth"));
    // A name that a shell would take apart is not put into a command.
    assert!(
        find(&[("ANTHROPIC_PROFILE", "a; b")])
            .unwrap_err()
            .next_step()
            .contains("--profile default ")
    );
}
