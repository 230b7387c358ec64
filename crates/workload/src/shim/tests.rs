use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;
use crate::frames::tests::frame;

const PATIENCE: Duration = Duration::from_secs(60);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::test]
async fn what_passes_arrives_whole_even_in_small_reads() {
    let (mut client, server) = duplex(64);
    let sent = [PREFACE.to_vec(), frame(4, 0, 0, &[7; 300]), frame(0, 1, 1, &[8; 1_000])].concat();
    let expected = sent.clone();
    let sending = tokio::spawn(async move {
        client.write_all(&sent).await.unwrap();
        client
    });
    let (mut shim, mut got) = (Shim::new(server, PATIENCE), Vec::new());
    let mut small = [0; 11];
    while got.len() < expected.len() {
        let count = shim.read(&mut small).await.unwrap();
        assert!(count > 0);
        got.extend_from_slice(&small[..count]);
    }
    assert_eq!(got, expected);
    drop(sending.await.unwrap());
    assert_eq!(shim.read(&mut small).await.unwrap(), 0, "the end is passed on");
}

#[tokio::test]
async fn what_is_malformed_ends_the_connection() {
    let (mut client, server) = duplex(4_096);
    client.write_all(&[PREFACE, &frame(9, 4, 1, b"")].concat()).await.unwrap();
    let mut shim = Shim::new(server, PATIENCE);
    let error = shim.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn what_is_written_is_not_touched() {
    let (mut client, server) = duplex(4_096);
    let mut shim = Shim::new(server, PATIENCE);
    shim.write_all(b"\x00\x01\x02 anything").await.unwrap();
    shim.flush().await.unwrap();
    shim.shutdown().await.unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"\x00\x01\x02 anything");
}

#[tokio::test]
async fn who_never_asks_does_not_stay() {
    // Nothing, the preface alone, and a request whose end does not come.
    let unfinished = [PREFACE, &frame(4, 0, 0, &[]), &frame(0, 0, 1, &[0; 5])].concat();
    for sent in [&[], PREFACE, unfinished.as_slice()] {
        let (mut client, server) = duplex(4_096);
        client.write_all(sent).await.unwrap();
        let mut shim = Shim::new(server, Duration::from_millis(50));
        let error = shim.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
    let (mut client, server) = duplex(4_096);
    client.write_all(&[PREFACE, &frame(0, 1, 1, &[0; 5])].concat()).await.unwrap();
    let mut shim = Shim::new(server, Duration::from_millis(50));
    let waited = tokio::time::timeout(Duration::from_millis(200), shim.read_to_end(&mut Vec::new())).await;
    assert!(waited.is_err(), "who has asked may wait");
}
