//! Standard input and output, each on a thread of its own.
//!
//! Not on the runtime's: a thread that waits for input which never comes would keep the runtime from ending.

use std::io::{BufReader, Read, Write};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::limits;
use super::line::{self, Line};

/// Lines of `input`, until it ends.
pub fn read(input: impl Read + Send + 'static) -> mpsc::Receiver<Line> {
    let (sender, receiver) = mpsc::channel(limits::LINES_WAITING_MAX);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(input);
        loop {
            match line::read(&mut reader, limits::LINE_BYTES_MAX) {
                Ok(Some(line)) => {
                    if sender.blocking_send(line).is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    eprintln!("remit: the input cannot be read: {error}");
                    return;
                }
            }
        }
    });
    receiver
}

/// Writes each message as a line to `output`. The second part answers once everything is written and the sender is gone.
pub fn write(mut output: impl Write + Send + 'static) -> (mpsc::Sender<Bytes>, oneshot::Receiver<()>) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(limits::LINES_WAITING_MAX);
    let (written, all_written) = oneshot::channel();
    std::thread::spawn(move || {
        while let Some(message) = receiver.blocking_recv() {
            let line = [message.as_ref(), b"\n"].concat();
            if output.write_all(&line).and_then(|()| output.flush()).is_err() {
                // The reader is gone. Whoever sends next notices.
                break;
            }
        }
        drop(receiver);
        let _nobody_waits = written.send(());
    });
    (sender, all_written)
}
