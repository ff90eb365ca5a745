//! A chat call that is being answered; counted while it lives.

use crate::world::World;

/// Held until the answer's last byte is about to go out, so that no caller who has an answer whole, and asks anew, meets
/// his own old call in the count.
pub(crate) struct Busy<'a> {
    world: &'a World,
    account: usize,
}

impl<'a> Busy<'a> {
    /// Begins, and says for how many milliseconds the account keeps its callers waiting.
    pub(crate) fn begin(world: &'a World, account: usize, credits: f64) -> (Self, u64) {
        let mut auth = world.auth();
        auth.tally(account, |counts| {
            counts.in_flight += 1;
            counts.most_in_flight = counts.most_in_flight.max(counts.in_flight);
        });
        let delay_ms = auth.holder_mut(account).map_or(0, |holder| {
            holder.spend(credits);
            holder.account.behaviour.delay_ms
        });
        drop(auth);
        world.log.touch();
        (Self { world, account }, delay_ms)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        // A reset in between has forgotten the beginning.
        self.world.auth().tally(self.account, |counts| {
            counts.in_flight = counts.in_flight.saturating_sub(1);
        });
        self.world.log.touch();
    }
}
