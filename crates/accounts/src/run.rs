//! What goes on behind everybody's back: writing down, noticing what other processes wrote, renewing ahead of requests,
//! asking for models and credits, polling for logins.

mod chores;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use self::chores::Chores;
use crate::Fleet;
use crate::house::House;

/// How long news is gathered before it is written: traffic alone must not mean a write per request.
const GATHER: Duration = Duration::from_millis(250);

/// How often other processes' news is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// How often logins that are over are forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// How long what is under way may take at the end.
const FINISH: Duration = Duration::from_secs(20);

/// Tells when it is time to stop: when its sender is gone.
type Stopped = watch::Receiver<()>;

/// How long a login that is over can still be asked about.
const REMEMBER_MS: u64 = 24 * 3600 * 1000;

impl Fleet {
    /// Does all this until `stop` is ready; then lets what is under way come to its end, for a renewal or a login that
    /// the upstream has given out must not be lost, and writes down what is left.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let house = &self.inner;
        let (running, stopped) = watch::channel(());
        let work = async {
            let mut chores = Chores::new(Arc::clone(house));
            tokio::join!(
                house.keep_writing(stopped.clone()),
                house.keep_looking(stopped.clone()),
                house.keep_sweeping(stopped.clone()),
                house.keep_polling(stopped.clone()),
                chores.keep_doing(stopped.clone()),
            );
        };
        tokio::pin!(work);
        tokio::select! {
            () = stop => {}
            () = &mut work => return,
        }
        drop(running);
        if timeout(FINISH, work).await.is_err() {
            tracing::warn!("work on accounts was still under way at the end");
        }
        house.write_pending().await;
    }

    /// Writes down what waits, and notices what other processes wrote: for programs that do not [`Fleet::run`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sync(&self) -> Result<(), crate::AccountError> {
        Ok(self.inner.look_around().await?)
    }
}

impl House {
    async fn keep_writing(&self, mut stopped: Stopped) {
        let gathered = || async {
            self.pending.rung().await;
            sleep(GATHER).await;
        };
        while before(&mut stopped, gathered()).await {
            self.write_pending().await;
        }
    }

    async fn keep_looking(self: &Arc<Self>, mut stopped: Stopped) {
        let mut ticks = ticks(LOOK);
        while before(&mut stopped, ticks.tick()).await {
            if let Err(error) = self.look_around().await {
                tracing::warn!(%error, "what other processes wrote cannot be read");
            }
        }
    }

    /// Takes in what others have written since. One cheap read if they have not.
    async fn look_around(self: &Arc<Self>) -> Result<(), qm_store::StoreError> {
        let accounts = self.store.accounts();
        let shown = self.revision.load(Ordering::Acquire);
        if accounts.revision().await? == shown {
            return Ok(());
        }
        // Written first and held: what is read then is not older than what this process has noticed.
        let mut unsaved = self.pending.unsaved.lock().await;
        self.write(&mut unsaved).await;
        let changes = accounts.changed_since(shown).await?;
        for record in changes.changed {
            self.enter_from_others(record);
        }
        for number in changes.removed {
            self.leave(number);
        }
        self.revision.fetch_max(changes.revision, Ordering::AcqRel);
        Ok(())
    }

    async fn keep_sweeping(&self, mut stopped: Stopped) {
        let mut ticks = ticks(SWEEP);
        while before(&mut stopped, ticks.tick()).await {
            let now_ms = self.now_ms();
            if let Err(error) = self.store.logins().sweep(now_ms.saturating_sub(REMEMBER_MS), now_ms).await {
                tracing::warn!(%error, "logins that are over cannot be forgotten");
            }
        }
    }

    /// Polls for logins that wait: nobody needs to claim them. Some at a time, for one whose service is slow to answer
    /// must not keep the others' people waiting.
    async fn keep_polling(self: &Arc<Self>, mut stopped: Stopped) {
        let (mut ticks, mut polls) = (ticks(LOOK), JoinSet::new());
        while before(&mut stopped, ticks.tick()).await {
            let pending = match self.store.logins().pending().await {
                Ok(pending) => pending,
                Err(error) => {
                    tracing::warn!(%error, "logins that wait cannot be read");
                    continue;
                }
            };
            while polls.try_join_next().is_some() {}
            for login in pending.into_iter().filter(|login| !self.polled.has(&login.id)) {
                if polls.len() >= self.habits.at_once.max(1) {
                    break;
                }
                let house = Arc::clone(self);
                polls.spawn(async move {
                    if let Err(error) = house.poll_login(&login.id).await {
                        tracing::warn!(%error, login = login.id, "a login cannot be polled for");
                    }
                });
            }
        }
        while polls.join_next().await.is_some() {}
    }
}

/// Waits for the next thing to do. False if it is time to stop; what is being done is never broken off.
async fn before<T>(stopped: &mut Stopped, next: impl Future<Output = T>) -> bool {
    tokio::select! {
        () = over(stopped) => false,
        _ = next => true,
    }
}

/// Ready when it is time to stop.
async fn over(stopped: &mut Stopped) {
    while stopped.changed().await.is_ok() {}
}

/// Those that were missed are not made up for.
fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
