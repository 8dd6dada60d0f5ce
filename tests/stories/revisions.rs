//! Files as revisions have them: compared, judged and planned, from the repository that is meant.
//!
//! Invariant: what lies in the work tree does not count, and no diff of revisions ever sees a credential.

use crate::{
    repository::{LIVE, flowing, repository, shows},
    support::{Served, Story},
};

#[test]
fn a_diff_of_revisions_needs_no_credential_and_tells_what_is_wrong() {
    let story = repository();
    story.write("broken.yaml", "version: 1\nmembrs: {}\n");
    story.commit("Broken");
    let folder = story.run(&["diff", "main...topic", "--", "charter.yaml"]);
    shows(&folder, 3, &[]);
    let (error, help) = story.run(&["diff", "main..nowhere"]).one_message(3);
    assert!(error.contains("no commit `nowhere`"), "{error}");
    assert!(help.contains("whole history"), "{help}");
    let (error, _) = story.run(&["diff", "main..topic", "--", "elsewhere"]).one_message(3);
    assert!(error.contains("neither `main` nor `topic` has `elsewhere`"), "{error}");
    let (error, _) = story.run(&["diff", "charter.yaml"]).one_message(3);
    assert!(error.contains("nothing to compare it with"), "{error}");
    let (error, _) = story.run(&["diff", "main..--output=x"]).one_message(3);
    assert!(error.contains("`--output=x` is no revision"), "{error}");
    let broken = story.run(&["diff", "main..topic", "--", "broken.yaml"]);
    assert_eq!(broken.code, Some(3), "{broken:?}");
    assert!(broken.stderr.contains("broken.yaml:2:1"), "{broken:?}");
    let alone = Story::new().with_git();
    let (error, _) = alone.run(&["diff", "main..topic"]).one_message(3);
    assert!(error.contains("is in no Git repository"), "{error}");
}

#[test]
fn files_that_the_base_did_not_have_are_new_as_a_whole() {
    let story = repository();
    std::fs::create_dir(story.path("lab")).unwrap();
    story.write("lab/charter.yaml", "version: 1\nmembers: {ada@acme.com: user}\n");
    story.git(&["rm", "--quiet", "-r", "teams"]);
    story.commit("Lab");
    let diff = story.run(&["diff", "main..topic", "--", "lab"]);
    shows(&diff, 0, &["members: now managed", "ada@acme.com gains user in the organization"]);
}

#[test]
fn what_an_admin_can_do_is_said_even_where_no_workspaces_are_listed() {
    let story = Story::with("version: 1\nmembers: {ada@acme.com: user}\n").with_git();
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    story.edit("charter.yaml", "user", "admin");
    story.commit("Promote");
    let diff = story.run(&["diff", "HEAD~1..HEAD"]);
    shows(&diff, 0, &["ada@acme.com gains workspace_admin in every workspace, through admin"]);
}

#[test]
fn files_are_judged_and_planned_as_a_revision_has_them() {
    let served = Served::start(LIVE);
    let story = repository();
    story.edit("teams/ml.yaml", "dee@acme.com: user", "dee@acme.com: developer");
    story.commit("Raise dee");
    // What lies in the work tree does not count, nor that nothing does.
    story.write("teams/ml.yaml", "membrs: {}\n");
    let valid = story.run(&["validate", ".", "--rev", "topic"]);
    shows(&valid, 0, &["valid: 5 members, 1 team, 1 workspace, 1 grant"]);
    assert_eq!(story.run(&["validate", "."]).code, Some(3));
    let args = ["policy", ".", "--rev", "topic", "--base-rev", "main", "--format", "markdown"];
    shows(&story.run(&args), 0, &["<!-- charter:policy -->", "nothing found"]);
    std::fs::remove_dir_all(story.path("teams")).unwrap();

    let story = story.to(&served.url());
    let plan = story.run(&["plan", ".", "--rev", "topic", "--base-rev", "main"]);
    shows(&plan, 0, &["dee@acme.com", "by this change"]);
    // The place is where it is mended.
    assert!(plan.stdout.contains(" teams/ml.yaml:3:3"), "{plan:?}");
    shows(&story.run(&["drift", ".", "--rev", "main"]), 0, &["drift: none"]);
    let (error, _) = story.run(&["validate", "elsewhere", "--rev", "topic"]).one_message(3);
    assert!(error.contains("`topic` has no `elsewhere`"), "{error}");
    let (error, _) = story.run(&["validate", ".", "--rev=--output=x"]).one_message(3);
    assert!(error.contains("is no revision"), "{error}");
}

#[test]
fn a_repository_below_the_current_folder_is_not_the_one_that_is_reviewed() {
    let story = repository();
    std::fs::create_dir(story.path("access")).unwrap();
    story.write("access/charter.yaml", "version: 1\norganization: {id: 3f0c1b1e-0000-4000-8000-000000000000}\nmembers: {ada@acme.com: admin}\n");
    story.git(&["-C", "access", "init", "--quiet", "--initial-branch=main"]);
    story.git(&["-C", "access", "add", "--all"]);
    story.git(&["-C", "access", "commit", "--quiet", "--message", "Another"]);
    for arguments in [
        &["diff", "main..main", "--", "access"][..],
        &["validate", "access", "--rev", "main"],
        &["plan", "access", "--base-rev", "main"],
        &["apply", "access", "--yes", "--require-tip", "main"],
    ] {
        let run = story.run(arguments);
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(run.stderr.contains("in a repository of its own"), "{arguments:?}: {run:?}");
    }
    // Another work tree of the same repository has the same branches.
    story.git(&["worktree", "add", "--quiet", "--detach", "copy", "main"]);
    assert_eq!(story.run(&["diff", "main..main", "--", "copy"]).code, Some(0));
}

#[test]
fn branches_that_parted_twice_are_compared_from_one_commit_that_is_named() {
    let story = repository();
    story.edit("charter.yaml", "ada@acme.com: admin", "ada@acme.com: user");
    let topic = story.commit("Ada is no admin");
    story.git(&["checkout", "--quiet", "main"]);
    let main = story.commit("Nothing");
    for (branch, other) in [("main", &topic), ("topic", &main)] {
        story.git(&["checkout", "--quiet", branch]);
        story.git(&["merge", "--quiet", "--no-ff", "--message", "Merge", other]);
    }
    let diff = ["diff", "main...topic", "--format"];
    let run = story.run(&[&diff[..], &["text", "--", "."]].concat());
    let said = flowing(&run.stderr);
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in ["warning[revision/several-merge-bases]", &main, &topic, "this is seen from"] {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
    for format in ["json", "markdown", "github", "sarif"] {
        let run = story.run(&[&diff[..], &[format, "--", "."]].concat());
        assert!(run.stdout.contains("revision/several-merge-bases"), "{format}: {run:?}");
    }
}

#[test]
fn what_a_review_reads_is_what_a_plan_of_the_revision_reads() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    // In the work tree the file is in UTF-16, and in the commit in UTF-8: Git recodes it.
    story.write(".gitattributes", "teams/*.yaml working-tree-encoding=UTF-16LE\n");
    let text = "members:\n  cy@acme.com: user\n  eve@acme.com: user\nteams: {ml: [cy@acme.com]}\n";
    let text: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(story.path("teams/ml.yaml"), text).unwrap();
    story.commit("Recoded");
    let (diff, plan) = (["diff", "main..topic", "--", "."], ["plan", ".", "--rev", "topic"]);
    for run in [story.run(&diff), story.run(&plan)] {
        shows(&run, 0, &["+ invite eve@acme.com"]);
    }
    assert_eq!(story.run(&["plan", "."]).code, Some(3), "on disk it is no text that charter reads");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_of_another_name_is_the_same_error_everywhere() {
    let served = Served::start(LIVE);
    let story = repository().to(&served.url());
    story.write("notes.txt", "members: {eve@acme.com: user}\n");
    std::os::unix::fs::symlink("notes.txt", story.path("x.yaml")).unwrap();
    story.commit("A link");
    let why = "the link `x.yaml` leads to a file that is not called `*.yaml` or `*.yml`";
    for arguments in [
        &["diff", "main..topic", "--", "."][..],
        &["plan", ".", "--rev", "topic"],
        &["plan", "."],
        &["validate", ".", "--rev", "topic"],
        &["validate", "."],
    ] {
        let run = story.run(arguments);
        let said = flowing(&run.stderr);
        assert_eq!(run.code, Some(3), "{arguments:?} {run:?}");
        assert!(said.contains(why), "{arguments:?} {said}");
    }
    assert_eq!(served.calls(), Vec::<String>::new());
}

#[test]
fn a_part_of_a_folder_is_no_broken_base() {
    let story = repository();
    story.edit(
        "teams/ml.yaml",
        "  cy@acme.com: user\n",
        "  cy@acme.com: user\n  eve@acme.com: user\n",
    );
    story.commit("Eve");
    let run = story.run(&["diff", "main...topic", "--", "teams/ml.yaml"]);
    let said = flowing(&run.stderr);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(!said.contains("base/broken"), "{said}");
    assert!(
        said.contains("the file is part of a folder with a `charter.yaml`: give the folder"),
        "{said}"
    );
}
