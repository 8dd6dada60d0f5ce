//! Edits in the Console that go against a step of a plan.
//!
//! Invariant: an edit changes something that the step rests on, and that the API shows.

use orgcharter::{
    plan::Step,
    resource::{Phase, Spec},
    sandbox::{KeyStatus, State},
};

use crate::generate::tape::Tape;

/// Changes what a step rests on; gives words of which the finding must have one. `None`: nothing can be done to it.
pub(crate) fn disturb(state: &mut State, step: &Step, tape: &mut Tape<'_>) -> Option<Vec<String>> {
    let object = step.change.object();
    let id =
        step.change.before().and_then(|before| before.remote.as_ref()).map(|remote| &remote.id);
    let title = object.spec.resource().title();
    match &object.spec {
        Spec::Member(member) => {
            let email = member.email.as_written();
            match id {
                None if tape.chance(50) => _ = state.add_user(email, "user"),
                None => _ = state.add_invite(email, "user"),
                Some(id) if step.change.before()?.phase() == Some(Phase::Pending) => {
                    state.accept_invite(id.as_str())?;
                }
                // The last member stays.
                Some(id) if tape.chance(50) && state.users().count() > 1 => {
                    _ = state.remove_user(id.as_str());
                }
                Some(id) => _ = state.set_role(id.as_str(), "a role of another time"),
            }
            let before = step.change.before().map(|before| before.spec.resource().title());
            let canonical = member.email.canonical().to_string();
            Some([Some(title), Some(canonical), before].into_iter().flatten().collect())
        }
        Spec::Workspace(workspace) => {
            match id {
                None => _ = state.add_workspace(&workspace.name),
                Some(id) if !workspace.is_default && tape.chance(30) => {
                    _ = state.archive_workspace(id.as_str());
                }
                Some(id) => {
                    // One of the fields that the step changes, or any that its removal would take along.
                    let field = step.change.fields().first().map(|change| change.field.clone());
                    let field = field.unwrap_or_else(|| "display_color".to_owned());
                    state.edit_workspace(id.as_str(), |row| {
                        let other = || "another of another time".to_owned();
                        match field.as_str() {
                            "name" => row.name = other(),
                            "external_key_id" => row.external_key_id = Some(other()),
                            "user_profile_id" => row.user_profile_id = Some(other()),
                            "display_color" => "#123456".clone_into(&mut row.display_color),
                            "data_residency.default_inference_geo" => {
                                "mars".clone_into(&mut row.data_residency.default_inference_geo);
                            }
                            "data_residency.allowed_inference_geos" => {
                                row.data_residency.allowed_inference_geos =
                                    orgcharter::sandbox::AllowedGeos::Word("mars".to_owned());
                            }
                            tag => {
                                let key = tag.strip_prefix("tags.").unwrap_or(tag);
                                row.tags.insert(key.to_owned(), other());
                            }
                        }
                    });
                }
            }
            let before = step.change.before().map(|before| before.spec.resource().title());
            Some([Some(title), before].into_iter().flatten().collect())
        }
        Spec::WorkspaceMember(_) => {
            let (workspace, user) = match id {
                Some(id) => id.as_str().split_once('/').map(|(w, u)| (w.to_owned(), u.to_owned())),
                None => ids_of_new_grant(step),
            }?;
            let (role, email) =
                state.user(&user).map(|user| (user.role.clone(), user.email.clone()))?;
            if matches!(role.as_str(), "admin" | "billing") {
                // Their rows may be hidden; but a grant rests on the role of its person too.
                state.set_role(&user, "a role of another time");
            } else if id.is_some() && tape.chance(50) {
                state.remove_grant(&workspace, &user);
            } else {
                state.set_grant(&workspace, &user, "a role of another time");
            }
            Some(vec![title, email])
        }
        Spec::ApiKey(_) => {
            let archive = step.change.field("status").is_some() && tape.chance(50);
            state.edit_api_key(id?.as_str(), |key| {
                if archive && key.status != KeyStatus::Archived {
                    key.status = KeyStatus::Archived;
                } else {
                    "renamed in the Console".clone_into(&mut key.name);
                }
            });
            let before = step.change.before().map(|before| before.spec.resource().title());
            Some([Some(title), before].into_iter().flatten().collect())
        }
    }
}

/// Ids of workspace and person, where both are live already.
fn ids_of_new_grant(step: &Step) -> Option<(String, String)> {
    use orgcharter::api::call::Part;
    let call = step.calls.first()?;
    let text = |part: &Part| match part {
        Part::Text(value) => value.as_str().map(str::to_owned),
        Part::IdOf(_) => None,
    };
    Some((text(call.path.get(1)?)?, text(call.body.as_ref()?.get("user_id")?)?))
}
