//! The handle of a running simulator.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

use crate::account::{Behaviour, Counts, SimAccount};
use crate::auth::{Device, DeviceOrigin};
use crate::knobs::Knobs;
use crate::options::Options;
use crate::record::Recorded;
use crate::script::Script;
use crate::served::Served;
use crate::server;
use crate::world::World;

/// A running simulator; dropping it ends it and every connection.
pub struct Simulator {
    world: Arc<World>,
    addr: SocketAddr,
    task: JoinHandle<()>,
}

/// A login by device that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLogin {
    /// What the person would type.
    pub user_code: String,
    /// Where it began.
    pub origin: DeviceOrigin,
}

/// There is no such account, or no such login that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuch;

/// Binds and serves on a task of its own until the handle is dropped.
///
/// # Errors
/// When the address cannot be bound.
pub async fn start(options: Options) -> io::Result<Simulator> {
    let listener = listen(options.bind)?;
    let addr = listener.local_addr()?;
    let world = Arc::new(World::new(options));
    #[expect(clippy::disallowed_methods, reason = "the accept loop; it ends with the handle")]
    let task = tokio::spawn(server::serve(Arc::clone(&world), listener));
    Ok(Simulator { world, addr, task })
}

impl Simulator {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Queues a reply: the next chat call that is not refused plays it.
    pub fn push(&self, script: Script) {
        self.world.push(script);
    }

    /// Every call so far, oldest first; bounded to the last ten thousand.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.world.log.all()
    }

    /// The switches, to read and to turn. Do not hold the guard across an `await`.
    pub fn knobs(&self) -> MutexGuard<'_, Knobs> {
        self.world.knobs()
    }

    /// Back to the state at the start: queue, record, knobs, accounts and tokens.
    pub fn reset(&self) {
        self.world.reset();
    }

    /// Makes every access token given so far invalid.
    pub fn revoke(&self) {
        self.world.auth().revoke();
    }

    /// Account number `n` as it is now, with the tokens and the client of today.
    #[must_use]
    pub fn account(&self, n: usize) -> Option<SimAccount> {
        self.world.auth().holder(n).map(|holder| holder.account.clone())
    }

    /// Takes one more account; gives back its number.
    #[must_use = "the number is the account's only name"]
    pub fn add_account(&self, account: SimAccount) -> usize {
        self.world.auth().add(account)
    }

    /// Replaces how account number `n` behaves, from now on.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn set_behaviour(&self, n: usize, behaviour: Behaviour) -> Result<(), NoSuch> {
        self.world.auth().behave(n, behaviour).then_some(()).ok_or(NoSuch)
    }

    /// What was asked of account number `n`.
    #[must_use]
    pub fn counts(&self, n: usize) -> Option<Counts> {
        self.world.auth().holder(n).map(|holder| holder.counts)
    }

    /// What was asked of all accounts together.
    #[must_use]
    pub fn total(&self) -> Counts {
        let auth = self.world.auth();
        let mut total = Counts::default();
        for holder in (0..auth.count()).filter_map(|n| auth.holder(n)) {
            total.add(&holder.counts);
        }
        total
    }

    /// What was served in all, by how it ended.
    #[must_use]
    pub fn served(&self) -> Served {
        *self.world.served()
    }

    /// Makes every access token of account number `n` invalid.
    pub fn revoke_access(&self, n: usize) {
        self.world.auth().revoke_of(n);
    }

    /// The logins by device that wait for a person.
    #[must_use]
    pub fn waiting_logins(&self) -> Vec<WaitingLogin> {
        let auth = self.world.auth();
        let told = |device: &Device| WaitingLogin {
            user_code: device.user_code.clone(),
            origin: device.origin.clone(),
        };
        auth.devices().map(told).collect()
    }

    /// Approves a waiting login, by account number `account` or the first that fits.
    ///
    /// # Errors
    /// When there is no such login, or no such account.
    pub fn approve(&self, user_code: &str, account: Option<usize>) -> Result<(), NoSuch> {
        self.world.auth().decide(user_code, true, account).then_some(()).ok_or(NoSuch)
    }

    /// Denies a waiting login.
    ///
    /// # Errors
    /// When there is no such login.
    pub fn deny(&self, user_code: &str) -> Result<(), NoSuch> {
        self.world.auth().decide(user_code, false, None).then_some(()).ok_or(NoSuch)
    }

    /// Resolves as soon as the predicate holds; it is asked again whenever a call or a count changes. Put a timeout
    /// around it.
    pub async fn wait_for(&self, holds: impl FnMut(&[Recorded]) -> bool) {
        self.world.log.wait_for(holds).await;
    }

    /// Ends the simulator and every connection, and waits until that is done.
    pub async fn shutdown(mut self) {
        self.task.abort();
        // Aborted on purpose: the error says nothing else.
        drop((&mut self.task).await);
    }

    /// Resolves only when the accept loop ends, which it does not by itself; for a process that is the simulator.
    pub async fn run(mut self) {
        drop((&mut self.task).await);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens with room for thousands of connections that come at once, as the benchmark's do.
fn listen(bind: SocketAddr) -> io::Result<TcpListener> {
    let socket = if bind.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(bind)?;
    socket.listen(8192)
}
