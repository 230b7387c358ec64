use axum::response::IntoResponse;

use super::*;

#[tokio::test]
async fn every_answer_is_kept_to_itself() {
    let response = secure("page".into_response()).await;
    let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
    assert!(
        header(CONTENT_SECURITY_POLICY)
            .starts_with("default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';")
    );
    assert!(header(CONTENT_SECURITY_POLICY).contains("frame-ancestors 'none'; base-uri 'none'"));
    assert!(!header(CONTENT_SECURITY_POLICY).contains("unsafe"));
    assert_eq!(header(X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(header(REFERRER_POLICY), "no-referrer");
    assert_eq!(header(CACHE_CONTROL), "no-store");
}

#[tokio::test]
async fn an_asset_keeps_its_own_life() {
    let response = secure(([(CACHE_CONTROL, "immutable")], "style").into_response()).await;
    assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), "immutable");
}
