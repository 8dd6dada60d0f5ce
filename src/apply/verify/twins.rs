//! Workspaces of one name: names may repeat, so nothing in the API keeps two runs, or a run and somebody in the Console,
//! from making the same one.
//!
//! Invariant: of two that were made at the same time, the maker of the younger one sees the other and gives way; where
//! their times are equal or not told, somebody does.

use jiff::Timestamp;

use super::{Before, Eyes, changed, effect::is_alone, wanted_fields_hold};
use crate::{
    address::RemoteId,
    api::{error::ApiError, wire},
    observe::objects,
    plan::Step,
    resource::{Object, Spec},
};

/// What there is of a workspace that is to be made.
pub(super) async fn before(step: &Step, eyes: &Eyes<'_>) -> Result<Before, ApiError> {
    let all = eyes.reader.list::<wire::Workspace>(&["workspaces"], &[]).await?;
    let ids = all.iter().map(|workspace| workspace.id.clone()).collect();
    let found = named(step, all, eyes);
    Ok(match found.as_slice() {
        [] => Before::Free(ids),
        [one] => match other(step, &objects::workspace(one, false)) {
            None => Before::AlreadySo { id: Some(one.id.clone()), note: "it was made meanwhile" },
            Some(what) => Before::Instead(changed(what)),
        },
        [one, ..] => Before::Instead(changed(format!(
            "several workspaces named `{}` were made meanwhile",
            one.name
        ))),
    })
}

/// How a workspace that was just made stands to others of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::apply) enum Rank {
    /// There is none, or all of them are younger: their makers see this one.
    First,
    /// One is older, or of the same age with a smaller id.
    Second,
    /// One has the same age and a greater id: if its maker saw this one, it is archived in a moment.
    Tied,
    /// There is another one, and this one is not listed (yet): nothing is known of the two.
    Unseen(Vec<RemoteId>),
}

/// Where `mine`, which the step has just made, stands.
pub(in crate::apply) async fn rank(
    step: &Step,
    mine: &RemoteId,
    eyes: &Eyes<'_>,
) -> Result<Rank, ApiError> {
    if !is_alone(step) {
        return Ok(Rank::First);
    }
    let (own, others): (Vec<_>, Vec<_>) =
        namesakes(step, eyes).await?.into_iter().partition(|workspace| workspace.id == *mine);
    if own.is_empty() && !others.is_empty() {
        return Ok(Rank::Unseen(others.into_iter().map(|other| other.id).collect()));
    }
    let made = own.first().and_then(|own| own.created_at);
    let ranks: Vec<Rank> = others.iter().map(|other| beside(mine, made, other)).collect();
    let worst = [Rank::Second, Rank::Tied].into_iter().find(|rank| ranks.contains(rank));
    Ok(worst.unwrap_or(Rank::First))
}

/// Where `mine` stands to one other.
fn beside(mine: &RemoteId, made: Option<Timestamp>, other: &wire::Workspace) -> Rank {
    match (other.created_at, made) {
        (Some(other), Some(made)) if other > made => Rank::First,
        (Some(other), Some(made)) if other < made => Rank::Second,
        _ if other.id < *mine => Rank::Second,
        _ => Rank::Tied,
    }
}

/// How a workspace made meanwhile is not what the step wants.
pub(super) fn other(step: &Step, live: &Object) -> Option<String> {
    let id = live.remote.as_ref().map_or("", |remote| remote.id.as_str());
    (!wanted_fields_hold(step, live)).then(|| {
        format!(
            "a workspace named `{}` ({id}) was made meanwhile, with other settings; the next run sets them",
            live.spec.resource().title()
        )
    })
}

/// Active workspaces of the wanted name that no other step of this run made. The plan saw none.
async fn namesakes(step: &Step, eyes: &Eyes<'_>) -> Result<Vec<wire::Workspace>, ApiError> {
    Ok(named(step, eyes.reader.list::<wire::Workspace>(&["workspaces"], &[]).await?, eyes))
}

fn named(step: &Step, all: Vec<wire::Workspace>, eyes: &Eyes<'_>) -> Vec<wire::Workspace> {
    let Spec::Workspace(wanted) = &step.change.object().spec else { return Vec::new() };
    let fits = |workspace: &wire::Workspace| {
        workspace.name == *wanted.name
            && workspace.archived_at.is_none()
            && !eyes.claimed.contains(&workspace.id)
    };
    all.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_the_older_is_first_and_of_the_same_age_the_one_with_the_smaller_id() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (early, late) = (at("2026-11-22T10:00:00Z"), at("2026-11-22T10:00:01Z"));
        let rank = |made: Option<Timestamp>, id: &str, other: Option<Timestamp>| {
            let mut workspace: wire::Workspace =
                serde_json::from_value(serde_json::json!({"id": id, "name": "New"})).unwrap();
            workspace.created_at = other;
            beside(&RemoteId::new("w5"), made, &workspace)
        };
        for id in ["w4", "w6"] {
            assert_eq!(rank(Some(early), id, Some(late)), Rank::First);
            assert_eq!(rank(Some(late), id, Some(early)), Rank::Second);
        }
        for (made, other) in [(Some(early), Some(early)), (None, Some(early)), (Some(early), None)]
        {
            assert_eq!(rank(made, "w4", other), Rank::Second);
            assert_eq!(rank(made, "w6", other), Rank::Tied);
        }
    }
}
