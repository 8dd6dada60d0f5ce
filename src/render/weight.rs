//! Changed rules of the files in the order of their weight, for formats that cut what is too much.
//!
//! Invariant: every rule is given once; of two rules the one that may loosen more comes first.

use std::cmp::Reverse;

use jiff::civil::Date;

use crate::plan::rules::RuleChange;

/// The rules, what loosens first; rules of one weight stay in their order.
pub(super) fn by_weight(rules: &[RuleChange]) -> Vec<&RuleChange> {
    let mut ranked: Vec<&RuleChange> = rules.iter().collect();
    ranked.sort_by_key(|rule| weight(rule));
    ranked
}

/// What holds for all entries, then what is no longer said, then ends that come later (the latest first), then who
/// an entry means, then the rest.
fn weight(change: &RuleChange) -> (u8, Reverse<i32>) {
    let RuleChange { rule, before, after, effect: _, at: _ } = change;
    let of_entry = ["members.", "workspaces.", "api_keys.", "teams."];
    let date = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Date>().ok());
    if !of_entry.iter().any(|section| rule.starts_with(section)) {
        return (0, Reverse(0));
    }
    match (date(before), date(after)) {
        (Some(before), Some(after)) if after > before => (2, Reverse((after - before).get_days())),
        _ if after.is_none() => (1, Reverse(0)),
        _ => match rule.rsplit('.').next() {
            Some("id" | "previously") => (3, Reverse(0)),
            _ => (4, Reverse(0)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loosens_more_comes_first() {
        let change = |rule: &str, before: Option<&str>, after: Option<&str>| RuleChange {
            rule: rule.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            effect: None,
            at: None,
        };
        let rules = [
            change("members.ada@acme.com.until", Some("2027-03-30"), Some("2027-03-31")),
            change("members.bea@acme.com.id", None, Some("user_1")),
            change("members.cy@acme.com.until", Some("2027-03-31"), Some("2027-03-30")),
            change("members.zed@acme.com.until", Some("2027-03-30"), Some("2037-03-30")),
            change("workspaces.Prod.members", Some("managed"), None),
            change("guard.invites", Some("10"), Some("100")),
        ];
        let order: Vec<&str> = by_weight(&rules).iter().map(|rule| rule.rule.as_str()).collect();
        assert_eq!(
            order,
            [
                "guard.invites",
                "workspaces.Prod.members",
                "members.zed@acme.com.until",
                "members.ada@acme.com.until",
                "members.bea@acme.com.id",
                "members.cy@acme.com.until",
            ]
        );
    }
}
