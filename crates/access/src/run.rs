//! What goes on in the background: noticing what other processes wrote, writing down which sessions were used, forgetting
//! those that are over.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::house::{House, unreadable};
use crate::sessions::IDLE_MS;
use crate::{Access, AccessError};

/// How often other processes' news is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// How often the use of sessions is written down, and those that are over are forgotten.
const SWEEP: Duration = Duration::from_secs(60);

impl Access {
    /// Does all this until `stop` is ready.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut look = interval(LOOK);
        let mut sweep = interval(SWEEP);
        for ticks in [&mut look, &mut sweep] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            let done = tokio::select! {
                biased;
                () = &mut stop => break,
                _ = sweep.tick() => self.house.sweep().await,
                _ = look.tick() => self.sync().await,
            };
            if let Err(error) = done {
                tracing::warn!(%error, "keys and sessions cannot be kept up to date");
            }
        }
        if let Err(error) = self.house.sweep().await {
            tracing::warn!(%error, "the use of sessions cannot be written down");
        }
    }

    /// Notices what other processes wrote: for programs that do not [`Access::run`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sync(&self) -> Result<(), AccessError> {
        let house = &self.house;
        let _changing = house.changing.lock().await;
        house.refresh_sessions().await?;
        let shown = house.revision.load(Ordering::Acquire);
        // One cheap read if nobody has written.
        if house.store.accounts().revision().await? == shown {
            return Ok(());
        }
        let changes = house.store.keys().changed_since(shown).await?;
        for record in changes.changed {
            house.enter(record).await?;
        }
        for id in changes.removed {
            house.leave(&id);
        }
        for id in changes.unreadable {
            unreadable(&id);
            house.leave(&id);
        }
        house.revision.fetch_max(changes.revision, Ordering::AcqRel);
        Ok(())
    }
}

impl House {
    async fn sweep(&self) -> Result<(), AccessError> {
        let _changing = self.changing.lock().await;
        let now_ms = self.now_ms();
        let used: Vec<(String, u64)> = {
            let mut sessions = self.sessions();
            sessions.retain(|_, session| session.is_open(now_ms));
            let used =
                sessions.values_mut().filter(|session| session.written_ms < session.record.last_seen_ms);
            used.map(|session| {
                session.written_ms = session.record.last_seen_ms;
                (session.record.id.clone(), session.written_ms)
            })
            .collect()
        };
        for (id, seen_ms) in used {
            self.store.sessions().touch(&id, seen_ms).await?;
        }
        self.store.sessions().prune(now_ms.saturating_sub(IDLE_MS), now_ms).await?;
        Ok(())
    }
}
