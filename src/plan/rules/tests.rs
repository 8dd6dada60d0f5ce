//! Rules that differ between two texts, each as a line.

use jiff::civil::date;

use super::*;
use crate::{
    config::{load::load_sources, lower::lower},
    plan::compare::compare,
};

/// The rules that differ, a line each.
fn differ(old: &str, new: &str) -> Vec<String> {
    let load = |name: &str, text: &str| {
        let text = format!("version: 1\n{text}");
        load_sources(vec![(name.into(), text.into())])
            .unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics))
            .document
    };
    let (old, new) = (load("old.yaml", old), load("new.yaml", new));
    let today = date(2026, 11, 22);
    let compared = compare(&lower(&old, today).0, &lower(&new, today).0);
    let side = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    rules(&old, &new, &compared)
        .into_iter()
        .map(|RuleChange { rule, before, after, effect, at: _ }| {
            let effect = effect.map(|effect| format!(", {effect}")).unwrap_or_default();
            format!("{rule}: {} -> {}{effect}", side(before), side(after))
        })
        .collect()
}

/// A workspace with the people that may be in it.
fn within(workspace: &str) -> String {
    format!(
        "members: {{joan@acme.com: user}}\nteams: {{t: [joan@acme.com]}}\nworkspaces: {{{workspace}}}"
    )
}

#[test]
fn the_end_of_somebody_listed_by_another_address_still_compares() {
    let old = "members: {joan@old.io: {role: developer, until: 2027-03-31}}";
    assert_eq!(
        differ(old, "members: {joan@new.io: {role: developer, previously: [joan@old.io]}}"),
        [
            "members.joan@new.io: joan@old.io -> joan@new.io",
            "members.joan@new.io.previously: - -> [joan@old.io], takes over whatever is called that",
            "members.joan@new.io.until: 2027-03-31 -> -",
        ]
    );
    assert_eq!(
        differ(old, "members: {Joan@OLD.io: {role: developer, until: 2037-03-31}}"),
        ["members.joan@old.io.until: 2027-03-31 -> 2037-03-31"]
    );
    let pinned = old.replace("role", "id: user_01A, role");
    assert_eq!(
        differ(&pinned, "members: {joan@new.io: {id: user_01A, role: developer}}"),
        [
            "members.joan@new.io: joan@old.io -> joan@new.io",
            "members.joan@new.io.until: 2027-03-31 -> -"
        ]
    );
}

#[test]
fn what_a_workspace_by_another_label_no_longer_says_is_shown() {
    let old = within("Prod: {members: {joan@acme.com: {role: workspace_user, until: 2027-03-31}}}");
    let new = within("prod2: {name: Prod, members: {joan@acme.com: workspace_user}}");
    assert_eq!(
        differ(&old, &new),
        ["workspaces.prod2.members.joan@acme.com.until: 2027-03-31 -> -"]
    );
    assert_eq!(
        differ(&old, &within("Prod2: {previously: [Prod]}")),
        [
            "workspaces.Prod2.members: managed -> -, 1 grant stay as they are",
            "workspaces.Prod2.previously: - -> [Prod], takes over whatever is called that",
        ]
    );
    let (old, new) = ("workspaces: {P: {data_residency: {", "default_inference_geo: us");
    assert_eq!(
        differ(
            &format!("{old}{new}, allowed_inference_geos: [us]}}}}}}"),
            &format!("{old}{new}}}}}}}")
        ),
        ["workspaces.P.data_residency.allowed_inference_geos: managed -> -, it stays as it is"]
    );
}

#[test]
fn the_end_of_a_grant_compares_whichever_entry_gives_it() {
    let grant = |entry: &str| within(&format!("P: {{members: {{{entry}}}}}"));
    let dated = |who: &str| grant(&format!("{who}: {{role: workspace_user, until: 2027-03-31}}"));
    let own = "workspaces.P.members.joan@acme.com";
    assert_eq!(
        differ(&dated("joan@acme.com"), &grant("team/t: workspace_user")),
        [format!("{own}.until: 2027-03-31 -> -, now through team/t")]
    );
    assert_eq!(
        differ(&dated("team/t"), &grant("joan@acme.com: workspace_user")),
        [format!("{own}.until: 2027-03-31 -> -, now through an entry of their own")]
    );
    let (renamed, old) = (grant("team/u: workspace_user"), dated("team/t"));
    assert_eq!(
        differ(&old, &renamed.replace("{t: [", "{u: [")),
        [format!("{own}.until: 2027-03-31 -> -, now through team/u")]
    );
    assert_eq!(
        differ(&grant("joan@acme.com: none"), &grant("team/t: unmanaged")),
        [format!("{own}.role: managed -> -, now through team/t")]
    );
    assert_eq!(differ(&dated("joan@acme.com"), &dated("team/t")), Vec::<String>::new());
}

#[test]
fn a_removal_that_is_called_off_is_shown_unless_the_list_removes() {
    let old = "members: {ada@acme.com: admin, bob@acme.com: none}\n";
    let new = "members: {ada@acme.com: admin}\n";
    let stays = "members.bob@acme.com: none -> not listed, whoever is there stays";
    assert_eq!(differ(old, new), [stays]);
    let removes = "manage: {members: remove}";
    assert_eq!(
        differ(&format!("{old}{removes}"), &format!("{new}{removes}")),
        Vec::<String>::new()
    );
    let old = "
members: {ada@acme.com: user, bob@acme.com: {role: user, until: 2020-01-01}}
workspaces:
  P:
    members: {ada@acme.com: {role: workspace_user, until: 2020-01-01}}
    api_keys: {apikey_01A: {status: active, until: 2020-01-01}}
";
    let new = "members: {ada@acme.com: user}\nworkspaces: {P: {members: {}, api_keys: {}}}";
    assert_eq!(
        differ(old, new),
        [
            "workspaces.P.api_keys.apikey_01A: managed -> -, it stays as it is",
            "members.bob@acme.com: past its `until` -> not listed, whoever is there stays",
            "workspaces.P.members.ada@acme.com: past its `until` -> not listed, whoever is there stays",
        ]
    );
}

#[test]
fn a_grant_that_is_no_longer_held_on_to_is_shown_where_the_list_removes() {
    let grants = |list: &str| {
        format!(
            "{}\nmanage: {{workspace_members: remove}}",
            within(&format!("P: {{members: {{{list}}}}}"))
        )
    };
    assert_eq!(
        differ(&grants("joan@acme.com: unmanaged"), &grants("")),
        [
            "workspaces.P.members.joan@acme.com: unmanaged -> not listed, whoever is there is removed"
        ]
    );
}

#[test]
fn a_pin_of_a_new_entry_says_that_it_takes_over() {
    let new = "
members: {newbie@acme.com: {role: user, id: user_01boss}}
workspaces:
  P: {}
  New: {previously: []}
  Sandbox: {id: wrkspc_01prod, members: {}}
  Second: {previously: [Production]}
";
    assert_eq!(
        differ("members: {}\nworkspaces: {P: {}}", new),
        [
            "members.newbie@acme.com.id: - -> user_01boss, takes over whatever has that id",
            "workspaces.Sandbox.id: - -> wrkspc_01prod, takes over whatever has that id",
            "workspaces.Second.previously: - -> [Production], takes over whatever is called that",
        ]
    );
}

#[test]
fn keys_that_stay_are_counted_and_named_by_their_workspace() {
    let old = "
workspaces:
  P: {api_keys: {ci: active, cd: active}}
  Q: {api_keys: {ci: active, apikey_01A: {name: x, status: active, until: 2027-03-31}}}
  R: {api_keys: {apikey_01B: {status: active, until: 2027-03-31}}}
api_keys: {top: active}
";
    let new = "
workspaces:
  P: {}
  Q: {api_keys: {x: active}}
  S: {api_keys: {apikey_01B: active}}
";
    assert_eq!(
        differ(old, new),
        [
            "workspaces.P.api_keys: managed -> -, 2 API keys stay as they are",
            "workspaces.Q.api_keys.x.name: managed -> -, it stays as it is",
            "workspaces.Q.api_keys.x.until: 2027-03-31 -> -",
            "workspaces.S.api_keys.apikey_01B.until: 2027-03-31 -> -",
            "api_keys: managed -> -, 1 API key stay as they are",
            "workspaces.R: managed -> -, it stays as it is",
            "workspaces.Q.api_keys.ci: managed -> -, stays active",
        ]
    );
}

#[test]
fn a_name_that_went_to_another_is_not_compared_with_it() {
    let old = "members: {ada@acme.com: user}\nworkspaces: {A: {members: {ada@acme.com: workspace_user}}, B: {}}";
    let new = "members: {ada@acme.com: user}\nworkspaces: {A: {name: B}}";
    assert_eq!(
        differ(old, new),
        ["workspaces.A (as it was): managed -> -, it stays as it is, with 1 grant"]
    );
}

#[test]
fn what_stays_of_a_list_that_is_given_up_is_counted_with_the_grants_that_stay_too() {
    let old = "
members: {ada@acme.com: user, bob@acme.com: user, eve@acme.com: user}
workspaces:
  P: {members: {ada@acme.com: workspace_user, bob@acme.com: workspace_admin}, api_keys: {ci: active}}
  Q: {}
api_keys: {top: active}
";
    assert_eq!(
        differ(old, ""),
        [
            "members: managed -> -, 3 people and 2 grants stay as they are",
            "workspaces: managed -> -, 2 workspaces and 2 grants stay as they are",
            "api_keys: managed -> -, 1 API key stay as they are",
        ]
    );
}

#[test]
fn changed_rules_come_in_the_order_of_the_files() {
    let new = "
organization: {id: 3f0c1b1e-0000-4000-8000-000000000000}
manage: {members: remove}
guard: {invites: 3}
policy:
  admins: {least: 2}
members: {ada@acme.com: {role: user, until: 2037-03-31}}
workspaces: {P: {id: wrkspc_01prod}}
api_keys: {apikey_01A: {status: active, until: 2037-03-31}}
";
    let old = "
members: {ada@acme.com: user}
workspaces: {P: {}}
api_keys: {apikey_01A: active}
";
    assert_eq!(
        differ(old, new),
        [
            "organization.id: - -> 3f0c1b1e-0000-4000-8000-000000000000",
            "manage.members: report -> remove",
            "guard.invites: 50 -> 3",
            "policy.admins: - -> at least 2 admins",
            "members.ada@acme.com.until: - -> 2037-03-31",
            "workspaces.P.id: - -> wrkspc_01prod, takes over whatever has that id",
            "api_keys.apikey_01A.until: - -> 2037-03-31",
        ]
    );
}

#[test]
fn a_role_that_is_no_longer_managed_is_a_rule_that_changes() {
    assert_eq!(
        differ("members: {ada@acme.com: user}", "members: {ada@acme.com: unmanaged}"),
        ["members.ada@acme.com.role: managed -> -, it stays as it is"]
    );
}

#[test]
fn a_workspace_that_is_no_longer_to_be_archived_stays_if_it_is_there() {
    let old = "workspaces: {P: {}, Old: {id: wrkspc_01old, state: archived}}";
    assert_eq!(
        differ(old, "workspaces: {P: {}}"),
        ["workspaces.Old: archived -> not listed, it stays if it is there"]
    );
}

#[test]
fn a_grant_that_is_no_longer_held_on_to_goes_with_its_person_or_its_workspace() {
    let old = within("P: {members: {joan@acme.com: unmanaged}}");
    let new = |members: &str, workspace: &str, rest: &str| {
        format!("members: {{{members}}}\nworkspaces: {{{workspace}}}\n{rest}")
    };
    let goes =
        "workspaces.P.members.joan@acme.com: unmanaged -> not listed, whoever is there is removed";
    let shown = |members: &str, workspace: &str, rest: &str| {
        differ(&old, &new(members, workspace, rest)).iter().any(|line| line == goes)
    };
    let removes = "manage: {members: remove}";
    assert!(shown("", "P: {members: {}}", removes), "nobody lists the person");
    assert!(shown("joan@acme.com: none", "P: {members: {}}", ""), "the person is to go");
    assert!(
        shown("joan@acme.com: user", "P: {id: wrkspc_01p, state: archived}", ""),
        "the workspace is to go"
    );
    assert!(!shown("joan@acme.com: user", "P: {members: {}}", removes), "the person stays");
    assert!(!shown("", "P: {members: {}}", ""), "whoever is not listed stays");
}

#[test]
fn two_rules_of_one_name_are_two_rules() {
    let rule = |domain: &str| format!("{{roles: [admin], domains: [{domain}]}}");
    let both = format!("policy: {{email_domains: [{}, {}]}}", rule("acme.com"), rule("acme.org"));
    assert_eq!(
        differ("", &both),
        [
            "policy.email_domains: - -> everybody who is `admin` has an address of `acme.com`",
            "policy.email_domains.2: - -> everybody who is `admin` has an address of `acme.org`",
        ]
    );
}

#[test]
fn somebody_who_is_to_go_is_the_same_under_another_address() {
    let former = "members: {joan@new.io: {role: none, previously: [joan@old.io]}}";
    let same = "members.joan@new.io: joan@old.io -> joan@new.io";
    assert_eq!(
        differ("members: {joan@old.io: none}", former),
        [
            same,
            "members.joan@new.io.previously: - -> [joan@old.io], takes over whatever is called that",
        ]
    );
    let pinned = |email: &str, id: &str| format!("members: {{{email}: {{role: none, id: {id}}}}}");
    let (old, dropped) = (
        pinned("joan@old.io", "user_01A"),
        "members.joan@old.io: none -> not listed, whoever is there stays",
    );
    assert_eq!(differ(&old, &pinned("joan@new.io", "user_01A")), [same]);
    assert_eq!(
        differ(&old, &pinned("joan@new.io", "user_01B")),
        ["members.joan@new.io.id: - -> user_01B, takes over whatever has that id", dropped]
    );
    assert_eq!(differ("members: {joan@old.io: none}", "members: {joan@new.io: none}"), [dropped]);
    // A workspace of that name is nobody.
    let workspace = "workspaces: {joan@old.io: {id: wrkspc_01, state: archived}}";
    assert!(!differ(workspace, former).iter().any(|line| line == same));
}
