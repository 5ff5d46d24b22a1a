//! What differs between engines.

/// How one engine writes things.
pub trait Dialect: Sync {
    /// A table or column name, quoted.
    fn quote(&self, name: &str) -> String;
    /// Placeholder `n`, counted from 1.
    fn placeholder(&self, n: usize) -> String;
    /// Whether some migration steps rebuild whole tables, so that foreign keys must not be enforced while they run.
    fn rebuilds(&self) -> bool;
}
