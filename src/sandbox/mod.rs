//! A stateful fake of one Claude organization: the Admin API's lists, rules, errors and moods, in process or over
//! loopback.
//!
//! Invariant: it shares no code with the reconciler but the raw request and response types, so no bug can hide in
//! both; and what no document says is a [`Switches`] field, never a guess baked in.

mod clock;
mod control;
mod credentials;
mod edit;
mod faults;
mod handle;
mod ids;
mod kinds;
mod limits;
mod log;
mod page;
mod refusal;
mod reply;
mod request;
mod routes;
mod scripts;
mod seed;
mod server;
mod shape;
mod shared;
mod state;
pub mod switches;
mod table;
mod watch;

pub use clock::Clock;
pub use credentials::{Credentials, FederationRule, SANDBOX_KEY};
pub use edit::Edit;
pub use faults::{Drip, Fault, Faults, PageFault, RetryAfter, Rule, TypedError};
pub use handle::{Exchange, Wire, handle};
pub use kinds::{
    api_key::{ApiKey, KeyStatus},
    invite::{Invite, InviteStatus},
    residency::{AllowedGeos, Residency},
    user::User,
    workspace::Workspace,
    workspace_member::Grant,
};
pub use limits::{Bucket, Limits};
pub use log::{CredentialKind, Entry, Log};
pub use scripts::{Script, Scripts};
pub use seed::SeedError;
pub use server::{Server, taken, whole};
pub use shared::{InProcess, Sandbox};
pub use state::{Organization, OrganizationKind, State};
pub use switches::Switches;
pub use watch::{Seen, watch};
