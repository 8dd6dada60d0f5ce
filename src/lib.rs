//! orgcharter keeps a Claude (Anthropic) organization equal to YAML files in Git.

pub mod access;
pub mod address;
pub mod api;
pub mod apply;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod email;
pub mod observe;
pub mod plan;
pub mod render;
pub mod resource;
pub mod sandbox;
pub mod secret;
