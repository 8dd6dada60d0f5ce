//! Drift as a `JUnit` report: each object that drifts is a test case that fails, and each kind is a suite.
//!
//! Invariant: the report fails exactly when the command does not exit with 0, and no two cases have the same class and
//! name: report readers such as GitLab keep one case of each.

use std::collections::BTreeSet;

use super::{
    clean::markup::xml,
    places::Places,
    review::{Entry, PASSED, Review, Standing},
};
use crate::{
    address::Kind,
    diagnostic::{Diagnostic, Span},
    plan::step::Unmanaged,
};

/// The sort of failure that is a difference.
const DRIFT: &str = "drift";

/// What counts as a failure; the rest is skipped, with its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fails {
    /// Standings of steps.
    pub standings: Vec<Standing>,
    /// Live objects that the files do not name.
    pub unmanaged: bool,
    /// Codes of findings.
    pub findings: Vec<&'static str>,
    /// The command ended before it compared anything: the errors among the findings are the reason.
    pub stopped: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passes,
    Skipped,
    Fails,
    /// Not a difference: the command could not look for any.
    Stops,
}

struct Case {
    class: String,
    name: String,
    at: Option<(String, Option<u32>)>,
    verdict: Verdict,
    /// What sort of failure it is.
    of: String,
    message: String,
    details: String,
}

/// The report.
pub fn junit(review: &Review<'_>, fails: &Fails, places: &Places) -> String {
    // A kind that was not compared has no suite: one that passes would say that nothing differs.
    let kinds = Kind::ALL.into_iter().filter(|_| !fails.stopped);
    let mut suites: Vec<(&str, Vec<Case>)> = kinds
        .map(|kind| {
            let entries = review.entries.iter().filter(|entry| entry.address.kind == kind);
            let unmanaged = review.unmanaged.iter().filter(|one| one.address.kind == kind);
            let cases = entries
                .map(|entry| of_entry(entry, fails, places))
                .chain(unmanaged.map(|one| of_unmanaged(one, fails)));
            (kind.as_str(), cases.collect())
        })
        .collect();
    if let Some(passed) = &review.passed {
        suites.insert(0, ("guard", vec![of_passed(passed, fails)]));
    }
    let findings = review.findings.iter().map(|one| of_finding(one, fails, places));
    suites.push(("finding", findings.collect()));
    for (suite, cases) in &mut suites {
        if cases.is_empty() {
            // A suite without cases reads as one that did not run.
            cases.push(Case {
                class: class(suite),
                name: "nothing differs".to_owned(),
                at: None,
                verdict: Verdict::Passes,
                of: String::new(),
                message: String::new(),
                details: String::new(),
            });
        }
        number(cases);
    }
    let title = format!("charter {}", review.command);
    let every = suites.iter().flat_map(|(_, cases)| cases);
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    out.extend([format!("<testsuites name=\"{}\" {}>\n", xml(&title), sums(every))]);
    for (suite, cases) in &suites {
        out.extend([format!("  <testsuite name=\"{}\" {}>\n", xml(suite), sums(cases.iter()))]);
        out.extend(cases.iter().map(case));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn class(suite: &str) -> String {
    format!("charter.{suite}")
}

/// Numbers the cases of a suite that share a name.
fn number(cases: &mut [Case]) {
    let mut taken = BTreeSet::new();
    for case in cases {
        let name = case.name.clone();
        let mut count = 1;
        while !taken.insert(case.name.clone()) {
            count += 1;
            case.name = format!("{name} ({count})");
        }
    }
}

fn sums<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut all, mut failed, mut stops, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        all += 1;
        match case.verdict {
            Verdict::Passes => {}
            Verdict::Skipped => skipped += 1,
            Verdict::Fails => failed += 1,
            Verdict::Stops => stops += 1,
        }
    }
    format!("tests=\"{all}\" failures=\"{failed}\" errors=\"{stops}\" skipped=\"{skipped}\"")
}

fn place(span: Option<&Span>, places: &Places) -> Option<(String, Option<u32>)> {
    span.map(|span| (places.path(&span.file), places.line(span)))
}

fn verdict(fails: bool) -> Verdict {
    if fails { Verdict::Fails } else { Verdict::Skipped }
}

fn of_passed(passed: &str, fails: &Fails) -> Case {
    Case {
        class: class("guard"),
        name: PASSED.to_owned(),
        at: None,
        verdict: verdict(fails.findings.contains(&PASSED)),
        of: PASSED.to_owned(),
        message: passed.to_owned(),
        details: passed.to_owned(),
    }
}

fn of_entry(entry: &Entry<'_>, fails: &Fails, places: &Places) -> Case {
    Case {
        class: class(entry.address.kind.as_str()),
        name: entry.subject().to_owned(),
        at: place(entry.at, places),
        verdict: verdict(fails.standings.contains(&entry.standing)),
        of: DRIFT.to_owned(),
        message: format!("{}: {}", entry.standing.as_str(), entry.word()),
        details: entry.sentence(),
    }
}

fn of_unmanaged(one: &Unmanaged, fails: &Fails) -> Case {
    let Unmanaged { address, title: _, id, detail: _ } = one;
    let words = super::text::one_unmanaged(one);
    Case {
        class: class(address.kind.as_str()),
        name: format!("{words} ({id})"),
        at: None,
        verdict: verdict(fails.unmanaged),
        of: DRIFT.to_owned(),
        message: "live, but not in the files".to_owned(),
        details: format!("{words}: live, but not in the files"),
    }
}

fn of_finding(finding: &Diagnostic, fails: &Fails, places: &Places) -> Case {
    let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    let stops = fails.stopped && finding.is_error();
    let code = finding.code.to_string();
    Case {
        class: class("finding"),
        name: match &finding.span {
            Some(span) => format!("{code} ({})", places.shown(span)),
            None => code.clone(),
        },
        at: place(finding.span.as_ref(), places),
        verdict: if stops { Verdict::Stops } else { verdict(fails.findings.contains(&&*code)) },
        of: if stops { code } else { DRIFT.to_owned() },
        message: finding.message.clone(),
        details: format!("{}{help}", finding.message),
    }
}

fn case(case: &Case) -> String {
    let Case { class, name, at, verdict, of, message, details } = case;
    let place = at.as_ref().map(|(file, line)| {
        let line = line.map(|line| format!(" line=\"{line}\"")).unwrap_or_default();
        format!(" file=\"{}\"{line}", xml(file))
    });
    let open = format!(
        "    <testcase classname=\"{}\" name=\"{}\"{}",
        xml(class),
        xml(name),
        place.unwrap_or_default()
    );
    let (of, message, details) = (xml(of), xml(message), xml(details));
    let tag = match verdict {
        Verdict::Passes => return format!("{open}/>\n"),
        Verdict::Skipped => {
            return format!("{open}>\n      <skipped message=\"{details}\"/>\n    </testcase>\n");
        }
        Verdict::Fails => "failure",
        Verdict::Stops => "error",
    };
    format!(
        "{open}>\n      <{tag} type=\"{of}\" message=\"{message}\">{details}</{tag}>\n    </testcase>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{empty, full};

    fn fails() -> Fails {
        Fails { standings: vec![Standing::Ready, Standing::Manual], ..Fails::default() }
    }

    #[test]
    fn without_drift_every_suite_passes() {
        let plan = empty();
        let text = junit(&Review::of_plan("drift", &plan), &fails(), &Places::default());
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="charter drift" tests="5" failures="0" errors="0" skipped="0">
          <testsuite name="member" tests="1" failures="0" errors="0" skipped="0">
            <testcase classname="charter.member" name="nothing differs"/>
          </testsuite>
          <testsuite name="workspace" tests="1" failures="0" errors="0" skipped="0">
            <testcase classname="charter.workspace" name="nothing differs"/>
          </testsuite>
          <testsuite name="workspace_member" tests="1" failures="0" errors="0" skipped="0">
            <testcase classname="charter.workspace_member" name="nothing differs"/>
          </testsuite>
          <testsuite name="api_key" tests="1" failures="0" errors="0" skipped="0">
            <testcase classname="charter.api_key" name="nothing differs"/>
          </testsuite>
          <testsuite name="finding" tests="1" failures="0" errors="0" skipped="0">
            <testcase classname="charter.finding" name="nothing differs"/>
          </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn each_object_that_drifts_fails_in_the_suite_of_its_kind() {
        let plan = full();
        let text = junit(&Review::of_plan("drift", &plan), &fails(), &Places::default());
        insta::assert_snapshot!(text, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="charter drift" tests="14" failures="11" errors="0" skipped="3">
          <testsuite name="member" tests="6" failures="6" errors="0" skipped="0">
            <testcase classname="charter.member" name="joan@contractor.io" file="charter.yaml" line="9">
              <failure type="drift" message="ready: invite">invite joan@contractor.io: as claude_code_user, until 2027-03-31, note: SOW-118</failure>
            </testcase>
            <testcase classname="charter.member" name="bob@acme.com" file="charter.yaml" line="8">
              <failure type="drift" message="ready: change">change bob@acme.com: role: user -&gt; developer</failure>
            </testcase>
            <testcase classname="charter.member" name="dora@acme.com" file="charter.yaml" line="12">
              <failure type="drift" message="ready: re-invite">re-invite dora@acme.com: withdraws the invite and sends a new one, role: user -&gt; developer</failure>
            </testcase>
            <testcase classname="charter.member" name="eve@acme.com" file="charter.yaml" line="70">
              <failure type="drift" message="ready: remove">remove eve@acme.com: was developer, not listed</failure>
            </testcase>
            <testcase classname="charter.member" name="old@acme.com" file="charter.yaml" line="13">
              <failure type="drift" message="ready: withdraw">withdraw old@acme.com: was developer, `none` in the files</failure>
            </testcase>
            <testcase classname="charter.member" name="grace@acme.com" file="charter.yaml" line="8">
              <failure type="drift" message="by hand: change">change grace@acme.com: role: developer -&gt; admin (by hand: the API cannot give the role `admin`: set `grace@acme.com` to `admin` in the Console under Settings &gt; Members)</failure>
            </testcase>
          </testsuite>
          <testsuite name="workspace" tests="4" failures="3" errors="0" skipped="1">
            <testcase classname="charter.workspace" name="Production" file="charter.yaml" line="30">
              <failure type="drift" message="ready: change">change Production: name: Prod -&gt; Production, tags.env: (not set) -&gt; prod</failure>
            </testcase>
            <testcase classname="charter.workspace" name="Research" file="charter.yaml" line="40">
              <failure type="drift" message="ready: create">create Research: tags.env: dev, tags.team: r&amp;d</failure>
            </testcase>
            <testcase classname="charter.workspace" name="Hackathon 2025" file="charter.yaml" line="50">
              <failure type="drift" message="ready: archive">archive Hackathon 2025: cannot be undone, `state: archived`</failure>
            </testcase>
            <testcase classname="charter.workspace" name="Scratch (active) (wrkspc_9)">
              <skipped message="Scratch (active): live, but not in the files"/>
            </testcase>
          </testsuite>
          <testsuite name="workspace_member" tests="2" failures="1" errors="0" skipped="1">
            <testcase classname="charter.workspace_member" name="bob@acme.com in Production" file="charter.yaml" line="33">
              <failure type="drift" message="ready: grant">grant bob@acme.com in Production: as workspace_developer</failure>
            </testcase>
            <testcase classname="charter.workspace_member" name="joan@contractor.io in Production" file="charter.yaml" line="34">
              <skipped message="grant joan@contractor.io in Production: as workspace_user (deferred: until `joan@contractor.io` accepts the invite)"/>
            </testcase>
          </testsuite>
          <testsuite name="api_key" tests="1" failures="1" errors="0" skipped="0">
            <testcase classname="charter.api_key" name="old-batch in Production (sk-ant-api03-R2D...igAA)" file="charter.yaml" line="61">
              <failure type="drift" message="ready: switch off">switch off old-batch in Production (sk-ant-api03-R2D...igAA): status: active -&gt; inactive</failure>
            </testcase>
          </testsuite>
          <testsuite name="finding" tests="1" failures="0" errors="0" skipped="1">
            <testcase classname="charter.finding" name="guard/limit">
              <skipped message="guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0; check the steps; to pass once, run with `--allow archives=1`"/>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
