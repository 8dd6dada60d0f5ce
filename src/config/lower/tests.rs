//! What documents want on a day.

use std::fmt::Write as _;

use insta::assert_snapshot;
use jiff::civil::date;

use super::*;
use crate::config::load::load_sources;

/// Lowers YAML on 2027-01-15 and lists what is wanted, gone, kept and noted.
fn lowered(yaml: &str) -> String {
    let text = format!("version: 1\n{yaml}");
    let loaded = load_sources(vec![("charter.yaml".into(), text.into())])
        .unwrap_or_else(|rejected| panic!("{:#?}", rejected.diagnostics));
    let (desired, notes) = lower(&loaded.document, date(2027, 1, 15));
    let mut out = String::new();
    for (address, object) in &desired.objects {
        write!(out, "{address}").unwrap();
        for (field, value) in object.spec.resource().fields() {
            write!(out, " {field}={value}").unwrap();
        }
        let expired = object.source.as_ref().is_some_and(|source| source.expired);
        writeln!(out, "{}", if expired { " (expired)" } else { "" }).unwrap();
    }
    for (address, gone) in &desired.gone {
        writeln!(out, "gone {address} {:?} at {}", gone.cause, gone.source.span).unwrap();
    }
    for address in &desired.kept {
        writeln!(out, "kept {address}").unwrap();
    }
    for note in notes {
        writeln!(out, "{}", note.message).unwrap();
    }
    out
}

#[test]
fn teams_become_grants_and_a_grant_by_e_mail_wins() {
    assert_snapshot!(lowered(
        "members: {ada@acme.com: user, bob@acme.com: user, eve@acme.com: user}
teams: {core: [Ada@ACME.com, bob@acme.com, eve@acme.com]}
workspaces:
  Prod:
    members:
      team/core: workspace_developer
      ada@acme.com: workspace_admin
      bob@acme.com: none
"
    ), @r#"
    member/ada@acme.com role="user"
    member/bob@acme.com role="user"
    member/eve@acme.com role="user"
    workspace/Prod name="Prod"
    workspace_member/Prod/ada@acme.com role="workspace_admin"
    workspace_member/Prod/eve@acme.com role="workspace_developer"
    gone workspace_member/Prod/bob@acme.com None at charter.yaml:9:7
    "#);
}

#[test]
fn the_last_day_counts_and_the_day_after_does_not() {
    assert_snapshot!(lowered(
        "members:
  last@acme.com: {role: user, until: 2027-01-15}
  late@acme.com: {role: user, until: 2027-01-14}
workspaces:
  Prod:
    members:
      last@acme.com: {role: workspace_user, until: 2027-01-14}
      late@acme.com: workspace_user
"
    ), @r#"
    member/last@acme.com role="user"
    workspace/Prod name="Prod"
    gone member/late@acme.com Expired at charter.yaml:4:3
    gone workspace_member/Prod/last@acme.com Expired at charter.yaml:8:7
    `late@acme.com` gets no grant in `Prod`: their entry under `members` has passed its `until`
    "#);
}

#[test]
fn people_on_their_way_out_lose_team_places_with_a_note() {
    assert_snapshot!(lowered(
        "members: {gone@acme.com: none}
teams: {core: [gone@acme.com]}
workspaces: {Prod: {members: {team/core: workspace_user}}}
"
    ), @r#"
    workspace/Prod name="Prod"
    gone member/gone@acme.com None at charter.yaml:2:11
    `gone@acme.com` gets no grant in `Prod`: their entry under `members` is `none`
    "#);
}

#[test]
fn a_key_past_its_date_is_wanted_off() {
    assert_snapshot!(lowered(
        "workspaces:
  Prod:
    api_keys:
      ci: active
      apikey_01A: {status: active, until: 2027-01-14}
      apikey_01B: {status: archived, until: 2027-01-14}
      apikey_01C: {name: old, until: 2027-01-15}
api_keys: {apikey_01D: {status: inactive}}
"
    ), @r#"
    workspace/Prod name="Prod"
    api_key/apikey_01A status="inactive" workspace="Prod" (expired)
    api_key/apikey_01B status="archived" workspace="Prod"
    api_key/apikey_01C name="old" workspace="Prod"
    api_key/apikey_01D status="inactive" workspace=null
    api_key/Prod/ci name="ci" status="active" workspace="Prod"
    "#);
}

#[test]
fn archived_and_default_workspaces_and_unmanaged_roles_are_what_they_are() {
    assert_snapshot!(lowered(
        "members: {ada@acme.com: unmanaged}
workspaces:
  old: {id: wrkspc_01A, name: Old, state: archived}
  Default: {display_color: \"#abcdef\"}
  Prod: {members: {ada@acme.com: unmanaged}}
"
    ), @r##"
    member/ada@acme.com
    workspace/Default name="Default" display_color="#ABCDEF"
    workspace/Prod name="Prod"
    gone workspace/old Archived at charter.yaml:4:3
    kept workspace_member/Prod/ada@acme.com
    "##);
}

#[test]
fn listed_keys_of_a_workspace_to_be_archived_are_still_listed() {
    assert_snapshot!(lowered(
        "workspaces:
  old: {id: wrkspc_01A, state: archived, api_keys: {ci: active}}
"
    ), @r#"
    api_key/old/ci name="ci" status="active" workspace="old"
    gone workspace/old Archived at charter.yaml:3:3
    "#);
}

#[test]
fn an_ignore_past_its_date_still_protects_and_is_named_by_canonical_addresses() {
    let text = "version: 1
manage:
  ignore:
    - {members: '*@Bücher.example', reason: vendor, until: 2026-12-31}
    - {workspaces: 'Test *', reason: scratch}
";
    let loaded = load_sources(vec![("charter.yaml".into(), text.into())]).unwrap();
    let (desired, notes) = lower(&loaded.document, date(2027, 1, 15));
    let ignore = &desired.scope.ignore;
    assert_eq!(ignore[0].pattern.glob(), "*@xn--bcher-kva.example");
    assert!(ignore[0].expired && !ignore[1].expired);
    assert_eq!((notes.len(), &*notes[0].code), (1, "config/ignore-expired"));
}
