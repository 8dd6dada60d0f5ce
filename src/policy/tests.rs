//! Every rule on small organizations: what it finds, where, and what silences it.

use insta::assert_snapshot;
use jiff::civil::date;

use super::*;
use crate::config::{load::load_sources, lower::lower};

const TODAY: Date = date(2026, 11, 22);

/// Findings of files that are one text, a line each: code, severity, place, message.
fn found(yaml: &str) -> String {
    let verdict = verdict(yaml);
    let mut lines = Vec::new();
    for finding in verdict.findings {
        let accepted = if finding.excepted.is_some() { " (accepted)" } else { "" };
        let shown = finding.diagnostic();
        let span = shown.span;
        let at =
            span.map_or_else(|| "-".to_owned(), |span| format!("{}:{}", span.line, span.column));
        lines
            .push(format!("{:?} {} {at}{accepted}: {}", shown.severity, shown.code, shown.message));
        lines.extend(
            shown
                .related
                .iter()
                .map(|(span, words)| format!("    {}:{}: {words}", span.line, span.column)),
        );
        assert!(!finding.help.is_empty() && !finding.names.is_empty(), "{lines:?}");
    }
    lines.extend(
        verdict.unjudged.iter().map(|one| format!("not judged: {}: {}", one.rule, one.why)),
    );
    lines.join("\n")
}

fn verdict(yaml: &str) -> Verdict {
    let text = format!("version: 1\n{yaml}");
    let loaded = load_sources(vec![("charter.yaml".into(), text.into())]);
    let loaded = loaded.unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics));
    let (desired, _) = lower(&loaded.document, TODAY);
    judge_files(&loaded.document, &desired, TODAY)
}

#[test]
fn admins_are_counted_and_named() {
    assert_snapshot!(found("\
members: {ada@acme.com: admin, eve@acme.com: admin, bob@acme.com: user}
policy: {admins: {most: 1, only: [ada@acme.com]}}
"), @r"
    Error policy/admins 3:10: 2 admins in the organization (`ada@acme.com`, `eve@acme.com`), and the rule wants at most 1
        2:11: an admin
        2:32: an admin
    Error policy/admins 2:32: `eve@acme.com` is admin, and is not among those who may be
        3:10: the rule
    ");
    assert_snapshot!(found("\
members: {ada@acme.com: admin}
policy: {admins: {least: 2, severity: warning}}
"), @r"
    Warning policy/admins 3:10: 1 admin in the organization, and the rule wants at least 2
        2:11: an admin
    ");
    assert_snapshot!(found("policy: {admins: {least: 2}}\n"), @"not judged: admins: the files do not list `members`");
}

#[test]
fn somebody_whose_date_has_passed_is_no_admin_any_more() {
    assert_eq!(
        found(
            "\
members: {ada@acme.com: admin, eve@acme.com: {role: admin, until: 2026-11-21}}
policy: {admins: {most: 1}}
"
        ),
        ""
    );
}

#[test]
fn addresses_have_a_domain_that_the_role_allows() {
    assert_snapshot!(found("\
members: {ada@acme.com: admin, joan@contractor.io: developer, max@contractor.io: user}
policy:
  email_domains:
    - {roles: [admin, developer], domains: [acme.com]}
    - {domains: [acme.com, \"*.io\"]}
"), @r"
    Error policy/email-domains 2:32: `joan@contractor.io` is `developer` with an address of `contractor.io`, and allowed are `acme.com`
        5:7: the rule
    ");
}

#[test]
fn every_workspace_has_an_admin_of_its_own_or_an_inherited_one() {
    let files = "\
members: {ada@acme.com: admin, bob@acme.com: developer}
workspaces:
  Prod: {members: {bob@acme.com: workspace_admin}}
  Lab: {members: {bob@acme.com: workspace_user}}
  Elsewhere: {}
";
    assert_snapshot!(found(&format!("{files}policy: {{workspace_admins: {{}}}}\n")), @r"
    Error policy/workspace-admins 5:3: the workspace `Lab` has no admin of its own
        7:10: the rule
    ");
    assert_eq!(found(&format!("{files}policy: {{workspace_admins: {{inherited: true}}}}\n")), "");
    assert_snapshot!(
        found(&format!("{files}policy: {{workspace_admins: {{inherited: true, least: 2, workspaces: [\"P*\", \"L*\"]}}}}\n")),
        @r"
    Error policy/workspace-admins 5:3: the workspace `Lab` has 1 admin, and the rule wants at least 2
        7:10: the rule
    "
    );
}

#[test]
fn nobody_holds_both_of_two_accesses_however_they_come_by_them() {
    assert_snapshot!(found("\
members: {ada@acme.com: admin, bob@acme.com: billing, eve@acme.com: developer}
workspaces:
  Prod: {members: {eve@acme.com: workspace_admin}}
  Audit: {members: {eve@acme.com: workspace_user}}
policy:
  separation:
    - one: {workspace: Prod, role: workspace_developer}
      other: {workspace: Audit}
"), @r"
    Error policy/separation 2:11: `ada@acme.com` holds both `workspace_admin` in `Prod` and `workspace_admin` in `Audit`
        8:7: the rule
    Error policy/separation 4:20: `eve@acme.com` holds both `workspace_admin` in `Prod` and `workspace_user` in `Audit`
        8:7: the rule
        5:21: and this
    ");
}

#[test]
fn contractors_have_a_last_day_that_is_near() {
    assert_snapshot!(found("\
members:
  ada@acme.com: admin
  joan@contractor.io: developer
  max@contractor.io: {role: user, until: 2028-01-01}
  kim@contractor.io: {role: user, until: 2027-01-01}
policy: {contractors: {people: [\"*@contractor.io\"], days: 365}}
"), @r"
    Error policy/contractors 4:3: `joan@contractor.io` has no last day
        7:10: the rule
    Error policy/contractors 5:3: the last day of `max@contractor.io`, 2028-01-01, is 405 days away, and the rule wants at most 365
        7:10: the rule
    ");
}

#[test]
fn names_and_tags_follow_their_patterns() {
    assert_snapshot!(found("\
teams: {ml: [], Web: []}
workspaces:
  team-ml: {tags: {env: prod, cost-center: \"4411\"}, api_keys: {ci-deploy: active, joans key: active}}
  Joan's: {tags: {env: production}}
  team-web: {}
policy:
  names:
    - {workspaces: [\"team-*\"]}
    - {api_keys: [\"ci-*\"], severity: warning}
    - {teams: [\"[a-z]*\"]}
  tags: {required: {env: [prod, dev], cost-center: []}}
"), @r"
    Error policy/names 5:3: the name of the workspace `Joan's` is not like `team-*`
        9:7: the rule
    Warning policy/names 4:83: the name of the key `joans key` is not like `ci-*`
        10:7: the rule
    Error policy/names 2:17: the name of the team `Web` is not like `[a-z]*`
        11:7: the rule
    Error policy/tags 5:3: the workspace `Joan's` lacks the tag `cost-center`
        12:3: the rule
    Error policy/tags 5:3: the tag `env` of the workspace `Joan's` is `production`
        12:3: the rule
    not judged: tags: the files do not list the `tags` of some of these workspaces
    ");
}

#[test]
fn what_only_a_plan_knows_is_not_judged_on_files() {
    assert_snapshot!(found("policy: {key_age: {days: 90}, invite_age: {days: 7}}\n"), @r"
    not judged: key_age: only a plan knows when keys were made
    not judged: invite_age: only a plan knows which invites wait
    ");
}

#[test]
fn an_exception_accepts_one_finding_for_a_reason_until_its_date() {
    assert_snapshot!(found("\
members: {joan@contractor.io: developer, max@contractor.io: developer, kim@contractor.io: developer}
policy:
  contractors: {people: [\"*@contractor.io\"]}
  exceptions:
    - {rule: contractors, of: joan@contractor.io, reason: SOW-118 has no end}
    - {rule: contractors, of: max@contractor.io, reason: was a mistake, until: 2026-11-21}
"), @r"
    Error policy/contractors 2:11 (accepted): `joan@contractor.io` has no last day
        4:3: the rule
    Error policy/contractors 2:72: `kim@contractor.io` has no last day
        4:3: the rule
    Error policy/contractors 2:42: `max@contractor.io` has no last day
        4:3: the rule
        7:7: accepted until 2026-11-21, which has passed
    ");
}

#[cfg(feature = "cel")]
#[test]
fn rules_of_the_files_own_point_at_the_culprit() {
    assert_snapshot!(found("\
members: {ada@acme.com: admin, eve@acme.com: developer, joan@contractor.io: {role: developer, note: SOW-118}}
workspaces:
  Prod: {members: {joan@contractor.io: workspace_admin, eve@acme.com: workspace_user}, tags: {env: prod}}
  Lab: {members: {}}
policy:
  rules:
    notes:
      for_each: people
      when: person.domain != \"acme.com\"
      check: has(person.note) && person.note.startsWith(\"SOW-\")
    outsiders:
      for_each: grants
      check: '!(grant.workspace.startsWith(\"Prod\") && !grant.person.endsWith(\"@acme.com\"))'
      message: people from outside have no access to production
    wide:
      for_each: workspaces
      check: workspace.access.size() <= 2 || findPerson(\"ada@acme.com\").role != \"admin\"
      severity: warning
    whole:
      check: people.filter(p, p.role == \"admin\").size() >= 2
    dated:
      for_each: people
      check: daysUntil(person.until) < 10
    changes: {for_each: changes, check: \"false\"}
"), @r"
    Error policy/outsiders 4:20: `joan@contractor.io` in `Prod`: people from outside have no access to production
        12:5: the rule
    Warning policy/wide 4:3: the rule `wide` does not hold for `Prod`
        16:5: the rule
    Error policy/whole 20:5: the rule `whole` does not hold for the organization
    Error policy/dated 2:11: `dated` cannot be judged for `ada@acme.com`: `daysUntil` does not work on null: ask with `!= null` first
        22:5: the rule
        24:14: the expression
    Error policy/dated 2:32: `dated` cannot be judged for `eve@acme.com`: `daysUntil` does not work on null: ask with `!= null` first
        22:5: the rule
        24:14: the expression
    Error policy/dated 2:57: `dated` cannot be judged for `joan@contractor.io`: `daysUntil` does not work on null: ask with `!= null` first
        22:5: the rule
        24:14: the expression
    ");
}

#[cfg(feature = "cel")]
#[test]
fn tests_say_who_must_and_must_not_have_which_access() {
    assert_snapshot!(found("\
members: {ada@acme.com: admin, eve@acme.com: developer, joan@contractor.io: user}
workspaces:
  Prod: {members: {eve@acme.com: workspace_developer, joan@contractor.io: workspace_user}}
  Lab: {members: {eve@acme.com: workspace_developer}}
tests:
  ada reaches all: {person: Ada@acme.com, must: [{role: admin}, {workspace: \"*\", role: workspace_admin}]}
  eve deploys: {person: eve@acme.com, must: {workspace: Prod, role: workspace_user}, must_not: {workspace: Prod, role: workspace_admin}}
  outsiders stay out: {person: \"*@contractor.io\", must_not: [{workspace: Prod}, 'person.role != \"user\"']}
  eve is everywhere: {person: eve@acme.com, must: {workspace: \"*\", role: workspace_admin}}
  gone: {person: kim@acme.com, must: {role: user}, must_not: {role: admin}}
  few: {must: people.size() < 3, severity: warning}
"), @r"
    Error policy/test 5:19: the test `eve is everywhere` fails: `eve@acme.com` does not hold `workspace_admin` in `*`
        10:3: the rule
    Warning policy/test 12:3: the test `few` fails for the organization: this must be true: people.size() < 3
    Error policy/test 11:18: the test `gone` fails: nobody is `kim@acme.com`
        11:3: the rule
    Error policy/test 4:55: the test `outsiders stay out` fails: `joan@contractor.io` holds `workspace_user` in `Prod`
        9:3: the rule
    ");
}

#[cfg(feature = "cel")]
#[test]
fn a_rule_that_costs_too_much_is_an_error_and_leaves_the_others_their_share() {
    let members: String =
        (0..2_000).map(|n| format!("  p{n}@acme.com: user\n")).collect::<Vec<_>>().concat();
    let costly = "people.all(a, people.all(b, people.all(c, a.email != b.email || b.email != c.email || true)))";
    let yaml = format!(
        "members:\n{members}policy:\n  rules:\n    costly: {{check: \"{costly}\"}}\n    cheap: {{check: people.size() == 1}}\n"
    );
    let found = found(&yaml);
    assert!(found.contains("`costly` costs too much"), "{found}");
    assert!(found.contains("`cheap` does not hold"), "{found}");
}

#[test]
fn thousands_of_findings_are_counted_not_shown() {
    let members: String =
        (0..800).map(|n| format!("  p{n}@other.io: user\n")).collect::<Vec<_>>().concat();
    let verdict = verdict(&format!(
        "members:\n{members}policy: {{email_domains: {{domains: [acme.com]}}}}\n"
    ));
    assert_eq!(verdict.findings.len(), SHOWN + 1);
    assert!(verdict.findings[SHOWN].message.contains("300 more"));
}
