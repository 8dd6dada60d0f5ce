//! The pipelines of `action.yml` and `deploy/`: their real scripts against the sandbox, with a fake `gh`.
//!
//! Invariant: what a pull request chose is only ever data, and a job without credentials has none.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "pipelines/apply.rs"]
mod apply;
#[path = "common/contract.rs"]
mod contract;
#[path = "pipelines/drift.rs"]
mod drift;
#[path = "pipelines/elsewhere.rs"]
mod elsewhere;
#[path = "pipelines/files.rs"]
mod files;
#[path = "pipelines/install.rs"]
mod install;
#[path = "pipelines/kubernetes.rs"]
mod kubernetes;
#[path = "pipelines/review.rs"]
mod review;
#[path = "pipelines/stage.rs"]
mod stage;
#[path = "stories/support.rs"]
#[allow(dead_code, reason = "it is made for stories, which need more of it")]
mod support;
