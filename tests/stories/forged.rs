//! What somebody without a credential can put where charter looks: a trailer, an older record, attributes, an address.
//!
//! Invariant: it loosens nothing, and no call follows from it.

use crate::{
    applied::{applied, apply},
    repository::{LIVE, flowing, repository, shows},
    support::{SEED, Served, Story, read},
};

#[test]
fn a_trailer_passes_no_guard() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.edit("charter.yaml", "guard: {", "guard: {invites: 0, ");
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    story.commit("Invite eve\n\nReviewed.\n\nCharter-Allow: invites=1");
    let args = ["apply", ".", "--yes", "--rev", "topic", "--ack-from-commit", "topic"];
    let run = story.run(&args);
    shows(&run, 4, &["refused by a guard"]);
    assert!(flowing(&run.stderr).contains("a guard refuses this plan"), "{run:?}");
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn an_older_record_that_is_put_back_loosens_nothing_of_the_base() {
    let served = Served::start(LIVE);
    let story = applied(&served);
    let limit = |from: &str, to: &str, message: &str| {
        let members = |count: &str| format!("removals: {{members: {count}}}");
        story.edit("charter.yaml", &members(from), &members(to));
        story.commit(message);
        assert_eq!(apply(&story, &[]).code, Some(0));
        read(&story.path("applied.json"))
    };
    let older = limit("1", "9", "Loosen");
    let saved = ["plan", ".", "--rev", "main", "--base-rev", "main^1", "--out", "plan.json"];
    let record = ["--last-applied", "applied.json"];
    limit("9", "1", "Tighten");
    assert_eq!(story.run(&[&saved[..], &record].concat()).code, Some(0));
    story.write("applied.json", &older);
    // A plan that was saved before is stale.
    let args = [&["apply", "--plan", "plan.json", "--yes"][..], &record].concat();
    let (error, _) = story.run(&args).one_message(4);
    assert!(error.contains("the plan is stale: it was held against"), "{error}");
    // A new one is held against the commit before the change all the same.
    story.edit("charter.yaml", "removals: {members: 1}", "removals: {members: 9}");
    story.edit("charter.yaml", "manage: {members: report", "manage: {members: remove");
    story.write("teams/ml.yaml", "teams: {ml: []}\n");
    story.commit("Let the team go");
    let run = story.run(&[&saved[..6], &record].concat());
    shows(&run, 4, &["and the limit is 1 in the base"]);
    assert_eq!(apply(&story, &["--base-rev", "main^1"]).code, Some(4));
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn review_plan_and_apply_read_the_same_bytes_whatever_attributes_say() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.edit(
        "charter.yaml",
        "  ada@acme.com: admin\n",
        "  ada@acme.com: admin\n  eve@acme.com: user\n",
    );
    story.commit("Invite eve");
    story.write(".gitattributes", "*.yaml working-tree-encoding=UTF-16LE ident text eol=crlf\n");
    story.git(&["add", ".gitattributes"]);
    story.git(&["commit", "--quiet", "--message", "Another encoding"]);
    // What a checkout makes of it is no text of charter's.
    std::fs::remove_file(story.path("charter.yaml")).unwrap();
    story.git(&["checkout", "--quiet", "--", "charter.yaml"]);
    assert!(std::fs::read(story.path("charter.yaml")).unwrap().contains(&0));
    assert_eq!(story.run(&["plan", "."]).code, Some(3));

    shows(&story.run(&["diff", "main...topic", "--", "."]), 0, &["eve@acme.com"]);
    shows(&story.run(&["plan", ".", "--rev", "topic"]), 0, &["+ invite eve@acme.com"]);
    let args = ["apply", ".", "--yes", "--rev", "topic", "--require-tip", "topic"];
    shows(&story.run(&args), 0, &["+ invite eve@acme.com"]);
    assert_eq!(served.calls().len(), 1);
}

#[test]
fn neither_files_nor_a_plan_choose_where_the_credential_goes() {
    let (served, other) = (Served::start(SEED), Served::start(SEED));
    let story = Story::new().to(&served.url());
    assert_eq!(story.run(&["plan", "--out", "plan.json"]).code, Some(0));
    let plan = read(&story.path("plan.json"));
    assert!(!plan.contains(&served.url()), "{plan}");
    let elsewhere = plan.replacen('{', &format!("{{\"base_url\": \"{}\",", other.url()), 1);
    story.write("elsewhere.json", &elsewhere);
    story.run(&["apply", "--plan", "elsewhere.json", "--yes"]);
    let file = read(&story.path("charter.yaml"));
    story.write("charter.yaml", &format!("{file}base_url: {}\n", other.url()));
    assert_eq!(story.run(&["plan"]).code, Some(3));
    assert!(other.sandbox().log().is_empty());
}
