//! From a question to the message on an open page that something happened.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::estate::Estate;
use super::present;
use super::stories;
use super::visitor::Visitor;
use crate::bench::identity::quantiles::Quantiles;

#[cfg(test)]
mod tests;

/// What stands in the stream when somebody is asked.
const ASKED: &[u8] = b"data: ApprovalRequested";
/// How long a message may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// Questions of one task, each answered before the next is asked; then another task asks.
const TASK_QUESTIONS: usize = 50;

#[derive(Debug, Serialize)]
pub struct Live {
    pub questions: usize,
    /// From submitting the attempt until the message has been read: deciding, recording and syncing are in it.
    pub visible_ms: Quantiles,
    /// Until the agent's side knows that it was recorded.
    pub recorded_ms: Quantiles,
}

/// Asks `questions` times, one after the other, while the administrator's page is open.
///
/// # Errors
/// If a message does not come.
pub async fn measure(estate: &Arc<Estate>, visitor: &Visitor, questions: usize) -> anyhow::Result<Live> {
    let mut heard = listen(visitor).await?;
    let held = estate.agents.first().copied().context("there is no agent")?;
    let (mut visible, mut recorded) = (Vec::new(), Vec::new());
    let mut task = None;
    for number in 0..questions {
        if number.is_multiple_of(TASK_QUESTIONS) {
            task = Some(stories::start(estate, held, number, None, 3_600).await?);
        }
        let began = Instant::now();
        let approval = present::ask(estate, held, task.context("there is no task")?, number).await?;
        recorded.push(began.elapsed());
        let at = tokio::time::timeout(PATIENCE, heard.recv()).await.context("nobody heard of a question")?;
        visible.push(at.context("the stream of an open page has ended")? - began);
        estate.submit(held.owner, stories::deny(approval)).await?;
    }
    Ok(Live { questions, visible_ms: Quantiles::of(visible), recorded_ms: Quantiles::of(recorded) })
}

/// When each message about a question was read.
async fn listen(visitor: &Visitor) -> anyhow::Result<mpsc::UnboundedReceiver<Instant>> {
    let mut stream = TcpStream::connect(visitor.address()).await?;
    stream.set_nodelay(true)?;
    stream.write_all(visitor.request("/live").as_bytes()).await?;
    let mut read = Vec::new();
    while !says(&read, b"\r\n\r\n") {
        more(&mut stream, &mut read).await?;
    }
    read.clear();
    let (heard, hearing) = mpsc::unbounded_channel();
    drop(tokio::spawn(hear(stream, read, heard)));
    Ok(hearing)
}

/// Tells `heard` about each question, until nobody wants to know any more.
async fn hear(
    mut stream: TcpStream,
    mut read: Vec<u8>,
    heard: mpsc::UnboundedSender<Instant>,
) -> anyhow::Result<Infallible> {
    loop {
        more(&mut stream, &mut read).await?;
        let at = Instant::now();
        for _ in 0..take_asked(&mut read) {
            heard.send(at)?;
        }
    }
}

/// Takes what `read` has of whole messages: how many are about a question. The beginning of one that may stand at the end stays.
fn take_asked(read: &mut Vec<u8>) -> usize {
    let mut asked = 0;
    while let Some(place) = read.windows(ASKED.len()).position(|part| part == ASKED) {
        read.drain(..place + ASKED.len());
        asked += 1;
    }
    let done = (read.len() + 1).saturating_sub(ASKED.len());
    read.drain(..done);
    asked
}

fn says(read: &[u8], text: &[u8]) -> bool {
    read.windows(text.len()).any(|part| part == text)
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> anyhow::Result<()> {
    match stream.read_buf(read).await? {
        0 => bail!("the stream of an open page has ended"),
        _ => Ok(()),
    }
}
