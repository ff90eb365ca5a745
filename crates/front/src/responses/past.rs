//! What went before a request, when responses are kept, and the keeping of its own.

use std::sync::Arc;

use bytes::Bytes;
use qm_canon::Fault;
use qm_openai::responses::thread::{self, Keeper, Thread};
use qm_relay::Caller;
use qm_relay::admit::KeyId;
use tokio::sync::OwnedSemaphorePermit;

use crate::Front;
use crate::kept::{Awaited, Kept, Record};

/// What went before a request.
#[derive(Default)]
pub(crate) struct Past {
    items: Option<Arc<str>>,
    place: Option<Arc<Place>>,
    /// Its share of what bodies may take: it is as much a part of the request as they are.
    _share: Option<OwnedSemaphorePermit>,
}

/// Where a response goes once it is complete.
struct Place {
    kept: Arc<Kept>,
    owner: KeyId,
    before: Option<Arc<str>>,
    asked: String,
    _room: Awaited,
}

// === impl Past ===

impl Past {
    /// What went before the request of this body; `None` if responses are not kept.
    ///
    /// # Errors
    /// When the response that it goes on from is not there or not the caller's, and when there is no room for so long
    /// a conversation.
    pub(crate) fn of(front: &Front, caller: &Caller, body: &[u8]) -> Result<Option<Self>, Fault> {
        if front.kept.is_off() {
            return Ok(None);
        }
        // Decoding will say what is wrong with it.
        let Some(thread) = Thread::of(body) else { return Ok(Some(Self::default())) };
        let Some(previous) = thread.previous() else {
            return Ok(Some(Self { place: Place::of(front, caller, &thread, None), ..Self::default() }));
        };
        let record = front.kept.find(&caller.key, previous);
        let items = record.ok_or_else(|| thread::no_such_previous(previous))?.items;
        let share = front.bodies.share(items.len(), body.len())?;
        let place = Place::of(front, caller, &thread, Some(&items));
        Ok(Some(Self { items: Some(items), place, _share: Some(share) }))
    }

    /// As the format reads it.
    pub(crate) fn as_read(&self) -> thread::Past<'_> {
        thread::Past { items: self.items.as_deref().unwrap_or_default(), kept: self.place.is_some() }
    }

    /// Who keeps the response.
    pub(crate) fn keeper(&self) -> Option<Arc<dyn Keeper>> {
        self.place.clone().map(|place| place as _)
    }
}

// === impl Place ===

impl Place {
    /// A place for the response of this request; `None` if its client wants none kept or there is no room for it.
    fn of(
        front: &Front,
        caller: &Caller,
        thread: &Thread<'_>,
        before: Option<&Arc<str>>,
    ) -> Option<Arc<Self>> {
        if !thread.stored() {
            return None;
        }
        let asked = thread.items();
        let room = front.kept.room(before.map_or(0, |items| items.len()) + asked.len())?;
        let (kept, owner) = (Arc::clone(&front.kept), caller.key.clone());
        Some(Arc::new(Self { kept, owner, before: before.cloned(), asked: asked.to_owned(), _room: room }))
    }
}

impl Keeper for Place {
    fn keep(&self, id: &str, response: Bytes, output: &str) {
        let before = self.before.as_deref().unwrap_or_default();
        let items = thread::join(before, &self.asked, output).into();
        self.kept.keep(self.owner.clone(), id, Record { response, items });
    }
}
