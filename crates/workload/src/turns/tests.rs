use std::time::Duration;

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_user_waits_for_their_own_turn_only() {
    let turns = Turns::new(1);
    let own = turns.take(1_000).await;
    assert!(timeout(PATIENCE, turns.take(1_000)).await.is_err());
    drop(timeout(PATIENCE, turns.take(1_001)).await.unwrap());
    drop(own);
    drop(timeout(PATIENCE, turns.take(1_000)).await.unwrap());
    drop(turns.take(7).await);
    assert_eq!(turns.users.lock().unwrap().len(), 1, "who has none is forgotten");
}
