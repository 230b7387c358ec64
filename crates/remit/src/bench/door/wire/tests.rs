use tokio::net::TcpListener;

use super::*;

/// A server that answers one request with `pieces`, one after the other.
async fn answering(pieces: &'static [&'static str]) -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 64];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        for piece in pieces {
            stream.write_all(piece.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    Wire::open(address).await.unwrap()
}

#[tokio::test]
async fn an_answer_in_pieces_is_read_to_its_end() {
    let mut wire = answering(&["HTTP/1.1 200 OK\r\nContent-", "Length: 5\r\nX: y\r\n\r", "\nhe", "llo"]).await;
    let answer = wire.ask(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!((answer.status, answer.body), (200, b"hello".as_slice()));
    assert_eq!(answer.header("x"), Some("y"));
    assert!(answer.says(b"ell") && !answer.says(b"elk"));
}

#[tokio::test]
async fn chunks_are_put_together() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut wire =
        answering(Box::leak(Box::new([head, "3;x=1\r\nab", "c\r\nA\r\n0123456789\r", "\n0\r\n", "\r\n"]))).await;
    assert_eq!(wire.ask(b"GET / HTTP/1.1\r\n\r\n").await.unwrap().body, b"abc0123456789");
}

#[tokio::test]
async fn a_stream_begins_before_it_ends() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n";
    let mut wire = answering(Box::leak(Box::new([head]))).await;
    let answer = wire.begin(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error() {
    for pieces in [
        &["SSH-2.0\r\n\r\n"][..],
        &["HTTP/1.1 200 OK\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"],
        &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"],
        &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
    ] {
        let mut wire = answering(pieces).await;
        assert!(wire.ask(b"GET / HTTP/1.1\r\n\r\n").await.is_err(), "{pieces:?}");
    }
}
