//! Lists of workspace members, each read once for everyone who asks for it at the same time.
//!
//! Invariant: nobody is given a list whose reading began before they asked: it would not show what they have just done.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::api::{client::Reader, error::ApiError, wire::WorkspaceMember};

type Rows = Result<Arc<Vec<WorkspaceMember>>, ApiError>;

/// One list: when it was asked for, and what came.
type List = Arc<tokio::sync::Mutex<Option<(u64, Rows)>>>;

/// The lists of one run.
#[derive(Default)]
pub(in crate::apply) struct Rosters {
    /// Counts those who ask and the readings alike, so that each knows who came first.
    order: AtomicU64,
    lists: Mutex<BTreeMap<String, List>>,
}

impl Rosters {
    /// The members of a workspace, as they are now or later.
    pub(in crate::apply) async fn of(&self, workspace: &str, reader: &Reader) -> Rows {
        let asked = self.order.fetch_add(1, Ordering::SeqCst);
        let list = {
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lists.entry(workspace.to_owned()).or_default())
        };
        let mut last = list.lock().await;
        match &*last {
            Some((began, rows)) if *began > asked => rows.clone(),
            _ => {
                let began = self.order.fetch_add(1, Ordering::SeqCst);
                let path = ["workspaces", workspace, "members"];
                let rows = reader.list::<WorkspaceMember>(&path, &[]).await.map(Arc::new);
                *last = Some((began, rows.clone()));
                rows
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{
        client::{Client, Options},
        script::{Answer, Script, clock, key, ok},
        transport::{BoxFuture, RawRequest, Transport},
    };

    /// Answers after others had their turn.
    struct Slow(Arc<Script>);

    impl Transport for Slow {
        fn send(&self, request: RawRequest) -> BoxFuture<'_, Answer> {
            Box::pin(async move {
                tokio::task::yield_now().await;
                self.0.send(request).await
            })
        }
    }

    fn page(role: &str) -> Answer {
        let row = json!({"user_id": "user_1", "workspace_id": "w", "workspace_role": role});
        ok(&json!({"data": [row], "has_more": false, "first_id": null, "last_id": null}))
    }

    #[tokio::test]
    async fn who_asks_at_the_same_time_shares_one_read_and_who_asks_later_reads_anew() {
        let script =
            Script::new([page("workspace_user"), page("workspace_user"), page("workspace_admin")]);
        let slow = Arc::new(Slow(Arc::clone(&script)));
        let client = Client::new(slow, key(), Arc::new(clock()), Options::default());
        let (rosters, reader) = (Rosters::default(), client.reader());
        // The first begins at once; the others asked before the second read began.
        let ask = || rosters.of("w", &reader);
        let (one, two, three) = tokio::join!(ask(), ask(), ask());
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(script.requests().len(), 2);
        let later = rosters.of("w", &reader).await.unwrap();
        assert_eq!(later[0].workspace_role, "workspace_admin");
    }
}
