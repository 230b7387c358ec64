use std::io::Read;

use flate2::read::GzDecoder;
use http::HeaderValue;

use super::*;

fn asked(encodings: &'static str) -> HeaderMap {
    [(ACCEPT_ENCODING, HeaderValue::from_static(encodings))].into_iter().collect()
}

#[test]
fn what_is_packed_is_the_same_file() {
    for (text, packed) in [(STYLE, &STYLE_PACKED), (SCRIPT, &SCRIPT_PACKED), (HTMX, &HTMX_PACKED)] {
        let packed = packed.as_deref().unwrap();
        let mut unpacked = String::new();
        GzDecoder::new(packed).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
        assert!(packed.len() * 2 < text.len(), "{} of {} bytes", packed.len(), text.len());
    }
}

#[tokio::test]
async fn whoever_takes_packed_files_gets_them_and_others_do_not() {
    for (encodings, is_packed) in [("gzip, deflate, br", true), ("gzip", true), ("br", false), ("gzip;q=0", false)] {
        let response = style(asked(encodings)).await;
        assert_eq!(response.headers().get(CONTENT_ENCODING).is_some(), is_packed, "{encodings}");
        assert_eq!(response.headers().get(VARY).unwrap(), "accept-encoding", "{encodings}");
    }
    assert!(style(HeaderMap::new()).await.headers().get(CONTENT_ENCODING).is_none());
}
