use proptest::prelude::*;

use super::*;

#[test]
fn spellings_of_one_address_become_one() {
    for (address, wanted) in [
        ("https://a.example/x", "https://a.example/x"),
        ("HTTPS://A.Example/X", "https://a.example/X"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("https://a.example:0443/x", "https://a.example/x"),
        ("https://a.example:/x", "https://a.example/x"),
        ("http://a.example:80", "http://a.example/"),
        ("http://a.example:443/", "http://a.example:443/"),
        ("https://a.example?q=1", "https://a.example/"),
        ("https://a.example/x?q=1#f", "https://a.example/x"),
        ("https://a.example/x#f?q", "https://a.example/x"),
        ("http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp"),
        ("http://[::1]:8080/mcp", "http://[::1]:8080/mcp"),
        ("http://[::1]/mcp", "http://[::1]/mcp"),
    ] {
        assert_eq!(normalise(address).as_deref(), Ok(wanted), "{address}");
    }
}

#[test]
fn what_readers_disagree_about_is_refused() {
    for address in [
        "",
        "a.example",
        "//a.example/",
        "ftp://a.example/",
        "https://",
        "https:///x",
        "https://user@a.example/",
        "https://a.example:99999/",
        "https://a.example:8a/",
        "https://a.example\\@b.example/",
        "https://a.example/ x",
        "https://a.example/\n",
        "https://exämple.org/",
        "https://[::1/",
        "https://[x]/",
        "https://::1/",
        "https://a:1:2/",
    ] {
        assert_eq!(normalise(address), Err(AddressError), "{address}");
    }
    assert_eq!(normalise(&format!("https://a/{}", "x".repeat(limits::ADDRESS_BYTES_MAX))), Err(AddressError));
}

proptest! {
    #[test]
    fn never_panics_and_is_stable(text in "(https?://)?\\PC{0,40}") {
        if let Ok(once) = normalise(&text) {
            prop_assert_eq!(normalise(&once), Ok(once.clone()));
        }
    }
}
