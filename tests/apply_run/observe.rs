//! Observations of a whole organization: how many requests they take, and under every answer the API may give.

use std::collections::BTreeMap;

use orgcharter::{
    address::Kind,
    observe,
    resource::{OrgKind, Spec, read_scope::ReadScope},
    sandbox::{Fault, Rule, Switches},
};

use super::support::*;

fn kinds(
    objects: &[(orgcharter::address::Address, std::sync::Arc<orgcharter::resource::Object>)],
) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    for (address, _) in objects {
        *kinds.entry(address.kind).or_default() += 1;
    }
    kinds
}

async fn look(org: &Org, scope: &ReadScope) -> Result<orgcharter::resource::Live, String> {
    let info = observe::identify(observe::me(&org.reader).await, &org.reader, OrgKind::Console)
        .map_err(|e| e.to_string())?;
    let own = |_: &str| false;
    let now = org.sandbox.now();
    observe::observe(&org.reader, &info, scope, &own, now).await.map_err(|e| e.to_string())
}

#[tokio::test]
async fn reads_are_as_few_as_the_pages_there_are() {
    let org = Org::new(|state| {
        for number in 0..2_001 {
            state.add_user(&format!("p{number}@acme.com"), "user");
        }
        for number in 0..1_000 {
            state.add_invite(&format!("i{number}@acme.com"), "user");
        }
        for name in ["A", "B", "C"] {
            state.add_workspace(name);
        }
        for number in 0..1_001 {
            state.set_grant("A", &format!("p{number}@acme.com"), "workspace_user");
        }
        state.add_api_key("ci", Some("A"));
        state.archive_workspace("C");
    });
    org.sandbox.with(|state| state.log.clear());
    let live = look(&org, &ReadScope::everything()).await.unwrap();
    let kinds = kinds(&live.objects);
    assert_eq!(kinds[&Kind::Member], 3_002);
    assert_eq!(kinds[&Kind::Workspace], 3, "two and the Default Workspace");
    assert_eq!(kinds[&Kind::WorkspaceMember], 1_001);
    assert_eq!(live.archived.len(), 1);
    // me, three pages of users, one of invites, workspaces with and without the default one, two pages of A's
    // members, one of B's, one of keys
    assert_eq!(org.sandbox.log().len(), 1 + 3 + 1 + 2 + 2 + 1 + 1);
    assert_eq!(org.reader.requests_sent(), 11);
}

#[tokio::test]
async fn an_organization_looks_the_same_under_every_answer_that_is_not_documented() {
    let plant = |state: &mut orgcharter::sandbox::State| {
        state.add_user("bob@acme.com", "billing");
        state.add_user("cy@acme.com", "developer");
        state.add_invite("dee@acme.com", "user");
        state.add_workspace("A");
        state.set_grant("A", "cy@acme.com", "workspace_admin");
        state.add_api_key("ci", Some("A"));
        state.add_api_key("old", None);
    };
    for switches in Switches::all_variants() {
        let org = Org::new(|state| {
            state.switches = switches;
            plant(state);
        });
        let live = look(&org, &ReadScope::everything()).await;
        let live = live.unwrap_or_else(|error| panic!("{:?}: {error}", switches.differences()));
        let kinds = kinds(&live.objects);
        assert_eq!(kinds[&Kind::Member], 4, "{:?}", switches.differences());
        assert_eq!(kinds[&Kind::WorkspaceMember], 1, "{:?}", switches.differences());
        assert_eq!(kinds[&Kind::ApiKey], 2, "{:?}", switches.differences());
        let default = live
            .objects
            .iter()
            .filter(|(_, object)| matches!(&object.spec, Spec::Workspace(spec) if spec.is_default))
            .count();
        let listed = !switches.differences().contains_key("default_listing");
        assert_eq!(default, usize::from(listed), "{:?}", switches.differences());
    }
}

#[tokio::test]
async fn a_listing_that_fails_for_good_ends_the_observation() {
    for route in ["users", "invites", "workspaces", "workspaces/*/members", "api_keys"] {
        let org = Org::new(|state| {
            state.add_workspace("A");
        });
        let on = format!("GET /v1/organizations/{route}");
        org.rule(Rule::new(on, Fault::StatusBefore(500)));
        let error = look(&org, &ReadScope::everything()).await.unwrap_err();
        assert!(error.starts_with("cannot list "), "{route}: {error}");
    }
}

#[tokio::test]
async fn a_large_organization_is_read_in_seconds_even_unoptimized() {
    let org = Org::new(|state| {
        for number in 0..20_000 {
            state.add_user(&format!("p{number}@acme.com"), "user");
        }
        for space in 0..100 {
            let name = format!("W{space}");
            state.add_workspace(&name);
            for number in 0..500 {
                let person = (space * 191 + number * 7) % 20_000;
                state.set_grant(&name, &format!("p{person}@acme.com"), "workspace_user");
            }
        }
    });
    let start = std::time::Instant::now();
    let live = look(&org, &ReadScope::everything()).await.unwrap();
    let took = start.elapsed();
    assert_eq!(kinds(&live.objects)[&Kind::WorkspaceMember], 50_000);
    assert!(took.as_secs() < 20, "{took:?}");
}
