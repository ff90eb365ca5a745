//! Wrong keys, counted: who guesses too often waits (spec/mission.md E10).
//!
//! A window begins with a failure and lasts a minute. Within it, an address that has failed `EACH` times is refused
//! whatever it holds, and after `ALL` failures of everybody so is every address that has not shown a right key lately.
//! Where the server tells no addresses, nobody who guesses can be told from the admin: a right key always opens then, or
//! anybody could lock the admin out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How long failures are remembered, in milliseconds.
const WINDOW_MS: u64 = 60_000;

/// Failures of one address within a window.
const EACH: u32 = 10;

/// Failures of all addresses together within a window.
const ALL: u32 = 500;

/// How long an address is known for having shown a right key, in milliseconds.
const KNOWN_MS: u64 = 24 * 3_600_000;

/// Most addresses that are remembered, of either sort.
const MOST: usize = 4_096;

/// The failures of late.
#[derive(Default)]
pub struct Throttle {
    inner: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    all: Window,
    each: HashMap<IpAddr, Window>,
    /// When an address last showed a right key.
    known: HashMap<IpAddr, u64>,
}

#[derive(Clone, Copy, Default)]
struct Window {
    since_ms: u64,
    failures: u32,
}

impl Throttle {
    /// Whether this address may try now.
    ///
    /// # Errors
    /// In how many milliseconds it may.
    pub fn may_try(&self, from: Option<IpAddr>, now_ms: u64) -> Result<(), u64> {
        let Some(from) = from.map(network) else { return Ok(()) };
        let failures = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let own = failures.each.get(&from).and_then(|own| own.spent(EACH, now_ms));
        let seen_ms = failures.known.get(&from);
        let known = seen_ms.is_some_and(|seen_ms| now_ms.saturating_sub(*seen_ms) < KNOWN_MS);
        let all = failures.all.spent(ALL, now_ms).filter(|_| !known);
        own.into_iter().chain(all).max().map_or(Ok(()), Err)
    }

    /// A wrong key came from here.
    ///
    /// # Errors
    /// In how many milliseconds there may be another, if there have been too many.
    pub fn failed(&self, from: Option<IpAddr>, now_ms: u64) -> Result<(), u64> {
        let mut failures = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failures.all.spent(ALL, now_ms);
        failures.all.fail(now_ms);
        if let Some(from) = from.map(network) {
            make_room(&mut failures.each, &from, |window| window.since_ms, now_ms.saturating_sub(WINDOW_MS));
            failures.each.entry(from).or_default().fail(now_ms);
        }
        before.map_or(Ok(()), Err)
    }

    /// A right key came from here.
    pub fn succeeded(&self, from: Option<IpAddr>, now_ms: u64) {
        let Some(from) = from.map(network) else { return };
        let mut failures = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut failures.known, &from, |seen_ms| *seen_ms, now_ms.saturating_sub(KNOWN_MS));
        failures.known.insert(from, now_ms);
    }
}

impl Window {
    /// In how many milliseconds it ends, if there are no failures left in it.
    fn spent(&self, most: u32, now_ms: u64) -> Option<u64> {
        let left_ms = self.since_ms.saturating_add(WINDOW_MS).saturating_sub(now_ms);
        (self.failures >= most && !self.is_over(now_ms)).then_some(left_ms)
    }

    /// Also of a clock that had run far ahead and was set right: else nobody could try until that time. A little ahead is
    /// nothing, for who asks at the same time may have read the clock a moment before.
    fn is_over(&self, now_ms: u64) -> bool {
        self.since_ms.abs_diff(now_ms) >= WINDOW_MS
    }

    fn fail(&mut self, now_ms: u64) {
        if self.is_over(now_ms) {
            *self = Self { since_ms: now_ms, failures: 0 };
        }
        self.failures = self.failures.saturating_add(1);
    }
}

/// Forgets what is old, and if nothing is, the oldest.
fn make_room<V>(map: &mut HashMap<IpAddr, V>, newcomer: &IpAddr, at: impl Fn(&V) -> u64, old_ms: u64) {
    if map.len() < MOST || map.contains_key(newcomer) {
        return;
    }
    map.retain(|_, value| at(value) > old_ms);
    if map.len() >= MOST
        && let Some(oldest) = map.iter().min_by_key(|(_, value)| at(value)).map(|(address, _)| *address)
    {
        map.remove(&oldest);
    }
}

/// Who has one address of IPv6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, EACH, MOST, Throttle, WINDOW_MS};
    use std::net::{IpAddr, Ipv4Addr};

    const NOW: u64 = 1_800_000_000_000;

    #[expect(clippy::unnecessary_wraps, reason = "addresses may be unknown everywhere else")]
    fn address(n: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(n).into())
    }

    #[test]
    fn an_address_that_guesses_waits_and_others_do_not() {
        let throttle = Throttle::default();
        for failure in 0..EACH {
            assert_eq!(throttle.may_try(address(1), NOW), Ok(()), "{failure}");
            assert_eq!(throttle.failed(address(1), NOW), Ok(()));
        }
        assert_eq!(throttle.may_try(address(1), NOW + 1), Err(WINDOW_MS - 1));
        assert_eq!(throttle.may_try(address(2), NOW), Ok(()));
        assert_eq!(throttle.may_try(None, NOW), Ok(()));
        assert_eq!(throttle.may_try(address(1), NOW + WINDOW_MS), Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_right_does_not_keep_anybody_waiting() {
        let throttle = Throttle::default();
        let ahead = NOW + 86_400_000;
        (0..EACH).for_each(|_| throttle.failed(address(1), ahead).unwrap());
        assert_eq!(throttle.may_try(address(1), NOW), Ok(()));
        // From now on it counts by the right time.
        (0..EACH).for_each(|_| throttle.failed(address(1), NOW).unwrap());
        assert_eq!(throttle.may_try(address(1), NOW), Err(WINDOW_MS));
        // Who read the clock a moment earlier is refused as well.
        assert_eq!(throttle.may_try(address(1), NOW - 1), Err(WINDOW_MS + 1));
    }

    #[test]
    fn the_addresses_of_one_network_are_one() {
        let throttle = Throttle::default();
        let host = |n: u32| Some(format!("2001:db8::{n:x}").parse().unwrap());
        (0..EACH).for_each(|n| throttle.failed(host(n), NOW).unwrap());
        assert!(throttle.may_try(host(77), NOW).is_err());
        assert_eq!(throttle.may_try(Some("2001:db8:0:1::1".parse().unwrap()), NOW), Ok(()));
        // An IPv4 address in its IPv6 clothes is itself.
        let clothed = Some("::ffff:10.0.0.9".parse().unwrap());
        (0..EACH).for_each(|_| throttle.failed(clothed, NOW).unwrap());
        assert!(throttle.may_try(Some("10.0.0.9".parse().unwrap()), NOW).is_err());
        assert_eq!(throttle.may_try(Some("10.0.0.8".parse().unwrap()), NOW), Ok(()));
    }

    #[test]
    fn many_addresses_that_guess_together_do_not_lock_the_admin_out() {
        let throttle = Throttle::default();
        throttle.succeeded(address(0), NOW);
        (1..=ALL).for_each(|n| throttle.failed(address(n), NOW).unwrap());
        assert!(throttle.may_try(address(ALL + 1), NOW).is_err());
        assert_eq!(throttle.may_try(address(0), NOW), Ok(()));
        // Of no known address: a guess is told to wait, and the admin is not.
        assert_eq!(throttle.may_try(None, NOW), Ok(()));
        assert_eq!(throttle.failed(None, NOW + 1), Err(WINDOW_MS - 1));
        assert_eq!(throttle.failed(None, NOW + WINDOW_MS), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(MOST as u32 + 100) {
            let _waits = throttle.failed(address(n), NOW + u64::from(n));
            throttle.succeeded(address(n), NOW + u64::from(n));
        }
        let failures = throttle.inner.lock().unwrap();
        assert_eq!((failures.each.len(), failures.known.len()), (MOST, MOST));
    }
}
