use super::plain;

#[test]
fn a_plain_path_is_taken_with_its_query_apart() {
    assert_eq!(plain("/orders/7?full=1"), Some(("/orders/7".to_owned(), Some("full=1"))));
    assert_eq!(plain("/"), Some(("/".to_owned(), None)));
    assert_eq!(plain("/orders/"), Some(("/orders/".to_owned(), None)));
    assert_eq!(plain("/caf%c3%a9@x"), Some(("/caf%C3%A9@x".to_owned(), None)));
}

#[test]
fn a_path_that_two_servers_could_read_otherwise_is_not_taken() {
    for target in [
        "",
        "*",
        "orders",
        "http://else.example/orders",
        "//orders",
        "/orders//7",
        "/orders/../admin",
        "/orders/..",
        "/./orders",
        "/orders/..;/admin",
        "/%61dmin",
        "/orders/%2e%2e/admin",
        "/orders%2fadmin",
        "/orders%5Cadmin",
        "/orders\\admin",
        "/orders%",
        "/orders%2",
        "/orders%zz",
        "/orders%+1",
        "/orders%252e",
        "/orders%00",
        "/admin;x=1/users",
        "/admin%3Bx/users",
        "/users/%40root",
        "/a%2Bb",
        "/%C0%AF",
        "/orders#x",
        "/or ders",
        "/caf\u{e9}",
        "/orders?a=\u{7f}",
    ] {
        assert_eq!(plain(target), None, "{target}");
    }
}
