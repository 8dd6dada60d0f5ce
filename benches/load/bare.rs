//! The least that any client has to do: every page in its chain, chains side by side, nothing made of what they hold.
//!
//! Invariant: asks for the same pages as a plan does.

use futures_util::future::join_all;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The key of the server.
pub(crate) const KEY: &str = "sk-ant-admin01-bench-0123456789-abcdefghij";

/// What was read.
pub(crate) struct Read {
    /// Requests in all.
    pub(crate) requests: u32,
    /// Requests that had to wait for one another, at most.
    pub(crate) chain: u32,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<IgnoredAny>,
    has_more: bool,
    last_id: Option<String>,
}

#[derive(Deserialize)]
struct Workspaces {
    data: Vec<Workspace>,
}

#[derive(Deserialize)]
struct Workspace {
    id: String,
}

struct Bare {
    client: reqwest::Client,
    base: String,
}

impl Bare {
    async fn get(&self, path: &str) -> bytes::Bytes {
        let url = format!("{}/v1/organizations/{path}", self.base);
        let request = self.client.get(url).header("x-api-key", KEY);
        let reply =
            request.header("anthropic-version", "2023-06-01").send().await.expect("a reply");
        assert!(reply.status().is_success(), "{path}: {}", reply.status());
        reply.bytes().await.expect("a body")
    }

    /// Pages of a list.
    async fn list(&self, path: &str) -> u32 {
        let mut after = None;
        for pages in 1..1_000 {
            let from = after.map(|id| format!("&after_id={id}")).unwrap_or_default();
            let body = self.get(&format!("{path}?limit=1000{from}")).await;
            let page: Page = serde_json::from_slice(&body).expect("a page");
            assert!(page.data.len() <= 1_000);
            if !page.has_more {
                return pages;
            }
            after = page.last_id;
        }
        panic!("the list does not end");
    }
}

/// Reads everything that a plan of the bench's files reads.
pub(crate) async fn read(base: &str) -> Read {
    let bare = Bare { client: reqwest::Client::new(), base: base.to_owned() };
    bare.get("me").await;
    let workspaces = async {
        let body = bare.get("workspaces?limit=1000&include_archived=true").await;
        let list: Workspaces = serde_json::from_slice(&body).expect("workspaces");
        let members = list.data.iter().map(|workspace| {
            let path = format!("workspaces/{}/members", workspace.id);
            let bare = &bare;
            async move { bare.list(&path).await }
        });
        join_all(members).await
    };
    let (users, invites, keys, members) =
        tokio::join!(bare.list("users"), bare.list("invites"), bare.list("api_keys"), workspaces);
    let of_workspaces = 1 + members.iter().copied().max().unwrap_or_default();
    Read {
        requests: 2 + users + invites + keys + members.iter().sum::<u32>(),
        chain: 1 + users.max(invites).max(keys).max(of_workspaces),
    }
}
