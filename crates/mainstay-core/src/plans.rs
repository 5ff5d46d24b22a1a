//! Plans kept: the second request of a shape plans and renders nothing.
use std::{
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use foldhash::fast::RandomState;
use parking_lot::RwLock;
use quick_cache::sync::Cache;

use crate::{Error, expressions::Variant};

/// Variants of one shape that are kept: kinds of callers times outcomes of the rules. Past it, the oldest goes.
const VARIANTS_MAX: usize = 32;

/// A plan, or the refusal that it came to.
type Planned<P> = Result<Arc<P>, Error>;

/// Shapes by what was asked, found by a hash of the borrowed parts and compared in full.
#[derive(Debug)]
pub(crate) struct Plans<S, P> {
    kept: Cache<u64, Arc<Kept<S, P>>>,
    hasher: RandomState,
}

/// A shape with the plans of its variants.
#[derive(Debug)]
pub(crate) struct Kept<S, P> {
    pub(crate) shape: S,
    variants: RwLock<Vec<(Variant, Planned<P>)>>,
}

impl<S, P> Plans<S, P> {
    pub(crate) fn new(shapes_max: usize) -> Plans<S, P> {
        Plans { kept: Cache::new(shapes_max), hasher: RandomState::default() }
    }

    /// The shape of what was asked: a kept one that `fits`, else a new one.
    pub(crate) fn shape(
        &self,
        ask: &impl Hash,
        fits: impl FnOnce(&S) -> bool,
        make: impl FnOnce() -> Result<S, Error>,
    ) -> Result<Arc<Kept<S, P>>, Error> {
        let hash = self.hasher.hash_one(ask);
        if let Some(kept) = self.kept.get(&hash).filter(|kept| fits(&kept.shape)) {
            return Ok(kept);
        }
        let kept = Arc::new(Kept { shape: make()?, variants: RwLock::new(Vec::new()) });
        self.kept.insert(hash, kept.clone());
        Ok(kept)
    }
}

impl<S, P> Kept<S, P> {
    /// The plan of a variant: the kept one, else a new one. A refusal is kept too, a failure is not.
    pub(crate) fn plan(&self, variant: Variant, make: impl FnOnce(&S) -> Result<P, Error>) -> Result<Arc<P>, Error> {
        if let Some((_, plan)) = self.variants.read().iter().find(|(known, _)| *known == variant) {
            return plan.clone();
        }
        let plan = make(&self.shape).map(Arc::new);
        if plan.as_ref().is_err_and(|error| error.kind == crate::ErrorKind::Internal) {
            return plan;
        }
        let mut variants = self.variants.write();
        if variants.len() >= VARIANTS_MAX {
            drop(variants.remove(0));
        }
        variants.push((variant, plan.clone()));
        plan
    }
}
