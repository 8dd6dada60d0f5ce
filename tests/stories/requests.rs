//! What is said of requests and credentials: waits, limits, scopes, clocks, reused tokens.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
};

use jiff::{SignedDuration, Timestamp};

use crate::support::{FILE, ID, KEY, SEED, Served, Story};

/// Lines of stderr up to the first that contains `wanted`; then the run is ended.
fn said_until(mut child: Child, wanted: &str) -> Vec<String> {
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().unwrap().contains(wanted) {
            break;
        }
    }
    let _ = child.kill();
    child.wait().unwrap();
    said
}

#[test]
fn a_wait_while_reading_says_why_and_until_when_in_a_pipe_too() {
    let fault = "faults: [{on: \"GET /v1/organizations/users\", nth: 1, then: {rate_limited: {seconds: 7}}}]\n";
    let served = Served::start(&format!("{SEED}{fault}"));
    let run = Story::new().to(&served.url()).run(&["plan"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let waits = run.stderr.matches(" s for the request limit, which others use too").count();
    assert_eq!(waits, 1, "{run:?}");
}

#[test]
fn apply_says_how_long_it_takes_and_what_it_waits_for() {
    let served = Served::start(SEED);
    let story = Story::new().to(&served.url());
    // Plan takes three requests, and apply two more.
    let mut command = story.command(&["apply", "--yes", "--requests-per-minute", "4"]);
    let said = said_until(command.spawn().unwrap(), " for the request limit").join("\n");
    assert!(said.contains("applying takes about "), "{said}");
    let wait = said.lines().last().unwrap();
    assert!(wait.starts_with("waiting "), "{said}");
    assert!(wait.contains(" for the request limit; about ") && wait.ends_with(" s left"), "{said}");
}

#[test]
fn answers_of_another_organization_end_the_run_before_anything_is_written() {
    let other = "3f0c1b1e-0000-4000-8000-0000000000e0";
    let fault = format!(
        "faults: [{{on: \"GET /v1/organizations/users\", nth: 1, then: {{other_organization: {other}}}}}]\n"
    );
    let served = Served::start(&format!("{SEED}{fault}"));
    let run = Story::new().to(&served.url()).run(&["apply", "--yes"]);
    let (error, help) = run.one_message(1);
    assert!(
        error.contains(&format!("from the organization `{other}`, and earlier ones from `{ID}`")),
        "{error}"
    );
    assert!(help.contains("answers for more than one organization"), "{help}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn the_first_write_for_which_a_scope_is_missing_ends_the_apply_and_quotes_the_api() {
    let people: String = (0..10).map(|number| format!("  p{number}@acme.com: user\n")).collect();
    let file = format!(
        "version: 1\norganization: {{id: {ID}, kind: enterprise}}\nmembers:\n  ada@acme.com: owner\n{people}"
    );
    let key = "sk-ant-api01-read-0123456789-abcdefghij";
    let seed = format!(
        "organization: {{id: {ID}, name: Acme, kind: enterprise}}\ncredentials: {{scoped_keys: {{{key}: [\"read:members\"]}}}}\n\
         users:\n  - {{email: ada@acme.com, role: admin}}\n"
    );
    let served = Served::start(&seed);
    let story =
        Story::with(&file).env("ANTHROPIC_BASE_URL", &served.url()).env("ANTHROPIC_API_KEY", key);
    let run = story.run(&["apply", "--yes"]);
    let said = format!("{}{}", run.stdout, run.stderr);
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let quote = "Missing required scopes. Got: ['read:members'] Needed one of: ['write:members']";
    assert!(
        flat.contains(&format!(
            "the credential lacks a scope (the API says: {quote}): nothing more is begun"
        )),
        "{said}"
    );
    assert!(flat.contains("`ANTHROPIC_API_KEY` needs the scope `write:members`"), "{said}");
    assert!(flat.contains("not started"), "{said}");
    assert_ne!(run.code, Some(0));
    let tried = served.sandbox().log().entries().iter().filter(|entry| entry.status == 403).count();
    assert!((1..=3).contains(&tried), "{tried} writes were tried");
}

#[cfg(unix)]
#[test]
fn a_key_that_is_no_text_is_not_taken_for_none() {
    use std::os::unix::ffi::OsStrExt as _;
    let story = Story::new();
    let mut command = story.command(&["plan"]);
    command.env("ANTHROPIC_ADMIN_KEY", std::ffi::OsStr::from_bytes(b"sk-ant-admin01-\xff"));
    let run = crate::support::ended(command.output().unwrap());
    let (error, help) = run.one_message(1);
    assert_eq!(error, "the value of `ANTHROPIC_ADMIN_KEY` has characters that are not ASCII");
    assert!(help.contains("copy the credential again"), "{help}");
}

#[test]
fn a_clock_that_is_off_is_said_and_no_end_by_date_is_planned_by_it() {
    let there = Timestamp::now() + SignedDuration::from_hours(24 * 3);
    let served = Served::start(&format!("{SEED}now: {there}\nclock: running\n"));
    for command in ["plan", "drift"] {
        let run = Story::new().to(&served.url()).run(&[command]);
        assert!(run.code == Some(0) || run.code == Some(2), "{run:?}");
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains("this machine's clock is 3 days behind the API's"), "{said}");
    }
    let tomorrow =
        (Timestamp::now() + SignedDuration::from_hours(24)).strftime("%Y-%m-%d").to_string();
    let file = FILE.replace(
        "bob@acme.com: developer",
        &format!("bob@acme.com: {{role: developer, until: {tomorrow}}}"),
    );
    let run = Story::with(&file).to(&served.url()).run(&["plan"]);
    let (error, help) = run.one_message(4);
    assert!(error.contains("have ended by one of the two clocks only"), "{error}");
    assert!(help.contains("set the clock"), "{help}");
}

/// A token with a `jti`, as issuers make them.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJqdGkiOiJ4In0.c2ln";

#[test]
fn a_reused_identity_token_is_named_and_a_shared_access_token_is_the_way_round_it() {
    let federation = format!(
        "federation: [{{id: fdrl_1, service_account: svac_1, assertions: [{JWT}], check_jti: true}}]"
    );
    let seed = SEED.replace("credentials: {", &format!("credentials: {{{federation}, "));
    let served = Served::start(&seed);
    let story = |cache: bool| {
        let story = Story::new()
            .env("ANTHROPIC_BASE_URL", &served.url())
            .env("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1")
            .env("ANTHROPIC_ORGANIZATION_ID", ID)
            .env("ANTHROPIC_SERVICE_ACCOUNT_ID", "svac_1")
            .env("ANTHROPIC_IDENTITY_TOKEN", JWT);
        if cache { story.env("CHARTER_TOKEN_CACHE", "access-token") } else { story }
    };
    let sharing = story(true);
    for _ in 0..2 {
        let run = sharing.run(&["plan"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!format!("{run:?}").contains("sk-ant-oat"), "{run:?}");
    }
    let (error, help) = story(false).run(&["plan"]).one_message(1);
    assert!(error.contains("POST /v1/oauth/token: 401"), "{error}");
    assert!(
        help.contains("most likely the identity token was exchanged already: it has a `jti`"),
        "{help}"
    );
}

#[test]
fn the_credential_that_won_is_named_with_those_that_lost() {
    let served = Served::start(SEED);
    let story = Story::new()
        .env("ANTHROPIC_BASE_URL", &served.url())
        .env("ANTHROPIC_ADMIN_KEY", "sk-ant-admin01-wrong-9876543210-zyxwvutsrq")
        .env("ANTHROPIC_API_KEY", KEY);
    let (_, help) = story.run(&["plan"]).one_message(1);
    assert!(help.ends_with("`ANTHROPIC_ADMIN_KEY` came first, so `ANTHROPIC_API_KEY` is set too and not used: unset what is not meant"), "{help}");
}
