use reqwest::StatusCode;

use super::is_final;

#[test]
fn what_would_be_refused_again_is_not_sent_again() {
    let refused = |status: u16| is_final(StatusCode::from_u16(status).unwrap());
    assert!([400, 404, 410, 413, 422].into_iter().all(refused));
    assert!(![200, 202, 301, 401, 403, 408, 429, 500, 503].into_iter().any(refused));
}
