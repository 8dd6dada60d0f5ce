//! Observations of canned answers: what is asked for, and what becomes of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::*;
use crate::{
    api::{
        client::{Client, Options},
        clock::TestClock,
        credential::Credential,
        transport::{BoxFuture, RawRequest, RawResponse, Transport, TransportError},
    },
    resource::{
        Spec,
        matching::Target,
        read_scope::{GrantScope, GrantTarget, ReadScope},
    },
    secret::Secret,
};

const ORGANIZATION: &str = "3f0c1b1e-0000-4000-8000-000000000000";

/// Answers each target with a canned value; anything else with 404.
#[derive(Default)]
struct Canned {
    answers: BTreeMap<String, Value>,
    asked: Mutex<Vec<String>>,
}

impl Canned {
    fn list(mut self, target: &str, items: Value) -> Self {
        let target = format!("/v1/organizations/{target}");
        let mut page = json!({"has_more": false, "first_id": null, "last_id": null});
        page["data"] = items;
        self.answers.insert(target, page);
        self
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}

impl Transport for Canned {
    fn send(&self, request: RawRequest) -> BoxFuture<'_, Result<RawResponse, TransportError>> {
        let short = request.target.trim_start_matches("/v1/organizations/").to_owned();
        self.asked.lock().unwrap().push(short);
        let (status, body) = match self.answers.get(&request.target) {
            Some(body) => (200, body.clone()),
            None => (404, json!({"type": "error", "error": {"type": "not_found_error"}})),
        };
        let organization = ("anthropic-organization-id".to_owned(), ORGANIZATION.to_owned());
        let body = bytes::Bytes::from(body.to_string());
        Box::pin(async move { Ok(RawResponse { status, headers: vec![organization], body }) })
    }
}

fn reader(canned: &Arc<Canned>) -> Reader {
    let clock = TestClock::new("2026-11-22T10:00:00Z".parse().unwrap());
    let credential =
        Credential::Key(Secret::new("sk-ant-admin01-x".into()), "ANTHROPIC_ADMIN_KEY".into());
    Client::new(Arc::clone(canned) as _, credential, Arc::new(clock), Options::default()).reader()
}

async fn look(canned: &Arc<Canned>, scope: &ReadScope) -> Result<Live, ObserveError> {
    let info = OrganizationInfo { id: ORGANIZATION.into(), name: None };
    let own = |hint: &str| hint.ends_with("igAA");
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    // Spawned, so that an observation which cannot move between threads does not compile.
    let (reader, scope) = (reader(canned), scope.clone());
    tokio::spawn(async move { observe(&reader, &info, &scope, &own, now).await }).await.unwrap()
}

fn workspace(id: &str, name: &str) -> Value {
    json!({"type": "workspace", "id": id, "name": name, "archived_at": null,
           "tags": {"env": "prod", "anthropic_internal": "x"}})
}

fn nothing() -> ReadScope {
    ReadScope {
        members: false,
        workspaces: false,
        default_workspace: false,
        grants: GrantScope::None,
        api_keys: false,
    }
}

fn addresses(live: &Live) -> Vec<String> {
    live.objects.iter().map(|(address, _)| address.to_string()).collect()
}

#[tokio::test]
async fn kinds_out_of_scope_are_not_read() {
    let canned = Arc::new(Canned::default());
    let live = look(&canned, &nothing()).await.unwrap();
    assert_eq!(canned.asked(), Vec::<String>::new());
    assert_eq!(live.coverage, Coverage::default());
}

#[tokio::test]
async fn the_default_workspace_is_the_one_listed_only_on_request_and_its_members_are_not_asked_for()
{
    let canned = Arc::new(
        Canned::default()
            .list(
                "users?limit=1000",
                json!([{"type": "user", "id": "user_1", "email": "ada@acme.com", "role": "user"}]),
            )
            .list("invites?limit=1000", json!([]))
            .list(
                "workspaces?limit=1000&include_archived=true",
                json!([
                    workspace("wrkspc_1", "Production"),
                    workspace("wrkspc_2", "Default"),
                    {"type": "workspace", "id": "wrkspc_3", "name": "Old", "archived_at": "2026-01-01T00:00:00Z"},
                ]),
            )
            .list(
                "workspaces?limit=1000&include_default=true",
                json!([
                    workspace("wrkspc_0", "Default"),
                    workspace("wrkspc_1", "Production"),
                    workspace("wrkspc_2", "Default"),
                    workspace("wrkspc_9", "Made meanwhile"),
                ]),
            )
            .list(
                "workspaces/wrkspc_1/members?limit=1000",
                json!([{"type": "workspace_member", "user_id": "user_gone", "workspace_role": "workspace_user"}]),
            )
            .list("workspaces/wrkspc_2/members?limit=1000", json!([]))
            .list(
                "api_keys?limit=1000",
                json!([
                    {"type": "api_key", "id": "apikey_1", "name": "a", "status": "active",
                     "scope": {"type": "workspace", "workspace_id": "wrkspc_3"}},
                    {"type": "api_key", "id": "apikey_2", "name": "b", "status": "active",
                     "scope": {"type": "workspace", "workspace_id": "wrkspc_0"},
                     "principal": {"type": "user", "id": "user_1"},
                     "partial_key_hint": "sk-ant-api03-R2D...igAA"},
                ]),
            ),
    );
    let live = look(&canned, &ReadScope::everything()).await.unwrap();
    assert_eq!(
        canned.asked(),
        [
            "api_keys?limit=1000",
            "invites?limit=1000",
            "users?limit=1000",
            "workspaces/wrkspc_1/members?limit=1000",
            "workspaces/wrkspc_2/members?limit=1000",
            "workspaces?limit=1000&include_archived=true",
            "workspaces?limit=1000&include_default=true",
        ]
    );
    assert_eq!(
        addresses(&live),
        [
            "member/user_1",
            "workspace/wrkspc_1",
            "workspace/wrkspc_2",
            "workspace/wrkspc_0",
            "workspace_member/wrkspc_1/user_gone",
            "api_key/apikey_1",
            "api_key/apikey_2",
        ]
    );
    let default: Vec<&str> = live
        .objects
        .iter()
        .filter(|(_, object)| matches!(&object.spec, Spec::Workspace(spec) if spec.is_default))
        .map(|(address, _)| address.name.as_str())
        .collect();
    assert_eq!(default, ["wrkspc_0"]);
    assert_eq!(live.archived.len(), 1);
    let Spec::Workspace(production) = &live.objects[1].1.spec else { panic!("a workspace") };
    assert_eq!(production.tags.as_ref().unwrap().keys().collect::<Vec<_>>(), ["env"]);
    let keys: Vec<_> = live.objects[5..]
        .iter()
        .map(|(_, object)| match &object.spec {
            Spec::ApiKey(key) => {
                (key.workspace.as_ref().map(Name::as_str), object.key_facts().unwrap().in_use)
            }
            _ => panic!("a key"),
        })
        .collect();
    assert_eq!(keys, [(Some("wrkspc_3"), false), (None, true)]);
}

#[tokio::test]
async fn a_workspace_that_is_listed_unasked_is_not_the_default_one_whatever_its_name() {
    let base = |with: Value| {
        let all = "workspaces?limit=1000&include_archived=true";
        Canned::default()
            .list(all, with.clone())
            .list("workspaces?limit=1000&include_default=true", with)
    };
    let scope = ReadScope { workspaces: true, default_workspace: true, ..nothing() };
    let defaults = |live: &Live| {
        let is_default = |object: &crate::resource::Object| matches!(&object.spec, Spec::Workspace(spec) if spec.is_default);
        live.objects.iter().filter(|(_, object)| is_default(object)).count()
    };
    let never = Arc::new(base(json!([workspace("wrkspc_1", "Production")])));
    let live = look(&never, &scope).await.unwrap();
    assert_eq!((live.objects.len(), defaults(&live)), (1, 0));
    let namesake = [workspace("wrkspc_0", "Default"), workspace("wrkspc_1", "Production")];
    let live = look(&Arc::new(base(json!(namesake))), &scope).await.unwrap();
    assert_eq!((live.objects.len(), defaults(&live)), (2, 0));
}

#[tokio::test]
async fn only_the_members_of_managed_workspaces_are_read() {
    let canned = Arc::new(
        Canned::default()
            .list(
                "workspaces?limit=1000&include_archived=true",
                json!([
                    workspace("wrkspc_1", "Prod"),
                    workspace("wrkspc_2", "Twin"),
                    workspace("wrkspc_3", "Twin"),
                    workspace("wrkspc_4", "Staging"),
                ]),
            )
            .list("workspaces/wrkspc_1/members?limit=1000", json!([])),
    );
    let target = |name: &str, previously: &[&str]| Target {
        id: None,
        name: name.into(),
        previously: previously.iter().map(|name| Arc::from(*name)).collect(),
    };
    let grants = GrantScope::Of(vec![
        GrantTarget::managed(target("Production", &["Prod"])),
        GrantTarget::managed(target("Twin", &[])),
        GrantTarget { managed: false, ..GrantTarget::managed(target("Staging", &[])) },
        GrantTarget::managed(target("New", &[])),
    ]);
    let live = look(&canned, &ReadScope { workspaces: true, grants, ..nothing() }).await.unwrap();
    let read: Vec<_> = live.coverage.workspace_members.iter().map(RemoteId::as_str).collect();
    assert_eq!(read, ["wrkspc_1"]);
}

#[tokio::test]
async fn members_of_workspaces_that_no_entry_claims_are_read_only_beside_one_that_is_to_be_made() {
    let canned = Arc::new(
        Canned::default()
            .list(
                "workspaces?limit=1000&include_archived=true",
                json!([
                    workspace("wrkspc_1", "Production"),
                    workspace("wrkspc_2", "Payments EU"),
                    workspace("wrkspc_3", "Claude Code"),
                ]),
            )
            .list("workspaces/wrkspc_1/members?limit=1000", json!([]))
            .list("workspaces/wrkspc_2/members?limit=1000", json!([])),
    );
    let entry = |name: &str, managed: bool, may_be_renamed: bool| GrantTarget {
        target: Target { id: None, name: name.into(), previously: Vec::new() },
        managed,
        may_be_renamed,
    };
    for (new, expected) in [
        (entry("New", true, true), &["wrkspc_1", "wrkspc_2"][..]),
        (entry("New", true, false), &["wrkspc_1"]),
        (entry("Payments EU", false, true), &["wrkspc_1"]),
    ] {
        let grants = GrantScope::Of(vec![entry("Production", true, true), new]);
        let scope = ReadScope { workspaces: true, grants, ..nothing() };
        let live = look(&canned, &scope).await.unwrap();
        let read: Vec<_> = live.coverage.workspace_members.iter().map(RemoteId::as_str).collect();
        assert_eq!(read, expected);
    }
}

#[tokio::test]
async fn one_broken_listing_ends_the_observation_and_names_itself() {
    let canned = Arc::new(
        Canned::default()
            .list(
                "workspaces?limit=1000&include_archived=true",
                json!([workspace("wrkspc_1", "Production")]),
            )
            .list("api_keys?limit=1000", json!([])),
    );
    let scope =
        ReadScope { workspaces: true, api_keys: true, grants: GrantScope::All, ..nothing() };
    let error = look(&canned, &scope).await.unwrap_err().to_string();
    assert!(
        error.starts_with("cannot list the members of the workspace `Production`: GET "),
        "{error}"
    );
}

#[tokio::test]
async fn where_me_is_missing_the_answers_header_tells_the_organization() {
    let reader = reader(&Arc::new(Canned::default()));
    let info = identify(me(&reader).await, &reader, OrgKind::Enterprise).unwrap();
    assert_eq!(info, OrganizationInfo { id: ORGANIZATION.into(), name: None });
    let error = identify(me(&reader).await, &reader, OrgKind::Console).unwrap_err();
    assert!(matches!(error, ObserveError::Organization(_)));
}

#[tokio::test]
async fn an_organization_without_anybody_is_an_answer_that_lost_its_rows() {
    let canned = Arc::new(
        Canned::default().list("users?limit=1000", json!([])).list("invites?limit=1000", json!([])),
    );
    let people = ReadScope { members: true, ..ReadScope::nothing() };
    let error = look(&canned, &people).await.unwrap_err().to_string();
    assert!(
        error.ends_with("the list is empty, and an organization has at least one member"),
        "{error}"
    );
}
