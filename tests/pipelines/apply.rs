//! Plan and apply: the reviewed plan from the newest commit, or nothing.

use std::{fs, time::Duration};

use crate::{
    stage::{Job, Stage},
    support::{FILE, KEY, SEED, ended},
};

#[track_caller]
fn ends(job: &Job, code: i32, said: &str) {
    assert_eq!(job.code, code, "{job:?}");
    assert!(job.log.contains(said), "{job:?}");
}

/// What a commit of `main` adds.
const MORE: &str = "  dee@acme.com: user\n";

fn pushed() -> Stage {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.write("charter.yaml", &format!("{FILE}{MORE}"));
    stage.pushed("Add dee");
    stage
}

/// The saved plan, where another job would find it.
fn carried_over(stage: &Stage, job: &Job) -> String {
    let to = stage.path("workspace/plan.json");
    fs::copy(&job.outputs["plan"], to).unwrap();
    fs::remove_dir_all(stage.home("")).unwrap();
    "plan.json".to_owned()
}

#[test]
fn the_plan_that_was_seen_is_applied_and_then_nothing_is_left() {
    let stage = pushed();
    let job = stage.act("plan", &[]);
    ends(&job, 0, "");
    assert_eq!(job.outputs["changes"], "true");
    assert!(job.summary.starts_with("<!-- charter:plan -->"), "{job:?}");
    // By this change, and drift that was there before.
    assert!(job.summary.contains("by this change") && job.summary.contains("drift"), "{job:?}");
    let plan = carried_over(&stage, &job);

    let job = stage.act("apply", &[("plan", &plan)]);
    ends(&job, 0, "dee@acme.com");
    assert_eq!(stage.served.calls().len(), 3, "{:?}", stage.served.calls());
    assert!(fs::read_to_string(&job.outputs["journal"]).unwrap().lines().count() > 1);
    let job = stage.act("plan", &[]);
    ends(&job, 0, "");
    assert_eq!(job.outputs["changes"], "false");
    assert_eq!(stage.stored("comments").len(), 0);
    let seen = fs::read_to_string(stage.path("seen")).unwrap();
    assert!(!seen.contains("GH_TOKEN"), "{seen}");
}

#[test]
fn a_change_goes_from_a_fork_into_the_organization() {
    let mut stage = Stage::new(SEED, FILE).live();
    stage.proposed(|stage| stage.write("charter.yaml", &format!("{FILE}{MORE}")));
    stage.github.insert("token".to_owned(), "reads-only".to_owned());
    let job = stage.act("review", &[]);
    ends(&job, 0, "the report is in the summary of the step only");
    assert!(job.summary.contains("dee@acme.com gains user"), "{job:?}");
    // Somebody who may, starts the plan: what is by the change, and what drifted before.
    stage.github.insert("token".to_owned(), "writes".to_owned());
    ends(&stage.act("plan", &[]), 0, "");
    let comment = stage.stored("comments")[0]["body"].to_string();
    assert!(comment.contains("1 by this change, 2 drift"), "{comment}");

    let before = stage.git(&["rev-parse", "main"]);
    stage.git(&["merge", "--quiet", "--no-ff", "--message", "Merge", "topic"]);
    stage.github.retain(|name, _| !name.starts_with("event."));
    stage.github.insert("event.before".to_owned(), before);
    stage.github.insert("sha".to_owned(), stage.git(&["rev-parse", "HEAD"]));
    let plan = carried_over(&stage, &stage.act("plan", &[]));
    ends(&stage.act("apply", &[("plan", &plan)]), 0, "");
    let job = stage.act("drift", &[]);
    ends(&job, 0, "");
    assert_eq!(job.outputs["drift"], "false");
    assert_eq!(stage.served.calls().len(), 3);
    assert_eq!(stage.act("plan", &[]).outputs["changes"], "false");
    // The artifact is still there, and says yes to nothing any more.
    ends(&stage.act("apply", &[("plan", &plan)]), 4, "the plan is stale");
}

#[test]
fn a_job_of_an_older_commit_is_refused_and_writes_nothing() {
    let mut stage = pushed();
    let old = stage.github.clone();
    let plan = carried_over(&stage, &stage.act("plan", &[]));
    stage.write("charter.yaml", FILE);
    stage.pushed("Take dee back");

    // The old job is run again: with its plan, and with its files.
    stage.github.extend(old);
    for inputs in [&[("plan", &plan[..])][..], &[]] {
        let job = stage.act("apply", inputs);
        ends(&job, 4, "is not the tip of `refs/remotes/origin/main`");
    }
    // Nor is a commit that was taken out of the branch.
    stage.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    stage.write("charter.yaml", &format!("{FILE}  eve@acme.com: user\n"));
    stage.commit("Another way");
    stage.git(&["reflog", "expire", "--expire=now", "--all"]);
    stage.git(&["gc", "--quiet", "--prune=now"]);
    ends(&stage.act("apply", &[]), 4, "the commit of this job is not in the branch any more");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

#[test]
fn what_a_pull_request_holds_is_planned_but_never_saved_or_applied() {
    let mut stage = Stage::new(SEED, FILE).live();
    let head = stage.proposed(|stage| stage.write("charter.yaml", &format!("{FILE}{MORE}")));
    let job = stage.act("plan", &[]);
    ends(&job, 0, "");
    assert_eq!((&job.outputs["plan"][..], &job.outputs["changes"][..]), ("", "true"));
    assert!(!stage.home("out/plan.json").exists());
    let comment = stage.stored("comments")[0]["body"].as_str().unwrap().to_owned();
    assert!(comment.starts_with("<!-- charter:plan -->\n<!-- charter:path:"), "{comment}");
    assert!(
        comment.contains("Held against `refs/remotes/origin/main`") && comment.contains(&head),
        "{comment}"
    );
    // It has a comment of its own beside that of the review.
    ends(&stage.act("review", &[]), 0, "");
    ends(&stage.act("plan", &[]), 0, "");
    assert_eq!(stage.stored("comments").len(), 2);

    for mode in ["apply", "drift"] {
        ends(&stage.act(mode, &[]), 4, "what a pull request holds is never applied");
    }
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

#[test]
fn loosening_a_rule_and_using_it_takes_two_pushes() {
    let strict = format!("{FILE}policy: {{email_domains: [{{domains: [acme.com]}}]}}\n");
    let mut stage = Stage::new(SEED, &strict).live();
    stage.write("charter.yaml", &format!("{FILE}  joan@contractor.io: user\n"));
    stage.pushed("Add joan");
    ends(&stage.act("plan", &[]), 4, "the rules of the files refuse this: policy/email-domains");
    ends(&stage.act("apply", &[]), 4, "the rules of the files refuse this: policy/email-domains");
    // Neither an unknown base nor none lets it through: the parent stands in.
    for before in ["", &"0".repeat(40)[..]] {
        stage.github.insert("event.before".to_owned(), before.to_owned());
        ends(
            &stage.act("plan", &[]),
            4,
            "the rules of the files refuse this: policy/email-domains",
        );
    }
    let unknown = stage.act("plan", &[("base-rev", &"1".repeat(40))]);
    ends(&unknown, 4, "is not in the branch any more, and cannot be fetched");
    ends(&stage.act("plan", &[("base-rev", "nowhere")]), 3, "no commit");
    assert_eq!(stage.served.calls(), Vec::<String>::new());
}

#[test]
fn a_guard_is_passed_by_its_exact_count() {
    let limit = "guard: {invites: 1}\n";
    let mut stage = Stage::new(SEED, &format!("{FILE}{limit}")).live();
    stage.write("charter.yaml", &format!("{FILE}{MORE}{limit}"));
    stage.pushed("Add dee");
    let job = stage.act("plan", &[]);
    ends(&job, 4, "a guard refuses this plan: invites");
    assert!(job.summary.contains("guard/limit"), "the plan is shown all the same: {job:?}");
    assert!(
        !job.log.contains("saved: apply") && job.outputs["plan"].is_empty(),
        "not to be applied: {job:?}"
    );
    let wrong = stage.act("apply", &[("allow", "invites=1")]);
    ends(&wrong, 4, "`--allow invites=1` is not its count, 2");
    // On several lines, as a workflow may write them.
    ends(&stage.act("apply", &[("allow", "returns=0\n  invites=2\n")]), 0, "nothing is left");
}

#[test]
fn an_archive_is_acknowledged_by_the_merge_commit_or_by_hand() {
    let seed = format!("{SEED}workspaces: [{{name: Old, id: wrkspc_01old}}]\n");
    let file = format!(
        "{FILE}workspaces:\n  Old: {{id: wrkspc_01old, state: archived}}\nguard: {{archives: 1}}\n"
    );
    let digest = |job: &Job| {
        let at = job.log.find("--ack ").unwrap() + "--ack ".len();
        job.log[at..at + 64].to_owned()
    };
    for in_commit in [true, false] {
        let mut stage = Stage::new(&seed, FILE).live();
        stage.write("charter.yaml", &file.replace("archives: 1", "archives: 0"));
        stage.pushed("Archive Old");
        stage.write("charter.yaml", &file);
        stage.pushed("And mean it");
        stage.write("charter.yaml", &format!("{file}# \n"));
        stage.pushed("Wait");
        let job = stage.act("apply", &[]);
        ends(&job, 4, "has not been acknowledged");
        assert_eq!(stage.served.calls(), Vec::<String>::new());
        let digest = digest(&job);
        let job = if in_commit {
            stage.pushed(&format!("Archive Old\n\nCharter-Ack: {digest}\n"));
            stage.act("apply", &[("merge-messages", "reviewers")])
        } else {
            stage.act("apply", &[("ack", &digest)])
        };
        ends(&job, 0, "nothing is left");
    }
}

#[test]
fn a_redacted_plan_and_apply_show_no_names() {
    let mut stage = pushed();
    stage.set("CHARTER_REDACT_KEY", "0123456789abcdef0123456789abcdef");
    let job = stage.act("plan", &[]);
    ends(&job, 0, "");
    assert!(job.summary.contains("@redacted.invalid"), "{job:?}");
    let report = fs::read_to_string(&job.outputs["report"]).unwrap();
    let plan = carried_over(&stage, &job);
    let applied = stage.act("apply", &[("plan", &plan)]);
    ends(&applied, 0, "apply ended with exit code 0");
    for text in [&job.log, &job.summary, &report, &applied.log, &applied.summary] {
        assert!(!text.contains("acme.com"), "{text}");
    }
    assert!(fs::read_to_string(stage.home("out/apply.txt")).unwrap().contains("dee@acme.com"));
    // A secret that did not arrive is no wish to show names.
    stage.set("CHARTER_REDACT_KEY", "");
    let job = stage.act("plan", &[]);
    ends(&job, 3, "CHARTER_REDACT_KEY");
    assert!(!job.log.contains("acme.com") && job.summary.is_empty(), "{job:?}");
}

#[test]
fn the_token_of_the_job_is_used_for_fetching_and_is_in_no_argument_no_file_and_no_log() {
    let mut stage = pushed();
    for name in ["ANTHROPIC_API_KEY", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "CHARTER_RECORD_TOKEN"] {
        stage.set(name, "another-secret");
    }
    stage.program(
        "git",
        "#!/usr/bin/env bash\nenv >>\"$FAKE_GH/git\"\nprintf '%s\\n' \"$@\" >>\"$FAKE_GH/git-arguments\"\n\
         if [[ $1 == init ]]; then mkdir -p \"${!#}\"; fi\n\
         case \" $* \" in *' ls-remote '*) printf '%040d\\trefs/heads/main\\n' 1 ;; *' fetch '*) echo '::error::quoted' >&2; exit 1 ;; esac\n",
    );
    let mut command = stage.script("fetch.sh");
    command.env("CHARTER_MODE", "apply").env("CHARTER_BRANCH", "main");
    command
        .env("CHARTER_REMOTE", "https://git.acme.com/acme/access")
        .env("GH_TOKEN", "secret-token");
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, Some(1), "{run:?}");
    let encoded = "eC1hY2Nlc3MtdG9rZW46c2VjcmV0LXRva2Vu";
    let seen = fs::read_to_string(stage.path("gh/git")).unwrap();
    assert!(seen.contains(&format!("=Authorization: Basic {encoded}")));
    for secret in ["GH_TOKEN", KEY, "another-secret", "CHARTER_PLAN_KEY"] {
        assert!(!seen.contains(secret), "{secret}: {seen}");
    }
    let given = fs::read_to_string(stage.path("gh/git-arguments")).unwrap();
    assert!(
        given.contains("fetch") && !given.contains(encoded) && !given.contains("secret-token"),
        "{given}"
    );
    assert!(!run.stderr.contains("secret-token") && !run.stderr.contains("quoted"), "{run:?}");
    assert!(run.stderr.contains("the repository cannot be fetched: Git ended with exit code 1"));

    // An address with a login in it would put that into arguments.
    command.env("CHARTER_REMOTE", "https://gitlab-ci-token:secret-token@git.acme.com/acme/access");
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("CHARTER_REMOTE holds a login") && !run.stderr.contains("secret"));
}

/// An organization that takes two identity tokens, and says that access by them ends soon.
fn federated() -> String {
    SEED.replace(
        "credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}",
        "credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij], federation: [{id: fdrl_1, \
         service_account: svac_1, assertions: [identity.token.1], scope: \"org:admin\"}]}",
    )
}

#[test]
fn the_workload_identity_of_the_job_is_fetched_kept_fresh_and_removed() {
    let mut stage = Stage::new(&federated(), FILE);
    let url = stage.served.url();
    for (name, value) in [
        ("ANTHROPIC_BASE_URL", &url[..]),
        ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1"),
        ("ANTHROPIC_ORGANIZATION_ID", crate::support::ID),
        ("ANTHROPIC_SERVICE_ACCOUNT_ID", "svac_1"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://identity.acme.com/token?api-version=2.0"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-of-the-job"),
    ] {
        stage.set(name, value);
    }
    // Gives tokens 1, 2, 3 …, and notes what it was asked.
    stage.program(
        "curl",
        "#!/usr/bin/env bash\nprintf '%s\\n' \"$@\" >>\"$FAKE_GH/asked\"; cat >>\"$FAKE_GH/config\"\n\
         while [[ $1 != --output ]]; do shift; done\necho x >>\"$FAKE_GH/count\"\n\
         printf '{\"count\":1,\"value\":\"identity.token.%s\"}' \"$(wc -l <\"$FAKE_GH/count\")\" >\"$2\"\n",
    );
    let job = stage.act("plan", &[]);
    ends(&job, 0, "");
    assert_eq!(job.outputs["changes"], "true");
    let asked = fs::read_to_string(stage.path("gh/asked")).unwrap();
    assert!(
        asked.contains(
            "https://identity.acme.com/token?api-version=2.0&audience=https://api.anthropic.com"
        ),
        "{asked}"
    );
    assert!(!asked.contains("bearer-of-the-job"), "{asked}");
    let config = fs::read_to_string(stage.path("gh/config")).unwrap();
    assert_eq!(config, "header = \"Authorization: bearer bearer-of-the-job\"\n");
    let seen = fs::read_to_string(stage.path("seen")).unwrap();
    assert!(!seen.contains("bearer-of-the-job"), "{seen}");

    // While a command runs, the file is written anew; then it is gone.
    let mut command = stage.script("identity.sh");
    let looks = "file=$ANTHROPIC_IDENTITY_TOKEN_FILE; cat \"$file\"; echo; for _ in {1..100}; do sleep 0.1; \
                 [[ $(<\"$file\") == *.3 ]] && break; done; cat \"$file\"; echo; echo \"$file\"; exit 7";
    command.args(["bash", "-c", looks]).env("CHARTER_RENEW_SECONDS", "0.3");
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, Some(7), "{run:?}");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[..2], ["identity.token.2", "identity.token.3"], "{run:?}");
    assert!(!std::path::Path::new(lines[2]).exists(), "{run:?}");

    // A job that may not ask for one is told so.
    stage.program("curl", "#!/usr/bin/env bash\nexit 22\n");
    ends(&stage.act("plan", &[]), 1, "has the job the permission id-token: write?");
    // A key goes first, as in charter itself.
    stage.set("ANTHROPIC_ADMIN_KEY", KEY);
    ends(&stage.act("plan", &[]), 0, "");
}

#[test]
fn a_job_that_is_told_to_stop_tells_charter_and_begins_nothing_else() {
    let stage = pushed();
    ends(&stage.act("plan", &[]), 0, "");
    // Which command waits to be told, and what has run when it was.
    for (script, waits, ran) in [
        ("apply.sh", "apply", "apply\n"),
        ("drift.sh", "drift", "drift\n"),
        ("drift.sh", "apply", "drift\napply\n"),
    ] {
        let begun = stage.path("gh/begun");
        let program = format!(
            "#!/usr/bin/env bash\ntrap 'echo told; told=1' TERM\n\
             echo \"$1\" >>{}\n[[ $1 == {waits} ]] || exit 2\n\
             for _ in {{1..300}}; do sleep 0.1; [[ -z ${{told:-}} ]] || break; done\n\
             for _ in {{1..20}}; do sleep 0.1; done; echo finished; exit 5\n",
            begun.display()
        );
        fs::write(stage.home("bin/charter"), program).unwrap();
        let mut command = stage.script(script);
        command.env("CHARTER_PATH", "charter.yaml").env("CHARTER_BRANCH", "main");
        let child = command.spawn().unwrap();
        for _ in 0..200 {
            std::thread::sleep(Duration::from_millis(50));
            if fs::read_to_string(&begun).is_ok_and(|text| text == ran) {
                break;
            }
        }
        // A runner interrupts first, and terminates a while later: to charter that is one request.
        let id = child.id().to_string();
        for signal in ["-INT", "-TERM", "-TERM"] {
            let told = std::process::Command::new("kill").args([signal, &id]).status().unwrap();
            assert!(told.success());
            std::thread::sleep(Duration::from_millis(300));
        }
        let run = ended(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(5), "{run:?}");
        if waits == "apply" {
            assert!(run.stdout.ends_with("told\nfinished\n"), "{run:?}");
            assert_eq!(run.stdout.matches("told").count(), 1, "{run:?}");
        }
        assert_eq!(fs::read_to_string(&begun).unwrap(), ran);
        fs::remove_file(begun).unwrap();
    }
}
