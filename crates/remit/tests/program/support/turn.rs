//! One test at a time: most of them use the whole machine.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits until no other test of this binary runs. Hold the guard to the end.
pub async fn turn() -> MutexGuard<'static, ()> {
    let guard = TURN.lock().await;
    // Some tests hold thousands of connections, and the program inherits this limit.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .expect("the limit on open files cannot be raised to its maximum");
    guard
}
