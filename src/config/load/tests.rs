use super::*;
use crate::config::document::{Wanted, WorkspaceState};

fn sources(files: &[(&str, &str)]) -> Vec<(Arc<str>, Arc<str>)> {
    files.iter().map(|(name, text)| (Arc::from(*name), Arc::from(*text))).collect()
}

/// `code file:line:column` of each finding.
fn codes(findings: &[Diagnostic]) -> Vec<String> {
    findings
        .iter()
        .map(|d| match &d.span {
            Some(span) => format!("{} {span}", d.code),
            None => d.code.to_string(),
        })
        .collect()
}

fn rejected(files: &[(&str, &str)]) -> Vec<String> {
    codes(&load_sources(sources(files)).unwrap_err().diagnostics)
}

fn loaded(files: &[(&str, &str)]) -> Document {
    match load_sources(sources(files)) {
        Ok(loaded) => loaded.document,
        Err(rejected) => panic!("{:#?}", rejected.diagnostics),
    }
}

/// The example of docs/files.md.
pub(crate) fn everything() -> &'static str {
    let docs = include_str!("../../../docs/files.md");
    let start = docs.find("```yaml\n").unwrap() + "```yaml\n".len();
    &docs[start..start + docs[start..].find("```").unwrap()]
}

#[test]
fn the_example_of_the_docs_loads_without_a_word() {
    let loaded = load_sources(sources(&[("charter.yaml", everything())])).unwrap();
    assert_eq!(codes(&loaded.warnings), [""; 0]);
    let document = loaded.document;
    assert_eq!(document.members.as_ref().unwrap().len(), 4);
    let bob = &document.members.as_ref().unwrap().values().nth(1).unwrap();
    assert_eq!(bob.role.value, Wanted::None);
    let workspaces = document.workspaces.unwrap();
    assert_eq!(workspaces["hackathon"].state.as_ref().unwrap().value, WorkspaceState::Archived);
    let production = &workspaces["Production"];
    assert_eq!(production.members.as_ref().unwrap().people.len(), 2);
    assert_eq!(production.members.as_ref().unwrap().teams.len(), 1);
    assert_eq!(document.api_keys.unwrap().len(), 0);
    assert_eq!(document.manage.ignore.len(), 1);
}
