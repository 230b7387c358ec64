use super::*;

#[test]
fn only_names_of_this_machine_are_known() {
    for host in ["127.0.0.1", "127.0.0.1:7480", "localhost:1", "LocalHost", "[::1]", "[::1]:7480", "gate.example"] {
        assert!(is_known(host, &["gate.example".to_owned()]), "{host}");
    }
    for host in [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "127.0.0.1:80:80",
        "127.0.0.1:",
        "null",
    ] {
        assert!(!is_known(host, &["gate.example".to_owned()]), "{host}");
    }
}

#[test]
fn only_json_is_json() {
    assert!(is_json("application/json; charset=utf-8"));
    for kind in ["text/plain", "application/jsonx", "", "application/x-www-form-urlencoded"] {
        assert!(!is_json(kind), "{kind}");
    }
}
