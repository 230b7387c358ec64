//! What the tests share: a place to run the program in, ways to speak to it, a server behind it, and eyes on its ledger.

mod caller;
mod certificates;
mod control;
mod echo;
mod estate;
mod place;
mod random;
mod turn;
mod witness;

pub use caller::{Caller, Load, Reply};
pub use certificates::{Authority, Realm, Shown, connect, trusting};
pub use control::{Control, text};
pub use echo::Echo;
pub use estate::Estate;
pub use place::{Exit, Place, Running};
pub use random::Random;
pub use turn::turn;
pub use witness::Witness;

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it: generous, since the machine may be busy with others.
pub const PATIENCE: Duration = Duration::from_secs(120);

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Asks again and again until `ask` has an answer; says `what` did not happen if there is none.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
