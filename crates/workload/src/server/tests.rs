use bytes::{Buf, BytesMut};
use remit_domain::{Command, WorkloadIdentity};
use remit_testkit::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use super::*;
use crate::frames::tests::frame;
use crate::hpack::Reader;
use crate::hpack::tests::{Manner, Writer, field};

/// Sends what a client built on gRPC's C core sends to a socket in a directory, and returns the fields of the answer's first block.
async fn ask_as_c_core(socket: &Path) -> Vec<(String, String)> {
    let mut connection = UnixStream::connect(socket).await.unwrap();
    let authority = socket.display().to_string().trim_start_matches('/').replace('/', "%2F");
    let mut block = BytesMut::new();
    let mut writer = Writer::default();
    for (name, value) in [
        (":scheme", "http"),
        (":method", "POST"),
        (":authority", authority.as_str()),
        (":path", "/SpiffeWorkloadAPI/FetchX509SVID"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "grpc-python/1.76.0 grpc-c/51.0.0 (linux; chttp2)"),
        ("workload.spiffe.io", "true"),
    ] {
        writer.write(&field(name, value), Manner::Indexed { huffman: true }, &mut block);
    }
    let sent = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        frame(1, 4, 1, &block),
        // An empty message: not compressed, no bytes.
        frame(0, 1, 1, &[0; 5]),
    ];
    connection.write_all(&sent.concat()).await.unwrap();
    let (mut input, mut chunk) = (BytesMut::new(), [0; 4_096]);
    loop {
        let count = connection.read(&mut chunk).await.unwrap();
        assert!(count > 0, "the server hung up");
        input.extend_from_slice(&chunk[..count]);
        while input.len() >= 9 {
            let length = usize::try_from((&input[..3]).get_uint(3)).unwrap();
            if input.len() < 9 + length {
                break;
            }
            let frame = input.split_to(9 + length);
            if frame[3] == 1 {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                let fields = Reader::default().read(&frame[9..]).unwrap();
                return fields.iter().map(|field| (text(&field.name), text(&field.value))).collect();
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_names_the_socket_as_its_host_is_served() {
    let world = World::new().await;
    let agent = world.agent("triage", "root", |_| {}).await;
    let selectors = vec![format!("unix:path:{}", std::env::current_exe().unwrap().display())];
    let bind = Command::BindWorkload { agent, workload: WorkloadIdentity::Local { selectors } };
    world.submit(&world.root(), bind).await;
    let socket = world.data().join("workload.sock");
    let workloads = Workloads::bind(world.engine.clone(), &Settings::at(&socket)).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(workloads.serve(async move { drop(stopped.await) }));
    let answer = ask_as_c_core(&socket).await;
    assert!(answer.contains(&(":status".to_owned(), "200".to_owned())), "{answer:?}");
    assert!(!answer.iter().any(|(name, _)| name == "grpc-status"), "{answer:?}");
    drop(stop);
    serving.await.unwrap();
}

#[tokio::test]
async fn a_leftover_socket_is_replaced_and_a_file_is_not() {
    let world = World::new().await;
    let socket = world.data().join("workload.sock");
    drop(UnixListener::bind(&socket).unwrap());
    drop(Workloads::bind(world.engine.clone(), &Settings::at(&socket)).await.unwrap());
    let file = world.data().join("notes");
    std::fs::write(&file, "keep").unwrap();
    let refused = Workloads::bind(world.engine.clone(), &Settings::at(&file)).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read(&file).unwrap(), b"keep");
}
