//! Latencies counted in buckets that are never wider than 1/64 of their value.

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;

/// Counts of nanoseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: vec![0; SUB * (64 - SUB_BITS as usize + 1)], total: 0 }
    }
}

impl Histogram {
    /// Counts one value.
    pub fn add(&mut self, nanos: u64) {
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
    }

    /// The smallest bucket bound that this part of the values (0.5, 0.99, …) does not exceed; 0 when there are none.
    pub fn quantile(&self, part: f64) -> u64 {
        let rank = ((self.total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return bound(at);
            }
        }
        0
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < SUB as u64 {
        return nanos as usize;
    }
    let exponent = 63 - nanos.leading_zeros() - SUB_BITS;
    (exponent as usize + 1) * SUB + ((nanos >> exponent) as usize & (SUB - 1))
}

/// The largest value of a bucket.
fn bound(bucket: usize) -> u64 {
    if bucket < SUB {
        return bucket as u64;
    }
    let exponent = bucket / SUB - 1;
    let next = (SUB + bucket % SUB + 1) as u128;
    u64::try_from((next << exponent) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_its_bucket() {
        for value in [0, 1, 63, 64, 65, 127, 128, 1000, 123_456_789, u64::MAX / 2, u64::MAX] {
            let at = bucket(value);
            assert!(bound(at) >= value, "{value}");
            assert!(at == 0 || bound(at - 1) < value, "{value}");
            assert!((bound(at) - value) as f64 <= value as f64 / 64.0, "{value}");
        }
    }

    #[test]
    fn quantiles_of_a_hundred() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), 0);
        (1..=100).for_each(|n| histogram.add(n));
        assert_eq!((histogram.quantile(0.5), histogram.quantile(0.99), histogram.quantile(1.0)), (50, 99, 100));
        histogram.clear();
        assert_eq!((histogram.total(), histogram.quantile(0.99)), (0, 0));
    }
}
