//! Every write that charter makes, each as an organization and files whose plan is that one call.
//!
//! Invariant: nothing but the call stands between the organization as it is and as it is wanted.

use orgcharter::api::call::Resend;

/// One write.
pub(crate) struct Write {
    pub(crate) name: &'static str,
    /// The shape of its request.
    pub(crate) on: &'static str,
    /// What a second sending would do: the class that the laws speak of.
    pub(crate) resend: Resend,
    pub(crate) seed: &'static str,
    pub(crate) files: &'static str,
}

/// Somebody, something of each kind.
pub(crate) const PEOPLE: &str = "\
users:
  - {email: root@acme.com, role: admin}
  - {email: bob@acme.com, role: user}
workspaces:
  - {name: Staging, id: wrkspc_staging, tags: {env: test}, members: {bob@acme.com: workspace_user}}
  - {name: Empty, id: wrkspc_empty}
api_keys:
  - {name: ci, id: apikey_ci, workspace: Staging}
invites:
  - {email: cy@acme.com, role: user}
";

/// All of them.
pub(crate) const WRITES: [Write; 14] = [
    Write {
        name: "invite create",
        on: "POST /v1/organizations/invites",
        resend: Resend::LookFirst,
        seed: PEOPLE,
        files: "members: {root@acme.com: admin, ada@acme.com: user}",
    },
    Write {
        name: "invite delete",
        on: "DELETE /v1/organizations/invites/*",
        resend: Resend::Gone,
        seed: PEOPLE,
        files: "manage: {members: remove}\nmembers: {root@acme.com: admin, bob@acme.com: user}",
    },
    Write {
        name: "user update",
        on: "POST /v1/organizations/users/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "members: {bob@acme.com: developer}",
    },
    Write {
        name: "user delete",
        on: "DELETE /v1/organizations/users/*",
        resend: Resend::Gone,
        seed: PEOPLE,
        files: "manage: {members: remove}\nmembers: {root@acme.com: admin, cy@acme.com: user}",
    },
    Write {
        name: "workspace create",
        on: "POST /v1/organizations/workspaces",
        resend: Resend::LookFirst,
        seed: PEOPLE,
        files: "workspaces: {New: {tags: {env: prod}}, Staging: {}, Empty: {}}",
    },
    Write {
        name: "workspace update",
        on: "POST /v1/organizations/workspaces/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "workspaces: {Staging: {tags: {env: prod}}}",
    },
    Write {
        name: "workspace rename",
        on: "POST /v1/organizations/workspaces/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "workspaces: {Stage: {id: wrkspc_staging}}",
    },
    Write {
        name: "workspace archive",
        on: "POST /v1/organizations/workspaces/*/archive",
        resend: Resend::Gone,
        seed: PEOPLE,
        files: "workspaces: {Empty: {id: wrkspc_empty, state: archived}}",
    },
    Write {
        name: "workspace member create",
        on: "POST /v1/organizations/workspaces/*/members",
        resend: Resend::LookFirst,
        seed: PEOPLE,
        files: "workspaces: {Empty: {members: {bob@acme.com: workspace_developer}}}",
    },
    Write {
        name: "workspace member update",
        on: "POST /v1/organizations/workspaces/*/members/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "workspaces: {Staging: {members: {bob@acme.com: workspace_developer}}}",
    },
    Write {
        name: "workspace member delete",
        on: "DELETE /v1/organizations/workspaces/*/members/*",
        resend: Resend::Gone,
        seed: PEOPLE,
        files: "members: {bob@acme.com: user}\nmanage: {workspace_members: remove}\nworkspaces: {Staging: {members: {}}}",
    },
    Write {
        name: "api key switched off",
        on: "POST /v1/organizations/api_keys/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "workspaces: {Staging: {api_keys: {apikey_ci: inactive}}}",
    },
    Write {
        name: "api key renamed",
        on: "POST /v1/organizations/api_keys/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "workspaces: {Staging: {api_keys: {apikey_ci: {name: deploy}}}}",
    },
    Write {
        name: "api key archived",
        on: "POST /v1/organizations/api_keys/*",
        resend: Resend::Safe,
        seed: PEOPLE,
        files: "workspaces: {Staging: {api_keys: {apikey_ci: archived}}}",
    },
];
