use std::sync::Arc;

use remit_domain::{Refusal, Timestamp};

use super::{Documents, Kept};
use crate::limits;
use crate::oauth::fetch::Fetcher;

impl Documents {
    /// As if `body` had been fetched from `address`.
    pub(crate) fn seed(&self, address: &str, body: &serde_json::Value, until: Timestamp) {
        let body = Arc::new(body.to_string().into_bytes());
        self.keep(address, Kept { body, until }, until.minus_seconds(1));
    }
}

fn documents() -> Documents {
    Documents::new(Fetcher::new(Vec::new(), b""))
}

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

#[tokio::test]
async fn a_kept_document_is_used_until_its_time_is_over() {
    let documents = documents();
    documents.keep("https://127.0.0.1/a", Kept { body: Arc::new(b"it".to_vec()), until: NOW.plus_seconds(5) }, NOW);
    let ask = |now| documents.document("https://127.0.0.1/a", now, |body| Ok::<_, Refusal>(body.to_vec()));
    assert_eq!(ask(NOW.plus_seconds(4)).await.unwrap(), b"it");
    // Fetched again, and that is refused because it is inside.
    assert_eq!(ask(NOW.plus_seconds(5)).await.unwrap_err().code, "client_document_refused");
}

#[test]
fn there_are_only_so_many() {
    let documents = documents();
    for number in 0..=limits::DOCUMENTS_MAX {
        let address = format!("https://{number}.example/client");
        documents.keep(&address, Kept { body: Arc::default(), until: NOW.plus_seconds(5) }, NOW);
    }
    assert_eq!(documents.kept.lock().unwrap().len(), limits::DOCUMENTS_MAX);
    let later = NOW.plus_seconds(10);
    documents.keep("https://a/later", Kept { body: Arc::default(), until: later.plus_seconds(5) }, later);
    assert_eq!(documents.kept.lock().unwrap().len(), 1);
}

#[test]
fn one_host_keeps_only_so_many() {
    let documents = documents();
    let keep = |address: &str| {
        documents.keep(address, Kept { body: Arc::default(), until: NOW.plus_seconds(5) }, NOW);
        documents.kept.lock().unwrap().len()
    };
    for number in 0..=limits::DOCUMENTS_PER_HOST_MAX {
        keep(&format!("https://a.example/{number}"));
    }
    assert_eq!(keep("https://a.example/last"), limits::DOCUMENTS_PER_HOST_MAX);
    assert_eq!(keep("https://b.example/first"), limits::DOCUMENTS_PER_HOST_MAX + 1);
}
