//! A connection whose client is understood although it names its host in a way that HTTP does not allow: see [`crate::frames`].

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tonic::transport::server::Connected;

use crate::frames::Rewriter;
use crate::limits;

#[cfg(test)]
mod tests;

/// Reads from a client through a [`Rewriter`]; what is written passes as it is. Ends by itself when the first request does not come.
#[derive(Debug)]
pub(crate) struct Shim<C> {
    connection: C,
    rewriter: Rewriter,
    /// Rewritten and not yet read.
    ready: BytesMut,
    chunk: Box<[u8]>,
    /// When the first request has to be here; nothing once it is.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<C> Shim<C> {
    /// Gives the client `patience` for its first request. Needs a runtime.
    pub fn new(connection: C, patience: Duration) -> Self {
        let chunk = vec![0; limits::CHUNK_BYTES].into_boxed_slice();
        let deadline = Some(Box::pin(tokio::time::sleep(patience)));
        Self { connection, rewriter: Rewriter::default(), ready: BytesMut::new(), chunk, deadline }
    }

    /// Whether the first request has not come in time. Wakes `context` when that is so.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        if self.rewriter.has_request() {
            self.deadline = None;
        }
        self.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(context).is_ready())
    }
}

impl<C: Connected> Connected for Shim<C> {
    type ConnectInfo = C::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.connection.connect_info()
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Shim<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let shim = &mut *self;
        if shim.is_late(context) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no whole request has come in time")));
        }
        while shim.ready.is_empty() {
            let mut chunk = ReadBuf::new(&mut shim.chunk);
            ready!(Pin::new(&mut shim.connection).poll_read(context, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            if let Err(malformed) = shim.rewriter.push(chunk.filled(), &mut shim.ready) {
                // What came before it in the same chunk is not passed on either: the connection is over.
                shim.ready.clear();
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, malformed)));
            }
        }
        let length = shim.ready.len().min(buffer.remaining());
        buffer.put_slice(&shim.ready.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Shim<C> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}
