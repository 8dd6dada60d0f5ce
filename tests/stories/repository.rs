//! A repository of files to be reviewed, and what is asked of a run in it.
//!
//! Invariant: Git is configured here alone, and reads no configuration of the machine.

use std::process::Command;

use crate::support::{Run, Story, read};

/// What the review begins with: `ml` has a team file, `joan` an end, `bob` an earlier address.
pub(crate) const CHARTER: &str = "\
version: 1
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
members:
  ada@acme.com: admin
  bob@acme.com: {role: user, previously: [robert@acme.com]}
  joan@contractor.io: {role: user, until: 2087-03-31}
manage: {members: report, workspace_members: report}
guard: {removals: {members: 1}}
workspaces:
  Models:
    members: {team/ml: workspace_developer}
";

const ML: &str = "\
members:
  cy@acme.com: user
  dee@acme.com: user
teams: {ml: [cy@acme.com, dee@acme.com]}
";

pub(crate) const LIVE: &str = "\
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000, name: Acme}
credentials: {admin_keys: [sk-ant-admin01-right-0123456789-abcdefghij]}
users:
  - {email: ada@acme.com, role: admin}
  - {email: bob@acme.com, role: user, id: user_01bob}
  - {email: cy@acme.com, role: user, id: user_01cy}
  - {email: dee@acme.com, role: user, id: user_01dee}
  - {email: joan@contractor.io, role: user, id: user_01joan}
workspaces:
  - name: Models
    id: wrkspc_01models
    members: {cy@acme.com: workspace_developer, dee@acme.com: workspace_developer}
";

impl Story {
    /// With a search path, so that Git is found.
    pub(crate) fn with_git(self) -> Self {
        let path = std::env::var("PATH").unwrap();
        self.env("PATH", &path)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.folder.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "reviewer");
            command.env(format!("GIT_{role}_EMAIL"), "reviewer@acme.com");
        }
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = read(&self.path(name));
        assert!(text.contains(from), "{from} is not in {text}");
        self.write(name, &text.replace(from, to));
    }
}

/// A repository with the files as they are before the review, on the branch `main`.
pub(crate) fn repository() -> Story {
    let story = Story::with(CHARTER).with_git();
    std::fs::create_dir(story.path("teams")).unwrap();
    story.write("teams/ml.yaml", ML);
    story.write(".gitignore", "*.json\n*.jsonl\n");
    story.git(&["init", "--quiet", "--initial-branch=main"]);
    story.commit("Start");
    story.git(&["checkout", "--quiet", "-b", "topic"]);
    story
}

/// One text in which lines may be broken anywhere.
pub(crate) fn flowing(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn shows(run: &Run, code: i32, expected: &[&str]) {
    assert_eq!(run.code, Some(code), "{run:?}");
    let text = flowing(&run.stdout);
    for part in expected {
        assert!(text.contains(part), "`{part}` is not in:\n{}", run.stdout);
    }
}
