//! Who is woken when something happens on a connection.
//!
//! A connection is polled by the task that reads from it, and half of what wakes it is stirred up by that polling
//! itself: taking a chunk out makes room for the next. Passed on as it is, each of these would poll the whole task
//! once more for nothing. So a connection rings a bell, which is heard only while somebody waits.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Nobody waits; a ring has no meaning, because whoever comes looks for himself.
const DEAF: u8 = 0;
/// It rang while nobody waited.
const RANG: u8 = 1;
/// A task waits to be woken.
const HEARD: u8 = 2;

/// The bell of one connection, in the hands of who reads from it.
pub(crate) struct Bell {
    rope: Arc<Rope>,
    waker: Waker,
}

struct Rope {
    state: AtomicU8,
    listener: Mutex<Option<Waker>>,
}

// === impl Bell ===

impl Bell {
    pub(crate) fn new() -> Self {
        let rope = Arc::new(Rope { state: AtomicU8::new(DEAF), listener: Mutex::new(None) });
        Self { waker: Waker::from(Arc::clone(&rope)), rope }
    }

    /// What the connection is polled with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Looks, and lets the task of `cx` be woken if there was nothing to see. `look` must poll the connection with
    /// this bell's context.
    pub(crate) fn poll<T>(&self, cx: &mut Context<'_>, mut look: impl FnMut() -> Poll<T>) -> Poll<T> {
        self.rope.listen(cx.waker());
        // What rang while we looked may be there now. Twice only: a runtime that wants its turn rings every time.
        for _ in 0..2 {
            self.rope.state.store(DEAF, Ordering::SeqCst);
            if let Poll::Ready(seen) = look() {
                return Poll::Ready(seen);
            }
            let wait = self.rope.state.compare_exchange(DEAF, HEARD, Ordering::SeqCst, Ordering::SeqCst);
            if wait.is_ok() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Lets go of the task that listened: an idle connection must not keep it in memory.
    pub(crate) fn forget_listener(&self) {
        self.rope.state.store(DEAF, Ordering::SeqCst);
        drop(self.rope.listener().take());
    }
}

// === impl Rope ===

impl Rope {
    fn listen(&self, waker: &Waker) {
        let mut listener = self.listener();
        if !listener.as_ref().is_some_and(|listener| listener.will_wake(waker)) {
            *listener = Some(waker.clone());
        }
    }

    fn listener(&self) -> MutexGuard<'_, Option<Waker>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.state.swap(RANG, Ordering::SeqCst) == HEARD {
            let listener = self.listener().clone();
            if let Some(listener) = listener {
                listener.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Count {
        fn so_far(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn it_is_heard_once_and_only_while_somebody_waits() {
        let (bell, count) = (Bell::new(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        bell.waker.wake_by_ref();
        assert!(bell.poll(&mut cx, || Poll::Ready(())).is_ready());
        bell.waker.wake_by_ref();
        assert_eq!(count.so_far(), 0, "nobody waited");
        assert!(bell.poll(&mut cx, || Poll::<()>::Pending).is_pending());
        bell.waker.wake_by_ref();
        bell.waker.wake_by_ref();
        assert_eq!(count.so_far(), 1);
        assert!(bell.poll(&mut cx, || Poll::<()>::Pending).is_pending());
        bell.forget_listener();
        bell.waker.wake_by_ref();
        assert_eq!(count.so_far(), 1, "let go");
        assert_eq!(Arc::strong_count(&count), 2, "the waker here and the count: the bell holds nothing");
    }

    #[test]
    fn what_rings_while_looking_is_looked_for_and_never_lost() {
        let (bell, count) = (Bell::new(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut looks = 0;
        let seen = bell.poll(&mut cx, || {
            looks += 1;
            bell.waker.wake_by_ref();
            if looks == 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        assert!(seen.is_ready() && count.so_far() == 0, "seen at the second look, without waking anybody");
        let seen = bell.poll(&mut cx, || {
            bell.waker.wake_by_ref();
            Poll::<()>::Pending
        });
        assert!(seen.is_pending());
        assert_eq!(count.so_far(), 1, "left to the task's next turn");
    }
}
