//! Guards that `--allow` passes, in every format that shows a plan.
//!
//! Invariant: what is checked is the place: before all that the plan does.

use serde_json::Value;

use super::{
    github::annotations,
    json::{json, read_plan, redacted_plan},
    junit::{Fails, junit},
    markdown::{COMMENT, SUMMARY, markdown},
    places::Places,
    redact::Redactor,
    review::Review,
    sample::full,
    sarif::sarif,
    text,
};
use crate::{
    diagnostic::Sources,
    plan::{Plan, step::PassedGuard},
    resource::desired::GuardName,
    secret::Secret,
};

const LINE: &str = "guards passed with `--allow`: removals.members=60 (the limit is 6)";

fn passing() -> Plan {
    let passed = vec![PassedGuard { guard: GuardName::RemovalsMembers, count: 60, limit: 6 }];
    Plan { passed, ..full() }
}

fn text(plan: &Plan) -> String {
    let shown = text::plan(plan, text::Options::default());
    anstream::adapter::strip_str(&shown).to_string()
}

/// The plan as it is, and with pseudonyms.
fn both() -> [Plan; 2] {
    let mut redactor = Redactor::new(&Secret::new("k".repeat(32))).unwrap();
    let hidden = redactor.plan(&passing());
    [passing(), hidden]
}

#[test]
fn passed_guards_come_first_in_every_format() {
    for plan in both() {
        let review = Review::of_plan("plan", &plan);
        let places = Places::default();

        assert_eq!(text(&plan).lines().next(), Some(LINE));
        for most in [COMMENT, SUMMARY] {
            let text = markdown(&review, most);
            // The marker is for bots, and is not seen.
            assert_eq!(text.lines().nth(1).unwrap(), format!("**{LINE}**"));
        }
        let first = format!("::warning title=guard/passed::{LINE}");
        assert_eq!(annotations(&review, &places).lines().next(), Some(&*first));
        let report = sarif(&review, &Sources::default(), &places);
        assert_eq!(report["runs"][0]["results"][0]["message"]["text"], LINE);
        let report = junit(&review, &Fails::default(), &places);
        let case = report.lines().position(|line| line.contains("<testcase")).unwrap();
        assert!(report.lines().nth(case).unwrap().contains("guard/passed"), "{report}");
        assert!(report.lines().nth(case + 1).unwrap().contains(LINE), "{report}");
    }
}

#[test]
fn passed_guards_stand_before_the_steps_in_json() {
    let wanted: Value = serde_json::json!([{"guard": "removals.members", "count": 60, "limit": 6}]);
    let [plan, hidden] = both();
    for text in [json(&plan).unwrap(), redacted_plan(&hidden).unwrap()] {
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["passed"], wanted);
        assert!(text.find("\"passed\"") < text.find("\"organization\""), "{text}");
    }
    assert_eq!(read_plan(&json(&plan).unwrap()).unwrap().passed, plan.passed);
}

#[test]
fn a_saved_plan_says_what_was_passed_then_and_what_now() {
    let now = passing();
    let saved = now.passed.clone();
    let of = |passed: &[PassedGuard], when_saved: &[PassedGuard]| {
        let (passed, passed_when_saved) = (passed.to_vec(), Some(when_saved.to_vec()));
        text::passed(&Plan { passed, passed_when_saved, ..full() })
    };
    let each = "removals.members=60 (the limit is 6)";
    for (passed, when_saved, then, at_last) in [
        (&saved[..], &saved[..], each, each),
        (&[], &saved, each, "none"),
        (&saved, &[], "none", each),
    ] {
        let wanted = format!(
            "guards passed with `--allow`: when the plan was saved: {then}; now: {at_last}"
        );
        assert_eq!(of(passed, when_saved), Some(wanted));
    }
    assert_eq!(of(&[], &[]), None);
}
