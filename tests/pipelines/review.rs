//! Pull requests: one comment, no credentials, nothing checked out, and no name that runs.

use std::{fs, os::unix::ffi::OsStrExt as _};

use serde_json::{Value, json};

use crate::{
    stage::{Job, Stage},
    support::{FILE, KEY, SEED, ended},
};

/// Whether a file of this name was made anywhere.
fn ran(stage: &Stage, name: &str) -> bool {
    let mut folders = vec![stage.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_name().as_bytes() == name.as_bytes() {
                return true;
            }
        }
    }
    false
}

fn body(value: &Value) -> &str {
    value["body"].as_str().unwrap()
}

#[track_caller]
fn passes(job: &Job) {
    assert_eq!(job.code, 0, "{job:?}");
}

fn with_dee(stage: &Stage) {
    stage.write("charter.yaml", &format!("{FILE}  dee@acme.com: user\n"));
}

#[test]
fn the_comment_of_a_pull_request_is_made_once_and_then_replaced() {
    let mut stage = Stage::new(SEED, FILE);
    // Somebody else copies the mark: neither theirs nor an unrelated comment is touched.
    let first = stage.proposed(with_dee);
    passes(&stage.act("review", &[]));
    let made = stage.stored("comments");
    assert_eq!(made.len(), 1);
    assert!(body(&made[0]).starts_with("<!-- charter:diff -->\n<!-- charter:path:"), "{made:?}");
    assert!(body(&made[0]).contains("dee@acme.com gains user in the organization"), "{made:?}");
    assert!(body(&made[0]).contains("### charter policy: nothing found"), "{made:?}");
    assert!(body(&made[0]).contains(&format!("Commit `{first}`")), "{made:?}");
    let copied = json!({"id": 7, "user": {"login": "mallory"}, "body": body(&made[0])});
    stage.store(
        "comments",
        &json!([copied, {"id": 8, "user": {"login": "ada"}, "body": null}, made[0]]),
    );

    let second = stage
        .proposed(|stage| stage.write("charter.yaml", &format!("{FILE}  eve@acme.com: user\n")));
    let job = stage.act("review", &[]);
    passes(&job);
    let now = stage.stored("comments");
    assert_eq!(now.len(), 3);
    assert_eq!(now[0], copied);
    assert_eq!(now[2]["id"], made[0]["id"]);
    assert!(body(&now[2]).contains("eve@acme.com gains user"), "{now:?}");
    assert!(!body(&now[2]).contains("dee@acme.com"), "{now:?}");
    assert!(body(&now[2]).contains(&format!("Commit `{second}`")), "{now:?}");
    assert!(job.summary.contains("eve@acme.com gains user"), "{job:?}");
    assert!(
        job.log.contains("::notice file=charter.yaml,line=7,col=3,title=charter diff"),
        "{job:?}"
    );
}

#[test]
fn the_files_of_two_organizations_have_two_comments() {
    let read = "read: {exclude: [\"lab/**\"]}\n";
    let mut stage = Stage::new(SEED, &format!("{FILE}{read}"));
    stage.write("lab/charter.yaml", FILE);
    stage.commit("Lab");
    stage.proposed(|stage| {
        stage.write("charter.yaml", &format!("{FILE}  dee@acme.com: user\n{read}"));
        stage.write("lab/charter.yaml", &format!("{FILE}  lab@acme.com: user\n"));
    });
    for _ in 0..2 {
        passes(&stage.act("review", &[]));
        passes(&stage.act("review", &[("path", "lab")]));
    }
    let made = stage.stored("comments");
    assert_eq!(made.len(), 2, "{made:?}");
    assert!(body(&made[0]).contains("dee@acme.com"), "{made:?}");
    assert!(body(&made[1]).contains("lab@acme.com"), "{made:?}");
}

/// The default was `charter.yaml` once, and comments are keyed by the path.
#[test]
fn the_comment_of_the_default_before_is_taken_over() {
    let mut stage = Stage::new(SEED, FILE);
    stage.proposed(with_dee);
    passes(&stage.act("review", &[("path", "charter.yaml")]));
    passes(&stage.act("review", &[]));
    passes(&stage.act("review", &[("path", ".")]));
    assert_eq!(stage.stored("comments").len(), 1);
}

#[test]
fn a_fork_without_a_token_that_writes_passes_with_the_summary() {
    let mut stage = Stage::new(SEED, FILE);
    stage.proposed(with_dee);
    for token in ["", "reads-only"] {
        stage.github.insert("token".to_owned(), token.to_owned());
        let job = stage.act("review", &[]);
        passes(&job);
        assert!(job.summary.contains("dee@acme.com gains user"), "{job:?}");
        assert!(job.log.contains("the report is in the summary of the step only"), "{job:?}");
        assert!(fs::read_to_string(&job.outputs["report"]).unwrap().contains("dee@acme.com"));
    }
    assert_eq!(stage.stored("comments"), Vec::<Value>::new());
}

#[test]
fn a_comment_that_github_does_not_take_for_another_reason_fails_the_check() {
    let mut stage = Stage::new(SEED, FILE);
    stage.proposed(with_dee);
    for (wrong, said) in [
        ("it went wrong (HTTP 502)", "GitHub answered: HTTP 502"),
        ("dial tcp: lookup api.github.com: no such host", "GitHub did not answer"),
    ] {
        fs::write(stage.path("gh/wrong"), wrong).unwrap();
        let job = stage.act("review", &[]);
        assert_eq!(job.code, 1, "{job:?}");
        assert!(job.log.contains(said) && !job.log.contains(wrong), "{job:?}");
    }
}

#[test]
fn a_refused_change_fails_the_check_and_the_comment_says_why() {
    let mut stage =
        Stage::new(SEED, &format!("{FILE}policy: {{admins: {{only: [ada@acme.com]}}}}\n"));
    // The rule goes in the same change that breaks it: the branch's rules hold as well.
    stage.proposed(|stage| {
        stage
            .write("charter.yaml", &FILE.replace("bob@acme.com: developer", "bob@acme.com: admin"));
    });
    let job = stage.act("review", &[]);
    assert_eq!(job.code, 4, "{job:?}");
    let comment = body(&stage.stored("comments")[0]).to_owned();
    assert!(comment.contains("by the rules of the base `refs/remotes/origin/main`"), "{comment}");
    assert!(
        comment.contains("policy.admins: nobody but `ada@acme.com` is admin -> (not set)"),
        "{comment}"
    );
    assert!(
        job.log.contains("::error file=charter.yaml,line=5,col=3,title=policy/admins::"),
        "{job:?}"
    );

    stage.proposed(|stage| stage.write("charter.yaml", "version: 1\nmembrs: {}\n"));
    let job = stage.act("review", &[]);
    assert_eq!(job.code, 3, "{job:?}");
    let comments = stage.stored("comments");
    assert_eq!(comments.len(), 1);
    assert!(body(&comments[0]).contains("config/unknown-key"), "{comments:?}");
    assert!(
        job.log.contains("::error file=charter.yaml,line=2,col=1,title=config/unknown-key::"),
        "{job:?}"
    );

    stage.proposed(|stage| fs::remove_file(stage.path("acme/access/charter.yaml")).unwrap());
    let job = stage.act("review", &[]);
    assert_eq!(job.code, 3, "{job:?}");
    assert!(body(&stage.stored("comments")[0]).contains("charter.yaml"), "{job:?}");
}

#[test]
fn a_review_has_no_credential_and_checks_nothing_out() {
    let mut stage = Stage::new(SEED, FILE);
    // A runner that has some, for other jobs.
    for name in [
        "ANTHROPIC_ADMIN_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN",
    ] {
        stage.set(name, KEY);
    }
    stage.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", KEY);
    stage.proposed(|stage| {
        with_dee(stage);
        stage.write(".gitattributes", "* filter=evil\n");
    });
    passes(&stage.act("review", &[]));
    let seen = fs::read_to_string(stage.path("seen")).unwrap();
    assert!(seen.matches("====").count() >= 5, "{seen}");
    assert!(!seen.contains(KEY) && !seen.contains("GH_TOKEN"), "{seen}");
    let left: Vec<_> = fs::read_dir(stage.home("repository")).unwrap().collect();
    assert_eq!(left.len(), 1, "more than .git: {left:?}");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
    let calls = fs::read_to_string(stage.path("gh/calls.jsonl")).unwrap();
    assert_eq!(calls.lines().count(), 2, "{calls}");
}

#[test]
fn names_that_look_like_shell_run_nothing() {
    let names = [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned #",
        "'; touch pwned; '",
        "\"; touch pwned; \"",
        "-rf",
        "--format=json",
        "a\nb; touch pwned",
        "a\n::error::forged",
        "##[group]forged",
        "${{ github.token }}",
        "*",
    ];
    let mut stage = Stage::new(SEED, &format!("{FILE}read: {{exclude: [\"team/**\"]}}\n"));
    // As file names in the pull request, with files that are right and wrong.
    stage.proposed(|stage| {
        for (index, name) in names.iter().enumerate() {
            let text =
                if index % 2 == 0 { "members: {x@acme.com: user}\n" } else { "membrs: {}\n" };
            stage.write(&format!("team/{name}.yaml"), text);
        }
        stage.write("team/charter.yaml", "version: 1\n");
    });
    let forged = |job: &Job| {
        let commands = ["::notice ", "::warning ", "::error "];
        let told = |line: &&str| line.starts_with("::") || line.contains("##[");
        job.log
            .lines()
            .filter(told)
            .all(|line| commands.iter().any(|command| line.starts_with(command)))
    };
    let job = stage.act("review", &[("path", "team")]);
    assert_eq!(job.code, 3, "{job:?}");
    assert!(forged(&job), "{job:?}");

    // As the names of things: none is a file, a branch or a commit, and nothing happens but a refusal. Each is tried
    // as the path, and as one of the others.
    let others = ["branch", "head", "pull-request", "mode"];
    for (index, name) in names.iter().enumerate() {
        for variable in ["GITHUB_HEAD_REF", "PULL_REQUEST_TITLE", "CHARTER_BASE_REV"] {
            stage.set(variable, name);
        }
        for input in ["path", others[index % others.len()]] {
            let job = stage.act("review", &[(input, name)]);
            let no_branch = input == "branch" && job.code == 1;
            assert!(job.code == 3 || no_branch, "{input}: {job:?}");
            assert!(forged(&job), "{job:?}");
        }
    }
    assert!(!ran(&stage, "pwned"));

    // And as the branch that the pull request is for, as far as Git lets them be.
    for branch in ["$(touch${IFS}pwned)", "`touch${IFS}pwned`", ";touch${IFS}pwned;#", "'\"&pwned"]
    {
        stage.git(&["branch", branch]);
        passes(&stage.act("review", &[("branch", branch)]));
    }
    assert!(!ran(&stage, "pwned"));
}

#[test]
fn a_reference_cannot_be_an_option_or_write_elsewhere() {
    let mut stage = Stage::new(SEED, FILE);
    stage.proposed(with_dee);
    for head in [
        "--upload-pack=touch pwned",
        "refs/heads/topic:refs/remotes/origin/main",
        "+refs/heads/topic",
        "topic",
        "HEAD",
        "refs/heads/*",
        "refs/heads/to pic",
    ] {
        let job = stage.act("review", &[("head", head)]);
        assert_eq!(job.code, 3, "{job:?}");
        assert!(
            job.log.contains("CHARTER_HEAD is neither a commit nor a full reference"),
            "{job:?}"
        );
    }
    assert!(!ran(&stage, "pwned"));
    passes(&stage.act("review", &[("head", "refs/heads/topic")]));
}

#[test]
fn elsewhere_a_review_is_text_and_a_file() {
    let mut stage = Stage::new(SEED, FILE);
    let head = stage.proposed(with_dee);
    passes(&stage.act("review", &[]));
    let mut command = stage.script("review.sh");
    command.env("CHARTER_PATH", "charter.yaml").env("CHARTER_BRANCH", "main");
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("charter.yaml: valid: 4 members"), "{run:?}");
    assert!(run.stdout.contains("dee@acme.com gains user in the organization"), "{run:?}");
    let report = fs::read_to_string(stage.home("out/report.md")).unwrap();
    assert!(report.contains(&head), "{report}");
}

#[test]
fn a_report_that_is_too_long_for_a_comment_sends_the_policy_to_the_summary() {
    let rule = "policy: {email_domains: [{domains: [acme.com]}]}\n";
    let mut stage = Stage::new(SEED, &format!("{FILE}{rule}"));
    stage.proposed(|stage| {
        let people = (0..600).map(|number| {
            format!("  somebody-with-a-long-name-{number:04}@elsewhere.example.com: user\n")
        });
        stage.write("charter.yaml", &format!("{FILE}{}{rule}", people.collect::<String>()));
    });
    let job = stage.act("review", &[]);
    assert_eq!(job.code, 4, "{job:?}");
    let comments = stage.stored("comments");
    let text = body(&comments[0]);
    assert!(text.chars().count() < 65_536);
    assert!(text.contains("see the summary of the check"), "{text}");
    let line = job.summary.lines().find(|line| line.starts_with("### charter policy: "));
    assert_eq!(line, Some("### charter policy: 501 errors"));
}
