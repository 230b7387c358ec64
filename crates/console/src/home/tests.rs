use super::*;

const HOME: &str = "http://localhost:7470";

fn led(origin: &str, host: &str, path: &str) -> Option<String> {
    let headers: HeaderMap = [(HOST, host.parse().unwrap())].into_iter().collect();
    leading_home(origin, &path.parse().unwrap(), &headers)
}

#[test]
fn an_address_of_this_machine_leads_to_its_name() {
    for host in ["127.0.0.1:7470", "127.0.0.2:7470", "[::1]:7470"] {
        assert_eq!(led(HOME, host, "/sign-in?code=a"), Some(format!("{HOME}/sign-in?code=a")), "{host}");
    }
}

#[test]
fn nobody_is_led_anywhere_else() {
    for host in ["localhost:7470", "192.0.2.7:7470", "127.0.0.1:8080", "127.0.0.1", "evil.example:7470", "a@127.0.0.1"]
    {
        assert_eq!(led(HOME, host, "/sign-in"), None, "{host}");
    }
    for origin in ["https://localhost:7470", "http://remit.example:7470", "https://remit.example", ""] {
        assert_eq!(led(origin, "127.0.0.1:7470", "/sign-in"), None, "{origin}");
    }
    // What comes after it is a path of ours, whatever it looks like.
    assert_eq!(led(HOME, "127.0.0.1:7470", "//evil.example/"), Some(format!("{HOME}//evil.example/")));
}
