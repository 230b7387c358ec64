//! How often something can be done that waits for nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Repetitions between two looks at the clock.
const AT_A_TIME: u64 = 16;

/// How often each second `threads` threads together do `work`.
pub async fn per_second<W>(threads: usize, time: Duration, work: W) -> anyhow::Result<f64>
where
    W: Fn() -> anyhow::Result<()> + Send + Sync + 'static,
{
    let (work, start) = (Arc::new(work), Instant::now());
    let threads = (0..threads).map(|_| {
        let work = Arc::clone(&work);
        tokio::task::spawn_blocking(move || {
            let mut done = 0_u64;
            while start.elapsed() < time {
                for _ in 0..AT_A_TIME {
                    work()?;
                }
                done += AT_A_TIME;
            }
            anyhow::Ok(done)
        })
    });
    let mut done = 0;
    for thread in threads.collect::<Vec<_>>() {
        done += thread.await??;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}

/// What `work` takes on one thread, in microseconds.
pub async fn micros<W>(time: Duration, work: W) -> anyhow::Result<f64>
where
    W: Fn() -> anyhow::Result<()> + Send + Sync + 'static,
{
    Ok(1_000_000.0 / per_second(1, time, work).await?)
}
