use super::*;

#[test]
fn every_question_is_heard_of_once_however_the_stream_is_cut() {
    let stream = b"\r\n\r\nevent: record\ndata: ActionAllowed\n\nevent: record\ndata: ApprovalRequested\n\n: quiet\n\nevent: record\ndata: ApprovalRequested\n\n";
    for size in 1..stream.len() {
        let (mut read, mut asked) = (Vec::new(), 0);
        for part in stream.chunks(size) {
            read.extend_from_slice(part);
            asked += take_asked(&mut read);
            assert!(read.len() < ASKED.len());
        }
        assert_eq!(asked, 2, "in parts of {size} bytes");
    }
}
