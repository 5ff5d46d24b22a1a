//! Text to a checked tree.
use crate::{limits::Limits, problem::Problem, scope::Scope, tree::Compiled, types::Type};

/// Parses and checks an expression. `want` is the type it must have; [`Type::Null`] accepts any. Literals and the caller's
/// parts adapt to `want` as they do to the other side of a comparison. All problems come at once.
pub fn compile(text: &str, scope: &dyn Scope, want: &Type, limits: &Limits) -> Result<Compiled, Vec<Problem>> {
    let _ = (text, scope, want, limits);
    todo!()
}
