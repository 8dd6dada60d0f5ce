//! Each thing that is in the way gives one message that says what to do next.

use crate::support::{FILE, ID, KEY, SEED, Served, Story, answering, nobody};

const HTML: &str = "<html><head><title>Access denied</title></head><body>proxy</body></html>";

#[test]
fn without_a_credential_every_way_to_give_one_is_named() {
    let (error, help) = Story::new().run(&["plan"]).one_message(1);
    assert_eq!(error, "no credential is set");
    for way in [
        "ANTHROPIC_ADMIN_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN_FILE",
        "--sandbox",
    ] {
        assert!(help.contains(way), "{way}: {help}");
    }
}

#[test]
fn an_empty_variable_is_no_credential() {
    let story = Story::new().env("ANTHROPIC_ADMIN_KEY", "");
    assert_eq!(story.run(&["plan"]).one_message(1).0, "no credential is set");
}

#[test]
fn a_wrong_key_is_named_by_its_variable_and_never_by_its_text() {
    let served = Served::start(SEED);
    let wrong = "sk-ant-admin01-wrong-9876543210-zyxwvutsrq";
    let story =
        Story::new().env("ANTHROPIC_BASE_URL", &served.url()).env("ANTHROPIC_ADMIN_KEY", wrong);
    let run = story.run(&["plan"]);
    let (error, help) = run.one_message(1);
    assert!(error.contains("401 authentication_error"), "{error}");
    assert!(error.contains("request-id req_"), "{error}");
    assert!(help.contains("`ANTHROPIC_ADMIN_KEY`: it is refused"), "{help}");
    assert!(!format!("{run:?}").contains("wrong-98765"), "{run:?}");
}

#[test]
fn a_key_of_one_workspace_is_told_from_an_admin_key() {
    let served = Served::start(SEED);
    let story = Story::new()
        .env("ANTHROPIC_BASE_URL", &served.url())
        .env("ANTHROPIC_API_KEY", "sk-ant-api03-workspace-0123456789");
    let (error, help) = story.run(&["plan"]).one_message(1);
    assert!(error.contains("403 permission_error"), "{error}");
    assert!(help.contains("`ANTHROPIC_API_KEY`"), "{help}");
    assert!(help.contains("Admin API key") && help.contains("workspace-scoped"), "{help}");
}

#[test]
fn an_unreachable_host_points_at_address_and_proxy() {
    let (error, help) = Story::new().to(&nobody()).run(&["plan"]).one_message(1);
    assert!(error.contains("cannot connect"), "{error}");
    assert!(help.contains("--base-url") && help.contains("HTTPS_PROXY"), "{help}");
}

#[test]
fn a_proxys_page_is_not_taken_for_an_answer() {
    for (status, reply) in [
        (200, "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n"),
        (403, "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n"),
    ] {
        let reply: &'static str = Box::leak(format!("{reply}{HTML}").into_boxed_str());
        let (error, help) = Story::new().to(&answering(reply)).run(&["plan"]).one_message(1);
        assert!(error.contains(&format!("status {status}")), "{error}");
        assert!(error.contains("<title>Access denied</title>"), "{error}");
        assert!(help.contains("proxy"), "{help}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let reply = "HTTP/1.1 302 Found\r\nlocation: https://elsewhere.acme.com/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (error, help) = Story::new().to(&answering(reply)).run(&["plan"]).one_message(1);
    assert!(error.contains("redirects to `https://elsewhere.acme.com/`"), "{error}");
    assert!(help.contains("base URL to the final address"), "{help}");
}

#[test]
fn a_base_url_in_the_clear_is_refused_before_anything_is_sent() {
    for url in ["http://api.acme.com", "api.acme.com", "https://user:pass@api.acme.com"] {
        let story = Story::new().env("ANTHROPIC_ADMIN_KEY", KEY);
        let (error, help) = story.run(&["plan", "--base-url", url]).one_message(3);
        assert!(error.contains("base URL"), "{error}");
        assert!(!error.contains(":pass"), "{error}");
        assert!(help.contains("https://host"), "{help}");
    }
}

#[test]
fn another_organization_is_refused_before_anything_else_is_read() {
    let served = Served::start(&SEED.replace(ID, "99999999-0000-4000-8000-000000000000"));
    for args in [&["plan"][..], &["apply", "--yes"], &["drift"]] {
        let (error, help) = Story::new().to(&served.url()).run(args).one_message(4);
        assert!(error.contains(ID), "{error}");
        assert!(error.contains("`99999999-0000-4000-8000-000000000000` (`Acme`)"), "{error}");
        assert!(help.contains("charter.yaml:2:20"), "{help}");
    }
    let log = served.sandbox().log();
    assert!(log.entries().iter().all(|entry| entry.target == "/v1/organizations/me"), "{log:?}");
    assert_eq!(log.entries().len(), 3, "each asked once: {log:?}");
}

#[test]
fn wrong_files_are_told_first_and_cost_no_more_than_the_first_question() {
    let served = Served::start(SEED);
    let wrong = format!("{FILE}surprise: {{}}\n");
    let stories = [
        Story::with(&wrong),
        Story::with(&wrong).to(&nobody()),
        Story::with(&wrong).to("http://api.acme.com"),
        Story::with(&wrong).to(&served.url()),
    ];
    for story in stories {
        for args in [&["plan"][..], &["apply", "--yes"], &["drift"]] {
            let run = story.run(args);
            assert_eq!(run.code, Some(3), "{run:?}");
            assert!(run.stderr.starts_with("error[config/unknown-key]"), "{run:?}");
            assert!(
                !run.stderr.contains("connect") && !run.stderr.contains("credential"),
                "{run:?}"
            );
        }
    }
    let log = served.sandbox().log();
    assert!(log.entries().iter().all(|entry| entry.target == "/v1/organizations/me"), "{log:?}");
}

#[test]
fn files_without_an_organization_are_planned_and_not_applied() {
    let served = Served::start(SEED);
    let file = FILE.replace(&format!("organization: {{id: {ID}}}\n"), "");
    let story = Story::with(&file).to(&served.url());
    let plan = story.run(&["plan"]);
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.stdout.contains(&format!("add\n  organization: {{id: {ID}}}\n")), "{plan:?}");
    let (error, help) = story.run(&["apply", "--yes"]).one_message(3);
    assert!(error.contains("which organization"), "{error}");
    assert!(help.contains("organization: {id:"), "{help}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn nobody_to_ask_is_told_to_look_first_and_to_say_yes() {
    let served = Served::start(SEED);
    let (error, help) = Story::new().to(&served.url()).run(&["apply"]).one_message(3);
    assert!(error.contains("no terminal"), "{error}");
    assert!(help.contains("charter apply --yes"), "{help}");
    assert!(served.sandbox().log().is_empty());
}

#[test]
fn a_clock_that_is_wrong_refuses_apply_and_not_plan() {
    let served = Served::start(&format!("now: 2020-01-01T00:00:00Z\n{SEED}"));
    let story = Story::new().to(&served.url());
    assert_eq!(story.run(&["plan"]).code, Some(0));
    let (error, help) = story.run(&["apply", "--yes"]).one_message(4);
    assert!(error.contains("clock") && error.contains("ahead"), "{error}");
    assert!(help.contains("set the clock"), "{help}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn a_mistake_on_the_command_line_ends_with_three() {
    let story = Story::new();
    for args in [&["plam"][..], &["plan", "--allow", "archive=1"], &["diff", "charter.yaml"], &[]] {
        let run = story.run(args);
        assert_eq!(run.code, Some(3), "{run:?}");
    }
    assert!(story.run(&["plam"]).stderr.contains("a similar subcommand exists: 'plan'"));
    assert_eq!(story.run(&["--version"]).code, Some(0));
    assert_eq!(story.run(&["plan", "--help"]).code, Some(0));
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let story = Story::new();
    let mut child = story.command(&["completions", "bash"]).spawn().unwrap();
    drop(child.stdout.take());
    let run = crate::support::ended(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_root_certificates_is_told_which_package_brings_them() {
    let story = Story::new()
        .to("https://127.0.0.1:1")
        .env("SSL_CERT_FILE", "/dev/null")
        .env("SSL_CERT_DIR", "/dev/null/none");
    let (error, help) = story.run(&["plan"]).one_message(1);
    assert!(error.contains("No CA certificates"), "{error}");
    assert!(help.contains("the package `ca-certificates`"), "{help}");
}

#[test]
fn a_credential_in_quotes_is_told_from_a_wrong_one() {
    let key = format!("\"{}\"", crate::support::KEY);
    let story = Story::new().to(&crate::support::nobody()).env("ANTHROPIC_ADMIN_KEY", &key);
    let (error, _) = story.run(&["plan"]).one_message(1);
    assert_eq!(
        error,
        "the value of `ANTHROPIC_ADMIN_KEY` has quotes around it, which are taken for a part of it"
    );
}
