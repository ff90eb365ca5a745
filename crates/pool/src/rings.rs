//! All rings, found by whom they serve.

use std::collections::HashMap;

use crate::account::{LicencePolicy, Traits};
use crate::offer::Offer;
use crate::ring::Ring;

/// Whom a ring serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hall {
    /// Accounts that serve their owner only.
    Own(Box<str>),
    /// Accounts that serve their owner first; each stands in `Spare` too.
    OwnFirst(Box<str>),
    /// Accounts that serve everybody.
    Pool,
    /// Accounts that serve everybody else last.
    Spare,
}

/// A ring, in its hall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingId(usize);

/// How near accounts are to a key: its own before the pool's, those before what others can spare.
pub(crate) type Group = u8;

pub(crate) const OWN: Group = 0;
pub(crate) const POOL: Group = 1;
pub(crate) const SPARE: Group = 2;

#[derive(Debug, Default)]
pub(crate) struct Rings {
    places: Vec<Option<Place>>,
    free: Vec<usize>,
    own: HashMap<Box<str>, Vec<usize>>,
    own_first: HashMap<Box<str>, Vec<usize>>,
    pool: Vec<usize>,
    spare: Vec<usize>,
}

#[derive(Debug)]
struct Place {
    hall: Hall,
    ring: Ring,
    members: usize,
}

/// Different offers in one hall before accounts with a new one share a ring. Reached only if clients could teach each
/// account a different set of models it lacks.
const MOST_RINGS: usize = 64;

// === impl Hall ===

impl Hall {
    /// Where accounts like this stand.
    pub(crate) fn of(traits: &Traits) -> Vec<Self> {
        match (&traits.owner, traits.policy) {
            (Some(owner), LicencePolicy::Own) => vec![Self::Own(owner.clone())],
            (Some(owner), LicencePolicy::OwnThenPool) => vec![Self::OwnFirst(owner.clone()), Self::Spare],
            (None, _) | (_, LicencePolicy::Pool) => vec![Self::Pool],
        }
    }
}

/// The group of such an account for a key of this owner; none if it does not serve it.
pub(crate) fn group(traits: &Traits, owner: Option<&str>) -> Option<Group> {
    match (traits.owner.as_deref(), traits.policy) {
        (None, _) | (_, LicencePolicy::Pool) => Some(POOL),
        (its, _) if its == owner => Some(OWN),
        (_, LicencePolicy::Own) => None,
        (_, LicencePolicy::OwnThenPool) => Some(SPARE),
    }
}

// === impl Rings ===

impl Rings {
    /// Enters an account into the ring of this hall and offer; it has no seat yet.
    pub(crate) fn join(&mut self, hall: &Hall, offer: &Offer) -> RingId {
        let at = self.found(hall, offer).unwrap_or_else(|| self.open(hall, offer));
        if let Some(place) = self.places.get_mut(at).and_then(Option::as_mut) {
            place.members += 1;
        }
        RingId(at)
    }

    /// Takes an account without a seat out of its ring; a ring that is empty is given up.
    pub(crate) fn leave(&mut self, RingId(at): RingId) {
        let Some(place) = self.places.get_mut(at) else { return };
        let members = place.as_mut().map_or(0, |place| {
            place.members -= 1;
            place.members
        });
        if members == 0
            && let Some(place) = place.take()
        {
            self.free.push(at);
            self.in_hall(&place.hall).retain(|other| *other != at);
            match &place.hall {
                Hall::Own(owner) if self.own.get(owner).is_some_and(Vec::is_empty) => {
                    self.own.remove(owner);
                }
                Hall::OwnFirst(owner) if self.own_first.get(owner).is_some_and(Vec::is_empty) => {
                    self.own_first.remove(owner);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn ring(&self, RingId(at): RingId) -> Option<&Ring> {
        self.places.get(at)?.as_ref().map(|place| &place.ring)
    }

    pub(crate) fn ring_mut(&mut self, RingId(at): RingId) -> Option<&mut Ring> {
        self.places.get_mut(at)?.as_mut().map(|place| &mut place.ring)
    }

    /// The rings that a key of this owner may choose from.
    pub(crate) fn open_to(&self, owner: Option<&str>) -> impl Iterator<Item = (Group, &Ring)> {
        let own_first = owner.and_then(|owner| self.own_first.get(owner)).into_iter().flatten();
        own_first.filter_map(|&at| Some((OWN, self.ring(RingId(at))?))).chain(self.once_each(owner))
    }

    /// The same, with each account once.
    pub(crate) fn once_each(&self, owner: Option<&str>) -> impl Iterator<Item = (Group, &Ring)> {
        let own = owner.and_then(|owner| self.own.get(owner)).into_iter().flatten().map(|&at| (OWN, at));
        let pool = self.pool.iter().map(|&at| (POOL, at));
        let spare = self.spare.iter().map(|&at| (SPARE, at));
        own.chain(pool).chain(spare).filter_map(|(group, at)| Some((group, self.ring(RingId(at))?)))
    }

    /// The other rings of the same hall, and this one.
    pub(crate) fn beside(&self, RingId(at): RingId) -> impl Iterator<Item = &Ring> {
        let hall = self.places.get(at).and_then(Option::as_ref).map(|place| &place.hall);
        let rings = match hall {
            Some(Hall::Own(owner)) => self.own.get(owner),
            Some(Hall::OwnFirst(owner)) => self.own_first.get(owner),
            Some(Hall::Pool) => Some(&self.pool),
            Some(Hall::Spare) => Some(&self.spare),
            None => None,
        };
        rings.into_iter().flatten().filter_map(|&at| self.ring(RingId(at)))
    }

    /// A ring with this offer; if there are too many already, the one for all the rest.
    fn found(&mut self, hall: &Hall, offer: &Offer) -> Option<usize> {
        let in_hall = self.in_hall(hall).clone();
        let with = |offer: Option<&Offer>| {
            in_hall
                .iter()
                .copied()
                .find(|&at| self.ring(RingId(at)).is_some_and(|ring| ring.offer() == offer))
        };
        with(Some(offer)).or_else(|| (in_hall.len() >= MOST_RINGS).then(|| with(None)).flatten())
    }

    fn open(&mut self, hall: &Hall, offer: &Offer) -> usize {
        let full = self.in_hall(hall).len() >= MOST_RINGS;
        let ring = Ring::new((!full).then(|| offer.clone()));
        let place = Some(Place { hall: hall.clone(), ring, members: 0 });
        let at = match self.free.pop() {
            Some(at) => at,
            None => self.places.len(),
        };
        match self.places.get_mut(at) {
            Some(free) => *free = place,
            None => self.places.push(place),
        }
        self.in_hall(hall).push(at);
        at
    }

    fn in_hall(&mut self, hall: &Hall) -> &mut Vec<usize> {
        match hall {
            Hall::Own(owner) => self.own.entry(owner.clone()).or_default(),
            Hall::OwnFirst(owner) => self.own_first.entry(owner.clone()).or_default(),
            Hall::Pool => &mut self.pool,
            Hall::Spare => &mut self.spare,
        }
    }
}
