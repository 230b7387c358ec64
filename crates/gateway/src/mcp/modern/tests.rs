use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn params(version: &str, name: &str) -> Map<String, Value> {
    let params = json!({"name": name, "_meta": {VERSION_MEMBER: version, CAPABILITIES_MEMBER: {}}});
    params.as_object().unwrap().clone()
}

fn code(headers: &HeaderMap, params: &Map<String, Value>) -> Option<i64> {
    check(headers, "tools/call", params).err().map(|error| error.code)
}

const GOOD: [(&str, &str); 3] = [(VERSION_HEADER, MODERN), (METHOD_HEADER, "tools/call"), (NAME_HEADER, "echo")];

#[test]
fn headers_that_agree_with_the_body_pass() {
    assert_eq!(code(&headers(&GOOD), &params(MODERN, "echo")), None);
    let encoded = [GOOD[0], GOOD[1], (NAME_HEADER, "=?base64?Z3LDvG4=?=")];
    assert_eq!(code(&headers(&encoded), &params(MODERN, "grün")), None);
}

#[test]
fn each_rung_of_the_ladder_has_its_code() {
    let mismatch = Some(refuse::HEADER_MISMATCH);
    let good = params(MODERN, "echo");
    let twice = [GOOD.as_slice(), &[(METHOD_HEADER, "tools/call")]].concat();
    assert_eq!(code(&headers(&twice), &good), mismatch, "a header twice");
    assert_eq!(code(&headers(&GOOD), &Map::new()), Some(refuse::INVALID_PARAMS), "no `_meta`");
    let mut without = good.clone();
    without["_meta"].as_object_mut().unwrap().remove(CAPABILITIES_MEMBER);
    assert_eq!(code(&headers(&GOOD), &without), Some(refuse::INVALID_PARAMS), "no capabilities");
    assert_eq!(
        code(&headers(&[("mcp-protocol-version", "2027-01-01"), GOOD[1], GOOD[2]]), &good),
        mismatch,
        "another version"
    );
    assert_eq!(code(&headers(&GOOD[1..]), &good), mismatch, "no version");
    assert_eq!(code(&headers(&[GOOD[0], (METHOD_HEADER, "tools/list"), GOOD[2]]), &good), mismatch, "another method");
    assert_eq!(code(&headers(&[GOOD[0], GOOD[2]]), &good), mismatch, "no method");
    assert_eq!(code(&headers(&[GOOD[0], GOOD[1], (NAME_HEADER, "other")]), &good), mismatch, "another name");
    assert_eq!(code(&headers(&GOOD[..2]), &good), mismatch, "no name");
    assert_eq!(
        code(&headers(&[GOOD[0], GOOD[1], (NAME_HEADER, "=?base64?!?=")]), &good),
        mismatch,
        "an unreadable name"
    );
}

#[test]
fn an_unknown_version_is_told_which_are_known() {
    let unknown = [(VERSION_HEADER, "2027-01-01"), GOOD[1], GOOD[2]];
    let error = check(&headers(&unknown), "tools/call", &params("2027-01-01", "echo")).unwrap_err();
    assert_eq!(error.code, refuse::UNSUPPORTED_VERSION);
    assert_eq!(error.data, Some(json!({"supported": ["2026-07-28"], "requested": "2027-01-01"})));
}
