//! Plans kept: the second request of a shape plans and renders nothing.
use std::{
    hash::{BuildHasher, Hash, Hasher},
    sync::Arc,
};

use foldhash::fast::RandomState;
use parking_lot::RwLock;
use quick_cache::{Weighter, sync::Cache};

use crate::{Error, Limits, expressions::Variant};

/// Variants of one shape that are kept: kinds of callers times outcomes of the rules. Past it, the oldest goes.
const VARIANTS_MAX: usize = 32;
/// The same of a shape that was asked in many bytes.
const VARIANTS_OF_LARGE_MAX: usize = 2;
/// Bytes of a request from which its shape counts as large.
const LARGE_BYTES: usize = 4 * 1024;
/// What a shape holds at least, in bytes.
const SHAPE_BYTES: usize = 4 * 1024;
/// What a shape holds for each byte that was asked: typed trees, and SQL.
const BYTES_PER_ASKED: usize = 64;

/// A plan, or the refusal that it came to.
type Planned<P> = Result<Arc<P>, Error>;

/// Shapes by what was asked, found by a hash of the borrowed parts and compared in full.
#[derive(Debug)]
pub(crate) struct Plans<S, P> {
    kept: Cache<u64, Arc<Kept<S, P>>, Weights>,
    hasher: RandomState,
}

/// What shapes weigh: about their bytes, and so much at least that no more than the limit are kept.
#[derive(Clone, Debug)]
struct Weights {
    least: u64,
}

impl<S, P> Weighter<u64, Arc<Kept<S, P>>> for Weights {
    fn weight(&self, _: &u64, kept: &Arc<Kept<S, P>>) -> u64 {
        let bytes = SHAPE_BYTES.saturating_add(kept.asked.saturating_mul(BYTES_PER_ASKED));
        (bytes as u64).max(self.least)
    }
}

/// A shape with the plans of its variants.
#[derive(Debug)]
pub(crate) struct Kept<S, P> {
    pub(crate) shape: S,
    /// Bytes that it was asked in.
    asked: usize,
    variants: RwLock<Vec<(Variant, Planned<P>)>>,
}

impl<S, P> Plans<S, P> {
    pub(crate) fn new(limits: &Limits) -> Plans<S, P> {
        let bytes_max = limits.plans_bytes_max as u64;
        let weights = Weights { least: bytes_max.div_ceil(limits.plans_max.max(1) as u64).max(1) };
        let kept = Cache::with_weighter(limits.plans_max, bytes_max, weights);
        Plans { kept, hasher: RandomState::default() }
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
        let mut asked = Bytes(0);
        ask.hash(&mut asked);
        let kept = Arc::new(Kept { shape: make()?, asked: asked.0, variants: RwLock::new(Vec::new()) });
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
        let most = if self.asked > LARGE_BYTES { VARIANTS_OF_LARGE_MAX } else { VARIANTS_MAX };
        if variants.len() >= most {
            drop(variants.remove(0));
        }
        variants.push((variant, plan.clone()));
        plan
    }
}

/// Counts the bytes of what is hashed.
struct Bytes(usize);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans(limits: &Limits) -> Plans<String, ()> {
        Plans::new(limits)
    }

    /// How many of these shapes are made anew when they are asked for again.
    fn made_again(plans: &Plans<String, ()>, asks: &[String]) -> usize {
        let mut made = 0;
        for ask in asks {
            let make = || {
                made += 1;
                Ok(ask.clone())
            };
            plans.shape(ask, |shape| shape == ask, make).expect("it is made");
        }
        made
    }

    #[test]
    fn plans_are_bounded_by_their_number() {
        let plans = plans(&Limits { plans_max: 10, ..Limits::default() });
        let asks: Vec<String> = (0..100).map(|ask| format!("ask {ask}")).collect();
        assert_eq!(made_again(&plans, &asks), 100);
        assert!(plans.kept.len() <= 10, "{}", plans.kept.len());
        assert!(made_again(&plans, &asks) >= 90);
    }

    #[test]
    fn plans_are_bounded_by_their_size() {
        let limits = Limits { plans_bytes_max: 16 * 1024 * 1024, ..Limits::default() };
        let plans = plans(&limits);
        let small: Vec<String> = (0..10).map(|ask| format!("ask {ask}")).collect();
        assert_eq!((made_again(&plans, &small), made_again(&plans, &small)), (10, 0));
        let large: Vec<String> = (0..100).map(|ask| format!("{ask}{}", "x".repeat(10_000))).collect();
        assert_eq!(made_again(&plans, &large), 100);
        // Each part of the cache may hold one more than its share.
        assert!(plans.kept.len() <= 50, "{}", plans.kept.len());
        assert!(plans.kept.weight() <= 2 * limits.plans_bytes_max as u64);
    }
}
