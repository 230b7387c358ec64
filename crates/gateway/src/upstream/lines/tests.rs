use tokio::io::BufReader;

use super::*;

async fn all(text: &[u8], buffer: usize, bytes_max: usize) -> Vec<(String, Line)> {
    let mut reader = BufReader::with_capacity(buffer, text);
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    loop {
        match read(&mut reader, &mut line, bytes_max).await.unwrap() {
            Line::End => return lines,
            ended => lines.push((String::from_utf8(line.clone()).unwrap(), ended)),
        }
    }
}

#[tokio::test]
async fn lines_are_whole_or_cut_whatever_the_buffer() {
    for buffer in [1, 3, 64] {
        let lines = all(b"one\r\n\nlonger than ten\nlast", buffer, 10).await;
        let expected = [("one", Line::Whole), ("", Line::Whole), ("longer tha", Line::Cut), ("last", Line::Whole)];
        assert_eq!(lines, expected.map(|(text, ended)| (text.to_owned(), ended)));
    }
}
