use http::{HeaderMap, header};

use super::{Fetcher, Place, Range, fresh_seconds};
use crate::limits;

#[test]
fn a_range_has_its_first_bits() {
    let range = Range { address: "10.1.0.0".parse().unwrap(), bits: 16 };
    assert!(range.contains("10.1.255.255".parse().unwrap()));
    assert!(!range.contains("10.2.0.0".parse().unwrap()));
    assert!(!range.contains("::1".parse().unwrap()));
    assert!(Range { address: "0.0.0.0".parse().unwrap(), bits: 0 }.contains("8.8.8.8".parse().unwrap()));
}

#[tokio::test]
async fn nothing_inside_is_reached() {
    let fetcher = Fetcher::new(Vec::new(), b"");
    for url in [
        "https://127.0.0.1/client",
        "https://[::1]/client",
        "https://[::ffff:10.0.0.1]/client",
        "https://localhost/client",
        "https://169.254.169.254/latest",
        "http://1.1.1.1/client",
        "https://0x7f.1/client",
    ] {
        let refusal = fetcher.fetch(&url.parse().unwrap()).await.unwrap_err();
        assert_eq!(refusal.code, "client_document_refused", "{url}");
    }
}

#[tokio::test]
async fn an_allowed_network_is_reached_and_no_more_at_a_time_than_may() {
    let loopback = Range { address: "127.0.0.0".parse().unwrap(), bits: 8 };
    let fetcher = Fetcher::new(vec![loopback], b"");
    let url = "https://127.0.0.1:1/client".parse().unwrap();
    let (_, addresses) = fetcher.resolve(&url).await.unwrap();
    assert_eq!(addresses, ["127.0.0.1:1".parse().unwrap()]);
    let _all = fetcher.under_way.try_acquire_many(u32::try_from(limits::FETCHES_MAX).unwrap()).unwrap();
    assert!(fetcher.fetch(&url).await.unwrap_err().sentence.contains("too many"));
}

#[test]
fn a_document_is_kept_as_its_server_says_within_bounds() {
    let fresh = |value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
        fresh_seconds(&headers)
    };
    assert_eq!(fresh("max-age=60"), 60);
    assert_eq!(fresh("public, max-age=99999999"), limits::DOCUMENT_SECONDS_MAX);
    assert_eq!(fresh("no-store, max-age=60"), 0);
    assert_eq!(fresh("private"), 0);
    assert_eq!(fresh_seconds(&HeaderMap::new()), limits::DOCUMENT_SECONDS_DEFAULT);
}

#[tokio::test]
async fn one_host_does_not_take_the_places_of_all() {
    let fetcher = Fetcher::new(Vec::new(), b"");
    let take = |host| Place::take(&fetcher.by_host, host);
    let all: Vec<_> = (0..limits::FETCHES_PER_HOST_MAX).map(|_| take("127.0.0.1").unwrap()).collect();
    let refused = async |url: &str| fetcher.fetch(&url.parse().unwrap()).await.unwrap_err().sentence;
    assert!(refused("https://127.0.0.1/client").await.contains("too many"));
    assert!(refused("https://127.0.0.2/client").await.contains("public internet"));
    drop(all);
    assert!(refused("https://127.0.0.1/client").await.contains("public internet"));
    assert!(fetcher.by_host.lock().unwrap().is_empty());
}
