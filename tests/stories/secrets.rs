//! No secret is in anything that charter says or writes, at the highest log level.

use crate::support::{KEY, SEED, Served, Story, read};

#[test]
fn no_credential_appears_in_any_output_log_plan_or_journal() {
    let served = Served::start(SEED);
    let token = "sk-ant-oat01-unused-0123456789-abcdefghij";
    for format in ["text", "json"] {
        let story = Story::new()
            .to(&served.url())
            .env("ANTHROPIC_AUTH_TOKEN", token)
            .env("CHARTER_LOG", "trace");
        let mut said = String::new();
        for args in [
            &["plan", "--out", "plan.json"][..],
            &["plan", "--format", "json"],
            &["drift"],
            &["import"],
            &["access"],
            &["apply", "plan.json", "--yes", "--journal", "journal.jsonl"],
        ] {
            let run = story.run(&[args, &["-vv", "--log-format", format]].concat());
            assert!(matches!(run.code, Some(0 | 2 | 4)), "{run:?}");
            assert!(run.stderr.contains("request"), "the log is on: {run:?}");
            said.push_str(&run.stdout);
            said.push_str(&run.stderr);
        }
        for file in story.made() {
            said.push_str(&read(&story.path(&file)));
        }
        assert!(said.contains("ANTHROPIC_ADMIN_KEY"));
        for secret in [KEY, token, "right-0123456789", "unused-0123456789"] {
            assert!(!said.contains(secret), "{secret} was shown");
        }
    }
}
