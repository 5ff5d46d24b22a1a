//! The definitions that the schema language adds to GraphQL.

/// The prelude: every directive and scalar, and empty roots, so that ordinary GraphQL tools can read `prelude + schema`.
pub const PRELUDE: &str = include_str!("prelude.graphql");
