//! A quick hash for numbers that nobody outside can choose: ids that we gave, and hashes that were keyed already.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps of such numbers.
pub(crate) type Mixed = BuildHasherDefault<Mixer>;

/// See the module. One multiplication; its high half goes where maps look first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    /// Not for texts; but whatever comes is mixed.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    use super::Mixed;

    #[test]
    fn numbers_in_a_row_go_to_different_places() {
        let hashes: Vec<u64> = (0..10_000_u64).map(|number| Mixed::default().hash_one(number)).collect();
        for shift in [0, 20, 40, 57] {
            let places: HashSet<u64> = hashes.iter().map(|hash| hash >> shift & 0x7f).collect();
            assert_eq!(places.len(), 128, "bits from {shift}");
        }
        let distinct: HashSet<&u64> = hashes.iter().collect();
        assert_eq!(distinct.len(), 10_000);
    }
}
