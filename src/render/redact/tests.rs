//! What pseudonyms hide, and what they keep.
//!
//! Invariant: an original is searched for in every format.

use super::*;
use crate::{
    plan::{compare::Compared, rules::RuleChange},
    render::{
        json::json,
        markdown::{COMMENT, markdown},
        places::Places,
        review::Review,
        sample::{full, span},
        text,
    },
};

fn redactor(key: &str) -> Redactor {
    Redactor::new(&Secret::new(key.into())).unwrap()
}

const KEY: &str = "a key of thirty-two bytes or so.";

/// What [`full`] names, in whole or in part.
const ORIGINALS: [&str; 18] = [
    "acme.com",
    "contractor.io",
    "joan",
    "grace",
    "eve@",
    "ivy",
    "zoe",
    "Acme",
    "Production",
    "Research",
    "Hackathon",
    "Scratch",
    "old-batch",
    "eve-laptop",
    "ci-deploy",
    "igAA",
    "bbbb",
    "SOW-118",
];

#[test]
fn nothing_of_the_originals_survives_in_any_format() {
    let plan = full();
    let mut redactor = redactor(KEY);
    let hidden = redactor.plan(&plan);
    let review = Review::of_plan("drift", &hidden);
    let places = Places::default();
    let sources = crate::diagnostic::Sources::default();
    let forms = [
        text::plan(&hidden, text::Options { width: 80, calls: true, ..Default::default() }),
        json(&hidden).unwrap(),
        markdown(&review, COMMENT),
        crate::render::github::annotations(&review, &places),
        json(&crate::render::sarif::sarif(&review, &sources, &places)).unwrap(),
        crate::render::junit::junit(&review, &crate::render::junit::Fails::default(), &places),
    ];
    let whole = json(&plan).unwrap();
    for original in ORIGINALS {
        assert!(whole.contains(original), "{original} is not in the plan");
        for form in &forms {
            assert!(!form.contains(original), "{original} is in:\n{form}");
        }
    }
    // The last net finds nothing left to do.
    for form in &forms {
        assert_eq!(&redactor.sweep(form), form);
    }
}

#[test]
fn pseudonyms_are_the_same_under_one_key_and_others_under_another() {
    let plan = full();
    let hidden = redactor(KEY).plan(&plan);
    assert_eq!(redactor(KEY).plan(&plan), hidden);
    assert_ne!(redactor("another key, as long as it must be").plan(&plan), hidden);
    // Equal originals stay equal, wherever they stand.
    let mut all = redactor(KEY);
    let ada = all.mail("ada@acme.com");
    assert_eq!(all.mail("Ada@ACME.com"), ada);
    assert_eq!(all.text("ask `ada@acme.com`, or ADA@acme.com."), format!("ask `{ada}`, or {ada}."));
    assert!(ada.starts_with("person-") && ada.ends_with("@redacted.invalid"), "{ada}");
    assert_eq!(all.mail(&ada), ada);
}

#[test]
fn names_are_found_in_messages_as_whole_words_and_the_longest_first() {
    let mut all = redactor(KEY);
    let (prod, eu) = (all.name(Class::Workspace, "Prod"), all.name(Class::Workspace, "Prod EU"));
    assert_eq!(
        all.text("`Prod EU`, Prod, Prod Europe, Production"),
        format!("`{eu}`, {prod}, {prod} Europe, Production")
    );
    assert_eq!(all.name(Class::Workspace, "Default"), "Default");
    let place = all.name(Class::Workspace, "工程");
    assert_eq!(all.text("工程部"), format!("{place}部"));
    // A workspace called as a word of the format is replaced in messages, not in what is printed.
    let word = all.name(Class::Workspace, "version");
    assert_eq!(all.text("version"), word);
    assert_eq!(all.sweep("{\"version\": 1} Prod"), format!("{{\"version\": 1}} {prod}"));
}

#[test]
fn findings_and_rules_name_nobody_although_no_step_does() {
    let files = "\
version: 1
members:
  joan@contractor.io: {role: user, until: 2027-03-31, note: she leaves soon}
teams: {platform: [joan@contractor.io]}
workspaces:
  Production: {previously: [Prod], members: {team/platform: workspace_user}, api_keys: {ci-deploy: active}}
";
    let loaded =
        crate::config::load::load_sources(vec![("charter.yaml".into(), files.into())]).unwrap();
    let mut all = redactor(KEY);
    all.learn_files(&loaded.document);
    let rule = RuleChange {
        rule: "members.joan@contractor.io.until".into(),
        before: Some("[Prod]".into()),
        after: Some("she leaves soon".into()),
        effect: Some("team/platform in `Production` keeps `ci-deploy`".into()),
        at: Some(Span { file: "teams/platform.yaml".into(), ..span(3) }),
    };
    let (_, rules) = all.comparison(&Compared::default(), &[rule]);
    let shown = json(&rules).unwrap();
    for original in ["joan", "contractor", "Prod", "platform", "ci-deploy", "leaves"] {
        assert!(!shown.contains(original), "{original} is in {shown}");
    }
    let rule = rules[0].rule.strip_prefix("members.person-").unwrap();
    assert!(rule.strip_suffix("@redacted.invalid.until").is_some(), "{rule}");
    let finding = Diagnostic::warning("x/y", "`Production` and `someone@else.org`")
        .at(&span(3))
        .with(&span(4), "Prod")
        .help("write `ci-deploy`");
    let shown = json(&all.diagnostics(&[finding])).unwrap();
    for original in ["Prod", "someone", "else.org", "ci-deploy"] {
        assert!(!shown.contains(original), "{original} is in {shown}");
    }
}

#[test]
fn tags_and_file_names_made_of_names_are_found() {
    let mut all = redactor(KEY);
    let (walt, place) = (all.mail("Walt@acme.com"), all.name(Class::Workspace, "Support Bot"));
    assert_eq!(all.chosen("walt"), walt);
    assert_eq!(all.text("walt"), "walt");
    let shown = all.span(&Span { file: "workspaces/support-bot.yaml".into(), ..span(2) });
    assert_eq!(&*shown.file, format!("workspaces/{place}.yaml"));
    assert_eq!(&*all.span(&span(2)).file, "charter.yaml");
}

#[test]
fn a_short_key_is_refused() {
    let error = Redactor::new(&Secret::new("short".into())).unwrap_err();
    assert_eq!(error.to_string(), "the key for pseudonyms has 5 bytes, and needs 16");
}
