//! A connection whose client is understood although it names its host in a way that HTTP does not allow: see [`crate::frames`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::transport::server::Connected;

use crate::frames::Rewriter;
use crate::limits;

#[cfg(test)]
mod tests;

/// Reads from a client through a [`Rewriter`]; what is written passes as it is.
#[derive(Debug)]
pub(crate) struct Shim<C> {
    connection: C,
    rewriter: Rewriter,
    /// Rewritten and not yet read.
    ready: BytesMut,
    chunk: Box<[u8]>,
}

impl<C> Shim<C> {
    pub fn new(connection: C) -> Self {
        let chunk = vec![0; limits::CHUNK_BYTES].into_boxed_slice();
        Self { connection, rewriter: Rewriter::default(), ready: BytesMut::new(), chunk }
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
