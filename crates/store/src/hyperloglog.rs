//! How many different users, roughly, in 4 KiB: HyperLogLog with 4,096 registers (standard error 1.6 %).
//!
//! Flajolet, Fusy, Gandouet, Meunier: "HyperLogLog: the analysis of a near-optimal cardinality estimation
//! algorithm" (2007), with its correction for small counts.

use crate::StoreError;

const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;

/// A sketch of a set of hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch(Vec<u8>);

impl Default for Sketch {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl Sketch {
    /// Reads a stored sketch.
    ///
    /// # Errors
    /// When it has another size.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, StoreError> {
        if bytes.len() == REGISTERS {
            Ok(Self(bytes))
        } else {
            Err(StoreError::Damaged(format!("users_sketch: {} bytes, not {REGISTERS}", bytes.len())))
        }
    }

    /// The form that is stored.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Adds a hash, all of whose bits have to be evenly distributed. Whether the sketch has changed.
    pub fn insert(&mut self, hash: i64) -> bool {
        let hash = hash.cast_unsigned();
        let index = usize::try_from(hash >> (64 - BITS)).unwrap_or_default();
        let rank = u8::try_from((hash << BITS | 1 << (BITS - 1)).leading_zeros() + 1).unwrap_or(u8::MAX);
        match self.0.get_mut(index) {
            Some(register) if *register < rank => {
                *register = rank;
                true
            }
            _ => false,
        }
    }

    /// Adds everything that another sketch has.
    pub fn merge(&mut self, other: &Self) {
        for (own, rank) in self.0.iter_mut().zip(&other.0) {
            *own = (*own).max(*rank);
        }
    }

    /// How many different hashes were added, roughly.
    #[must_use]
    pub fn estimate(&self) -> i32 {
        let registers = REGISTERS as f64;
        let alpha = 0.7213 / (1.0 + 1.079 / registers);
        let sum: f64 = self.0.iter().map(|rank| (-f64::from(*rank)).exp2()).sum();
        let raw = alpha * registers * registers / sum;
        let empty = self.0.iter().filter(|rank| **rank == 0).count();
        let estimate = if raw <= 2.5 * registers && empty > 0 {
            registers * (registers / empty as f64).ln()
        } else {
            raw
        };
        estimate.round().min(f64::from(i32::MAX)) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u64) -> i64 {
        let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)).cast_signed()
    }

    #[test]
    fn it_counts_within_five_percent_and_the_same_twice() {
        for count in [1_000u64, 5_000, 50_000, 500_000] {
            let mut sketch = Sketch::default();
            for n in 0..count {
                sketch.insert(hash(n));
            }
            let estimate = sketch.estimate();
            let error = (f64::from(estimate) - count as f64).abs() / count as f64;
            assert!(error < 0.05, "{count}: {estimate}");
            assert!(!(0..count).any(|n| sketch.insert(hash(n))), "nothing is new the second time");
            let bytes = sketch.clone().into_bytes();
            assert_eq!(Sketch::from_bytes(bytes).unwrap(), sketch);
        }
    }

    #[test]
    fn a_sketch_of_another_size_is_damaged() {
        assert!(Sketch::from_bytes(vec![0; 7]).is_err());
    }
}
