//! What kinds say of themselves: roles, regions, and what has to be read of an organization.

use std::collections::BTreeSet;

use super::{
    read_scope::ReadScope,
    workspace::{Color, Geos, Residency},
    *,
};

#[test]
fn each_kind_of_organization_is_read_for_what_it_has() {
    let of = |kind: OrgKind| {
        let ReadScope { members, workspaces, default_workspace, api_keys, grants: _ } =
            ReadScope::all_of(kind);
        [members, workspaces, default_workspace, api_keys]
    };
    assert_eq!(of(OrgKind::Console), [true; 4]);
    assert_eq!(of(OrgKind::Enterprise), [true, false, false, false]);
    assert_eq!(of(OrgKind::Aws), [false, true, true, false]);
    let with_keys =
        [OrgKind::Console, OrgKind::Enterprise, OrgKind::Aws].map(OrgKind::has_api_keys);
    assert_eq!(with_keys, [true, false, false]);
}

#[test]
fn a_role_of_another_kind_of_organization_does_not_exist() {
    for (role, kinds) in [
        (Role::User, [true, true, false]),
        (Role::Billing, [true, false, false]),
        (Role::Owner, [false, true, false]),
        (Role::Other("brand_new".into()), [false, false, false]),
    ] {
        let exists =
            [OrgKind::Console, OrgKind::Enterprise, OrgKind::Aws].map(|kind| role.exists_in(kind));
        assert_eq!(exists, kinds, "{role}");
    }
}

#[test]
fn roles_compare_by_power_and_billing_stands_beside_the_ladder() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let unknown = Role::Other("brand_new".into());
    for (one, other, order) in [
        (&Role::User, &Role::Billing, Some(Less)),
        (&Role::Billing, &Role::User, Some(Greater)),
        (&Role::Billing, &Role::Admin, Some(Less)),
        (&Role::Admin, &Role::Billing, Some(Greater)),
        (&Role::Billing, &Role::Developer, None),
        (&Role::Billing, &Role::Billing, Some(Equal)),
        (&unknown, &unknown, Some(Equal)),
        (&unknown, &Role::User, None),
        (&Role::ClaudeCodeUser, &Role::Developer, Some(Less)),
    ] {
        assert_eq!(one.compare(other), order, "{one} beside {other}");
    }
}

#[test]
fn regions_are_allowed_by_name_and_anywhere_is_a_word_of_its_own() {
    let read = |json: &str| serde_json::from_str::<Geos>(json).unwrap();
    let only =
        |geos: &[&str]| Geos::Only(geos.iter().map(|geo| (*geo).into()).collect::<BTreeSet<_>>());
    assert_eq!(read(r#""unrestricted""#), Geos::Unrestricted);
    assert_eq!(read(r#""us""#), only(&["us"]));
    assert_eq!(read(r#"["us", "eu"]"#), only(&["eu", "us"]));
    assert!(Geos::Unrestricted.allows("eu") && only(&["us"]).allows("us"));
    assert!(!only(&["us"]).allows("eu"));
}

#[test]
fn any_one_region_makes_a_residency_that_says_something() {
    assert!(Residency::default().is_empty());
    let geo = || Some("us".into());
    for said in [
        Residency { workspace_geo: geo(), ..Residency::default() },
        Residency { default_inference_geo: geo(), ..Residency::default() },
        Residency { allowed_inference_geos: Some(Geos::Unrestricted), ..Residency::default() },
    ] {
        assert!(!said.is_empty(), "{said:?}");
    }
}

#[test]
fn a_colour_is_a_hash_and_six_hexadecimal_digits() {
    assert!(Color::is_valid("#12abEF"));
    for wrong in ["12abEF", "#12abE", "#12abEF0", "#12abEg", "#"] {
        assert!(!Color::is_valid(wrong), "{wrong}");
    }
}

#[test]
fn lists_are_read_where_the_files_manage_them_or_need_them() {
    use super::desired::{ListScope, Unlisted};
    let span: crate::diagnostic::Span = serde_json::from_value(serde_json::json!({
        "file": "charter.yaml", "line": 1, "column": 1, "end_line": 1, "end_column": 2
    }))
    .unwrap();
    let scope = || ListScope { unlisted: Unlisted::Report, span: span.clone() };
    let read = |edit: &dyn Fn(&mut Desired)| {
        let mut desired = Desired::default();
        edit(&mut desired);
        let ReadScope { members, workspaces, api_keys, default_workspace: _, grants: _ } =
            desired.read_scope();
        (members, workspaces, api_keys)
    };
    let prod = Name::label("Prod");
    assert_eq!(read(&|_| ()), (false, false, false));
    assert_eq!(read(&|files| files.scope.members = Some(scope())), (true, false, false));
    assert_eq!(read(&|files| files.scope.workspaces = Some(scope())), (false, true, false));
    let grants = |files: &mut Desired| {
        files.scope.workspace_members.insert(prod.clone(), scope());
    };
    assert_eq!(read(&grants), (true, true, false));
    let keys = |files: &mut Desired| {
        files.scope.api_keys.insert(None, scope());
    };
    assert_eq!(read(&keys), (false, true, true));
}

#[test]
fn of_two_objects_at_one_address_the_first_stays_and_the_second_is_told() {
    let object = |name: &str| {
        let spec = Spec::Workspace(Box::new(Workspace::named(name)));
        std::sync::Arc::new(Object { spec, remote: None, source: None })
    };
    let address = Address::workspace(Name::label("Prod"));
    let other = Address::workspace(Name::label("Lab"));
    let (snapshot, duplicates) = Snapshot::collect([
        (address.clone(), object("first")),
        (other, object("other")),
        (address.clone(), object("second")),
    ]);
    assert_eq!(snapshot.get(&address).unwrap().spec.resource().title(), "first");
    assert_eq!(duplicates.len(), 1);
    assert_eq!((&duplicates[0].address, &*duplicates[0].first), (&address, &*object("first")));
}
