//! How much an account has had of late, as a number whose order time does not change.

/// Sum over the requests of `e^((t - τ₀) / span)`, kept as its logarithm.
///
/// All loads fade at the same rate, so that none has to be touched while time passes (forward decay; Cormode et al.,
/// 2009), and the logarithm never overflows. Fixed point, so that loads can be compared exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Load(pub(crate) u64);

/// 2^24 to the unit of the logarithm: one request among millions still moves it, for some thousand years.
const UNIT: f64 = 16_777_216.0;

/// Keeps the logarithm of a heavy account's request above zero even in 1970, where tests live.
const OFFSET: f64 = 64.0;

// === impl Load ===

impl Load {
    /// With one request more. `span_ms`: the time after which a request counts only for a third. `ln_weight`: the
    /// logarithm of the account's weight, which its requests are divided by.
    pub(crate) fn with_one(self, now_ms: u64, span_ms: u64, ln_weight: f64) -> Self {
        let one = now_ms as f64 / span_ms as f64 + OFFSET - ln_weight;
        let sum = if self.0 == 0 { one } else { sum(self.0 as f64 / UNIT, one) };
        // At least one: zero is no load at all.
        Self(((sum * UNIT) as u64).max(1))
    }
}

/// `ln(e^a + e^b)`.
fn sum(a: f64, b: f64) -> f64 {
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::Load;

    /// A time as in production: the numbers are largest there.
    const NOW: u64 = 1_795_268_625_000;
    const MINUTE: u64 = 60_000;

    fn after(requests_ms: &[u64]) -> Load {
        requests_ms.iter().fold(Load::default(), |load, at_ms| load.with_one(NOW + at_ms, MINUTE, 0.0))
    }

    #[test]
    fn more_and_later_is_more() {
        assert!(after(&[]) < after(&[0]));
        assert!(after(&[0]) < after(&[1]));
        assert!(after(&[1_000]) < after(&[0, 0]));
        assert!(after(&[0; 3]) < after(&[0; 4]));
        // A hundred requests ten minutes ago weigh less than one now.
        assert!(after(&[0; 100]) < after(&[600_000]));
    }

    #[test]
    fn one_request_is_seen_among_a_hundred_thousand() {
        let load = after(&vec![0; 100_000]);
        assert!(load < load.with_one(NOW, MINUTE, 0.0));
    }

    #[test]
    fn weight_divides() {
        let ten_times = (0..10).fold(Load::default(), |load, _| load.with_one(NOW, MINUTE, 10_f64.ln()));
        assert!(ten_times.0.abs_diff(after(&[0]).0) < 100);
        assert!(Load::default().with_one(0, MINUTE, f64::from(u32::MAX).ln()) > Load::default());
    }
}
