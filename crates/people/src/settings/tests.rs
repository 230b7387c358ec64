//! Tests of where passkeys are used.

use super::PeopleSettings;

#[test]
fn passkeys_are_for_a_name() {
    for (console_url, opened_at, origin, rp_id) in [
        ("http://127.0.0.1:7470", "http://localhost:7470", "http://localhost:7470", "localhost"),
        ("http://[::1]:7470", "http://localhost:7470", "http://localhost:7470", "localhost"),
        ("http://0.0.0.0:7470", "http://localhost:7470", "http://localhost:7470", "localhost"),
        ("https://127.0.0.1:7470", "https://127.0.0.1:7470", "https://localhost:7470", "localhost"),
        // `localhost` would be another machine to whoever opens the link elsewhere.
        ("http://192.0.2.7:7470", "http://192.0.2.7:7470", "http://localhost:7470", "localhost"),
        ("http://localhost:7470/", "http://localhost:7470", "http://localhost:7470", "localhost"),
        ("https://remit.example.org", "https://remit.example.org", "https://remit.example.org", "remit.example.org"),
        ("https://Example.org:443/remit/", "https://Example.org:443/remit", "https://example.org", "example.org"),
    ] {
        let settings = PeopleSettings::at(console_url);
        assert_eq!(settings.console_url, opened_at, "{console_url}");
        assert_eq!(settings.origins, [origin], "{console_url}");
        assert_eq!(settings.rp_id, rp_id, "{console_url}");
    }
}
