//! orgcharter keeps a Claude (Anthropic) organization equal to YAML files in Git.
//!
//! Invariant: a module imports only modules of the rows above its own; `tests/architecture.rs` reads the table below
//! and enforces it.
//!
//! This page is the architecture page of the project. What charter does for its users is in the README; how one
//! person travels from invite to access, and what plan and apply promise, is in `docs/how-it-works.md`.
//!
//! # One direction
//!
//! ```text
//!  charter.yaml ──load──> Document ──lower──> Desired ──┬──────────────┐
//!                                                       │              │
//!  HTTP <──> api ──Reader──> wire ──observe──> Live ──bind──> live ──adopt──> after
//!                                       │                │             │
//!                                     raise              └────diff─────┘
//!                                       │                       │
//!                                   Document                 changes ──schedule──> Plan ──guard──> apply ──Call──> api ──> HTTP
//!                                       │                                           │                │
//!                                     write                                      render          Journal
//!                                       │                                           │                │
//!                                     YAML (import)                             text, JSON        outcomes
//! ```
//!
//! *observe* yields live objects by their remote ids, since names may repeat. *bind* gives each the address of the
//! entry that means it: by pinned id, else by a name that only one has, else by an earlier name; what nothing
//! binds keeps its id as address. So a rename is a changed field, never remove and create. *adopt* copies whatever
//! the files do not manage from live into the wanted state; then *diff* compares two snapshots and has no options.
//! *schedule* judges each change (ready, deferred, manual, held), orders the steps and builds their calls.
//!
//! Nothing flows back except by observing again. There is **no state file**: the live organization is the state,
//! and recovery after any failure is "run plan again". The record of what was applied last (`plan::record`) is none: it
//! names a commit, only sharpens what a plan is held against, and nothing is read from it that files or live say. The
//! commands are equations:
//!
//! - validate = load
//! - plan = schedule ∘ diff(live, adopt(desired, live)), with live = bind(desired, observe)
//! - drift = plan, with another exit code
//! - diff A B = diff(lower A, lower B), and the rules of the files that changed
//! - import = write ∘ raise ∘ observe
//! - policy = judge(rules, lower), or judge(rules, live after the plan)
//! - apply = plan, guard, policy, confirm, execute
//!
//! # Layers
//!
//! A module imports only rows above its own, and no sibling in its own row. `IO` says what of the world it may
//! touch; a row with `none` holds pure functions: no file, no network, no clock, no environment.
//!
//! | row | modules | IO |
//! | --- | --- | --- |
//! | side by side | `beside`, `threads` | threads and tasks, with no say in what comes of their work |
//! | characters | `characters` | none |
//! | words | `address`, `diagnostic`, `email`, `glob`, `secret` | none |
//! | conditions | `expression` | none |
//! | wire | `api` | its HTTP transport, credentials' files and variables |
//! | kinds | `resource` | none |
//! | front ends | `config`, `observe` | `config::load` reads files; `observe` through a `Reader` |
//! | meaning | `access` | none |
//! | passes | `plan` | none |
//! | judges | `policy` | none |
//! | hands | `apply` | a `Writer`, and the journal |
//! | faces | `render` | standard output and error |
//! | shell | `cli` | environment, clock, terminal, exit code |
//! | aside | `sandbox` | serves loopback; imports the raw types of `api::transport` only, so it shares no bug with `resource` |
//!
//! # The central abstraction
//!
//! Typed at the edges, uniform in the middle. Each kind is a struct with an `impl` of [`resource::Resource`];
//! [`resource::Spec`] closes the set, so plans serialize and the compiler lists what a new kind still needs.
//! `Spec::resource` is the only dispatch: the passes and apply see objects and never name a kind. What needs to know
//! kinds across a plan (access, keys that die, the guards' classes) lives in one file each.
//!
//! 1. **The diff has no options.** What is not managed is copied from live into the wanted state first.
//! 2. **A plan is data; apply decides nothing new.** Requests are values ([`api::call::Call`]) with typed references
//!    for ids that are not known yet, built when the plan is made. Only `apply` can name a `Writer`.
//! 3. A list that the API edits element by element is a kind (grants); a list that it replaces whole is a field.
//! 4. What cannot be done now is a step that says what it waits for, or why only a person can do it. Those are
//!    results, not errors.
//! 5. [`plan::Stage`] is the order: keys that are switched off wait for nothing; creates and updates go kind by kind;
//!    removals follow; archives, which nothing undoes, come last. There is no graph: a reference always points to an
//!    earlier kind. A failed step blocks only what refers to it.
//! 6. A write whose reply was lost is looked up again, never replayed blindly.
//! 7. Live objects that nothing tells apart are shown and left alone. An incomplete listing never becomes a removal:
//!    it is an error.
//!
//! # Errors
//!
//! Findings about files, plans and guards are [`diagnostic::Diagnostic`]s: collected data with a stable code, a place
//! and a help line. Failures of the outside world are one error enum per module boundary. Both say what to do next.

pub mod access;
pub mod address;
pub mod api;
pub mod apply;
mod beside;
pub mod characters;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod email;
pub mod expression;
pub mod glob;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod render;
pub mod resource;
pub mod sandbox;
pub mod secret;
mod threads;
