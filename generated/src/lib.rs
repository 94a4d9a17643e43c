#![allow(clippy::all, missing_docs, rustdoc::all)]
//! Generated API modules
//!
//! This module exports all generated API types and clients.
//! Do not edit manually - regenerate using the appropriate script.
//!

//! Configured `module_name` = `containerd_rest_api`. Mount this tree under your
//! preferred path, e.g. `pub mod containerd_rest_api;` in your crate root.

#![allow(unused_imports)]

pub mod server;
pub mod types;

pub use server::*;
pub use types::*;

mod answers;
mod violation;

/// The contract as JSON, as it is served.
pub const OPENAPI_JSON: &str = include_str!("openapi.json");

/// The same as OpenAPI 3.0.3.
pub const OPENAPI_3_0_JSON: &str = include_str!("openapi-3.0.json");
