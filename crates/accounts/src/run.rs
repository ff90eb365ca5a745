//! What goes on behind everybody's back: writing down, noticing what other processes wrote, renewing ahead of requests,
//! asking for models and credits, polling for logins.

mod chores;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use self::chores::Chores;
use crate::Fleet;
use crate::house::House;

/// How long news is gathered before it is written: traffic alone must not mean a write per request.
const GATHER: Duration = Duration::from_millis(250);

/// How often other processes' news is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// How often logins that are over are forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// How long a login that is over can still be asked about.
const REMEMBER_MS: u64 = 24 * 3600 * 1000;

impl Fleet {
    /// Does all this until `stop` is ready; then lets renewals that are under way finish and writes down what is left.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let house = &self.inner;
        let mut chores = Chores::new(Arc::clone(house));
        tokio::select! {
            () = stop => {}
            () = house.keep_writing() => {}
            () = house.keep_looking() => {}
            () = house.keep_sweeping() => {}
            () = house.keep_polling() => {}
            () = chores.keep_doing() => {}
        }
        chores.finish().await;
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
    async fn keep_writing(&self) {
        loop {
            self.pending.rung().await;
            sleep(GATHER).await;
            self.write_pending().await;
        }
    }

    async fn keep_looking(self: &Arc<Self>) {
        let mut ticks = ticks(LOOK);
        loop {
            ticks.tick().await;
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

    async fn keep_sweeping(&self) {
        let mut ticks = ticks(SWEEP);
        loop {
            ticks.tick().await;
            let now_ms = self.now_ms();
            if let Err(error) = self.store.logins().sweep(now_ms.saturating_sub(REMEMBER_MS), now_ms).await {
                tracing::warn!(%error, "logins that are over cannot be forgotten");
            }
        }
    }

    /// Polls for logins that wait: nobody needs to claim them.
    async fn keep_polling(self: &Arc<Self>) {
        let mut ticks = ticks(LOOK);
        loop {
            ticks.tick().await;
            let pending = match self.store.logins().pending().await {
                Ok(pending) => pending,
                Err(error) => {
                    tracing::warn!(%error, "logins that wait cannot be read");
                    continue;
                }
            };
            for login in pending {
                if let Err(error) = self.poll_login(&login.id).await {
                    tracing::warn!(%error, login = login.id, "a login cannot be polled for");
                }
            }
        }
    }
}

/// Those that were missed are not made up for.
fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
