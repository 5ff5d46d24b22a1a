//! What cargo knows of the workspace and its dependencies.
use serde_json::Value;

use crate::cargo;

/// A package of the tree.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    /// Whether it is one of ours.
    pub(crate) ours: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a manifest asks for.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests, examples and benches need it.
    pub(crate) dev: bool,
}

/// All packages that are built, for every platform.
pub(crate) fn packages() -> Result<Vec<Package>, Vec<String>> {
    let printed = cargo::printed(&["metadata", "--format-version", "1", "--locked"])?;
    let metadata: Value = serde_json::from_str(&printed).map_err(|error| vec![format!("cargo metadata: {error}")])?;
    Ok(items(&metadata["packages"]).map(package).collect())
}

fn package(package: &Value) -> Package {
    Package {
        name: text(&package["name"]),
        version: text(&package["version"]),
        licence: package["license"].as_str().map(str::to_owned),
        ours: package["source"].is_null(),
        dependencies: items(&package["dependencies"]).map(dependency).collect(),
    }
}

fn dependency(dependency: &Value) -> Dependency {
    Dependency { name: text(&dependency["name"]), dev: dependency["kind"] == "dev" }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
