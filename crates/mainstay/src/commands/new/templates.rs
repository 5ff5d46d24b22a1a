//! What new projects begin with.

/// One file of a template.
pub(super) struct File {
    /// Its path in the project.
    pub(super) path: &'static str,
    /// What is in it.
    pub(super) text: &'static str,
}

macro_rules! file {
    ($path:literal, $source:literal) => {
        File { path: $path, text: include_str!($source) }
    };
}

/// A project that fits a screen.
pub(super) const SMALL: &[File] = &[
    file!("schema.graphql", "small.graphql"),
    file!("mainstay.toml", "mainstay.toml"),
    file!(".gitignore", "gitignore"),
];

/// A project without a type.
pub(super) const EMPTY: &[File] = &[
    file!("schema.graphql", "empty.graphql"),
    file!("mainstay.toml", "mainstay.toml"),
    file!(".gitignore", "gitignore"),
];

/// The example of the repository.
pub(super) const SKILLMAP: &[File] = &[
    file!("schema.graphql", "../../../../../examples/skillmap/schema.graphql"),
    file!("mainstay.toml", "../../../../../examples/skillmap/mainstay.toml"),
    file!(".gitignore", "../../../../../examples/skillmap/.gitignore"),
    file!("README.md", "../../../../../examples/skillmap/README.md"),
    file!("seed/skillmap.json", "../../../../../examples/skillmap/seed/skillmap.json"),
    file!("tests/learners.toml", "../../../../../examples/skillmap/tests/learners.toml"),
    file!("tests/map.toml", "../../../../../examples/skillmap/tests/map.toml"),
];

/// A project tracker for many organisations.
pub(super) const TRACKER: &[File] = &[
    file!("schema.graphql", "../../../../../examples/tracker/schema.graphql"),
    file!("mainstay.toml", "../../../../../examples/tracker/mainstay.toml"),
    file!(".gitignore", "../../../../../examples/tracker/.gitignore"),
    file!("README.md", "../../../../../examples/tracker/README.md"),
    file!("seed/tracker.json", "../../../../../examples/tracker/seed/tracker.json"),
    file!("tests/organisations.toml", "../../../../../examples/tracker/tests/organisations.toml"),
    file!("tests/work.toml", "../../../../../examples/tracker/tests/work.toml"),
];

/// A shop.
pub(super) const SHOP: &[File] = &[
    file!("schema.graphql", "../../../../../examples/shop/schema.graphql"),
    file!("mainstay.toml", "../../../../../examples/shop/mainstay.toml"),
    file!(".gitignore", "../../../../../examples/shop/.gitignore"),
    file!("README.md", "../../../../../examples/shop/README.md"),
    file!("seed/shop.json", "../../../../../examples/shop/seed/shop.json"),
    file!("tests/buying.toml", "../../../../../examples/shop/tests/buying.toml"),
    file!("tests/reviews.toml", "../../../../../examples/shop/tests/reviews.toml"),
];
