//! One object of the wire as an [`Object`]: what charter manages as its spec, the rest as facts.
//!
//! Invariant: nothing is judged here; a word that charter does not know is kept as it came.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    address::{Name, RemoteId},
    api::wire,
    email::Email,
    resource::{
        ApiKey, Facts, KeyStatus, Member, Object, Phase, Remote, Role, Spec, Workspace,
        WorkspaceMember, WorkspaceRole,
        api_key::{KeyFacts, Principal, Reach},
        member::MemberFacts,
        workspace::{Color, Geos, RESERVED_TAG_PREFIX, Residency, WorkspaceFacts},
    },
};

/// A member of the organization; which open invites go to the same address is another list's to say.
pub fn user(user: wire::User) -> Object {
    let wire::User { id, email, name, role, added_at } = user;
    let facts = MemberFacts { name: name.into(), added_at, pending: Vec::new() };
    Object {
        spec: Spec::Member(Member {
            email: Email::lenient(&email),
            role: Some(Role::from_wire(&role)),
            groups: Vec::new(),
        }),
        remote: Some(Remote { id, phase: Phase::Active, facts: Facts::Member(Box::new(facts)) }),
        source: None,
    }
}

/// A workspace, active or archived.
pub fn workspace(workspace: &wire::Workspace, is_default: bool) -> Object {
    let wire::Workspace {
        id,
        name,
        display_color,
        data_residency,
        tags,
        external_key_id,
        user_profile_id,
        compartment_id: _, // read-only, and nothing rests on it
        created_at,
        archived_at,
    } = workspace;
    let shared = |text: &Option<String>| text.as_deref().map(Arc::from);
    Object {
        spec: Spec::Workspace(Box::new(Workspace {
            name: name.as_str().into(),
            display_color: display_color.as_deref().map(Color::new),
            tags: Some(own_tags(tags)),
            data_residency: data_residency.as_ref().map(residency).unwrap_or_default(),
            external_key_id: shared(external_key_id),
            user_profile_id: shared(user_profile_id),
            is_default,
        })),
        remote: Some(Remote {
            id: id.clone(),
            phase: Phase::Active,
            facts: Facts::Workspace(Box::new(WorkspaceFacts {
                created_at: *created_at,
                archived_at: *archived_at,
            })),
        }),
        source: None,
    }
}

/// A grant. The workspace and the person are named by their ids.
pub fn grant(workspace: &RemoteId, user: &RemoteId, role: &str) -> Object {
    Object {
        spec: Spec::WorkspaceMember(WorkspaceMember {
            workspace: Name::id(workspace),
            member: Name::id(user),
            role: WorkspaceRole::from_wire(role),
        }),
        remote: Some(Remote {
            id: RemoteId::grant(workspace, user),
            phase: Phase::Active,
            facts: Facts::WorkspaceMember,
        }),
        source: None,
    }
}

/// A key. `place` is the workspace it is shown under; `None`: the Default Workspace or the organization.
pub fn api_key(key: &wire::ApiKey, place: Option<Name>, in_use: bool) -> Object {
    let wire::ApiKey {
        id,
        name,
        status,
        created_at,
        expires_at,
        created_by,
        principal,
        scope: _,        // read through `reach`
        workspace_id: _, // read through `reach`
        partial_key_hint,
    } = key;
    let facts = KeyFacts {
        created_at: *created_at,
        expires_at: *expires_at,
        created_by: match created_by {
            Some(wire::Actor::User(id)) => Some(id.clone()),
            Some(wire::Actor::ServiceAccount(_) | wire::Actor::Other(..)) | None => None,
        },
        principal: match principal {
            Some(wire::Actor::User(id)) => Some(Principal::User(id.clone())),
            Some(wire::Actor::ServiceAccount(id)) => Some(Principal::ServiceAccount(id.clone())),
            Some(wire::Actor::Other(..)) | None => None,
        },
        reach: match key.reach() {
            wire::Reach::Workspace(id) => Reach::Workspace(id),
            wire::Reach::Organization => Reach::Organization,
            wire::Reach::DefaultOrOrganization | wire::Reach::Other(_) => Reach::Unsaid,
        },
        hint: partial_key_hint.as_deref().map(Arc::from),
        in_use,
    };
    Object {
        spec: Spec::ApiKey(ApiKey {
            name: Some(name.as_str().into()),
            status: Some(KeyStatus::from_wire(status)),
            workspace: place,
        }),
        remote: Some(Remote {
            id: id.clone(),
            phase: Phase::Active,
            facts: Facts::ApiKey(Box::new(facts)),
        }),
        source: None,
    }
}

/// Tags without those that the product keeps for itself.
fn own_tags(tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    tags.iter()
        .filter(|(key, _)| !key.starts_with(RESERVED_TAG_PREFIX))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn residency(residency: &wire::DataResidency) -> Residency {
    let wire::DataResidency { workspace_geo, default_inference_geo, allowed_inference_geos } =
        residency;
    Residency {
        workspace_geo: workspace_geo.as_deref().map(Arc::from),
        default_inference_geo: default_inference_geo.as_deref().map(Arc::from),
        allowed_inference_geos: allowed_inference_geos.as_ref().map(|geos| match geos {
            wire::Geos::Word(word) if word == "unrestricted" => Geos::Unrestricted,
            wire::Geos::Word(word) => Geos::Only([Arc::from(word.as_str())].into()),
            wire::Geos::List(list) => {
                Geos::Only(list.iter().map(|geo| Arc::from(geo.as_str())).collect())
            }
        }),
    }
}
