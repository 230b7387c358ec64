use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ADDRESS: &str = "https://client.example/oauth/client.json";

fn document(change: impl FnOnce(&mut Value)) -> Result<ClientDocument, ClientError> {
    let mut value = json!({
        "client_id": ADDRESS, "client_name": "Desk", "redirect_uris": ["http://127.0.0.1/callback"],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"], "client_uri": "https://client.example",
    });
    change(&mut value);
    ClientDocument::parse(value.to_string().as_bytes(), &ClientAddress::parse(ADDRESS).unwrap())
}

#[test]
fn an_address_has_one_spelling() {
    for good in [
        ADDRESS,
        "https://client.example:8443/a",
        "https://client.example/a/",
        "https://client.example/a?version=2",
        "https://[2001:db8::1]/a",
        "https://client.example/%7ea",
    ] {
        assert_eq!(ClientAddress::parse(good).unwrap().as_str(), good);
    }
    let address = ClientAddress::parse("https://client.example:8443/a").unwrap();
    assert_eq!((address.host(), address.port()), ("client.example", 8443));
    assert_eq!(ClientAddress::parse(ADDRESS).unwrap().port(), 443);
    for bad in [
        "",
        "client",
        "http://client.example/a",
        "HTTPS://client.example/a",
        "https://Client.example/a",
        "https://client.example",
        "https://client.example/",
        "https://client.example?a",
        "https://client.example:443/a",
        "https://client.example:0443/a",
        "https://client.example/a#b",
        "https://user@client.example/a",
        "https://user:pass@client.example/a",
        "https://client.example/./a",
        "https://client.example/a/..",
        "https://client.example/a/%2e%2E/b",
        "https://client.example/a/.%2e",
        "https://client.example/a b",
        "https://client.example\\@evil.example/a",
        "https:///a",
        "https://client.example/é",
        "javascript:alert(1)",
    ] {
        assert_eq!(ClientAddress::parse(bad), Err(ClientError::Address), "{bad}");
    }
    assert!(ClientAddress::parse(&format!("https://a.example/{}", "a".repeat(1_024))).is_err());
    assert!(ClientAddress::is_meant("https://x") && !ClientAddress::is_meant("cli_1"));
}

#[test]
fn a_document_describes_its_client() {
    let read = document(|_| ()).unwrap();
    assert_eq!(read.client_name, "Desk");
    assert_eq!(read.proof, ClientProof::None);
    assert!(read.allows_redirect("http://127.0.0.1:4711/callback"));
    let nameless = document(|value| _ = value.as_object_mut().unwrap().remove("client_name")).unwrap();
    assert_eq!(nameless.client_name, "client.example");
    let plain = document(|value| _ = value.as_object_mut().unwrap().remove("token_endpoint_auth_method")).unwrap();
    assert_eq!(plain.proof, ClientProof::None);
}

#[test]
fn a_document_speaks_for_its_own_address_only() {
    for other in
        ["https://client.example/oauth/client.json/", "https://CLIENT.example/oauth/client.json", "https://a/b"]
    {
        assert_eq!(document(|value| value["client_id"] = json!(other)), Err(ClientError::Mismatch), "{other}");
    }
    let missing = document(|value| _ = value.as_object_mut().unwrap().remove("client_id"));
    assert_eq!(missing, Err(ClientError::Malformed(JsonError::Missing("client_id"))));
}

#[test]
fn a_document_holds_no_secret() {
    assert_eq!(document(|value| value["client_secret"] = json!("s")), Err(ClientError::Secret));
    assert_eq!(document(|value| value["client_secret_expires_at"] = json!(0)), Err(ClientError::Secret));
    for method in ["client_secret_basic", "client_secret_post", "client_secret_jwt", "tls_client_auth", "None"] {
        let read = document(|value| value["token_endpoint_auth_method"] = json!(method));
        assert_eq!(read, Err(ClientError::Method), "{method}");
    }
}

#[test]
fn a_client_with_keys_names_them_once() {
    let keyed = |change: &dyn Fn(&mut Value)| {
        document(|value| {
            value["token_endpoint_auth_method"] = json!("private_key_jwt");
            change(value);
        })
    };
    let jwks = crate::foreign::tests::ISSUER.jwks();
    assert!(matches!(keyed(&|value| value["jwks"] = jwks.clone()).unwrap().proof, ClientProof::Keys(_)));
    let at = keyed(&|value| value["jwks_uri"] = json!("https://client.example/jwks")).unwrap();
    assert!(matches!(at.proof, ClientProof::KeysAt(_)));
    assert_eq!(keyed(&|_| ()), Err(ClientError::Keys));
    assert_eq!(keyed(&|value| value["jwks_uri"] = json!("http://client.example/jwks")), Err(ClientError::Address));
    assert!(matches!(keyed(&|value| value["jwks"] = json!({"keys": []})), Err(ClientError::KeySet(_))));
    let both = keyed(&|value| {
        value["jwks"] = jwks.clone();
        value["jwks_uri"] = json!("https://client.example/jwks");
    });
    assert_eq!(both, Err(ClientError::Keys));
}

#[test]
fn a_document_is_read_strictly() {
    let address = ClientAddress::parse(ADDRESS).unwrap();
    let long = vec![b' '; limits::CLIENT_DOCUMENT_BYTES_MAX + 1];
    assert_eq!(ClientDocument::parse(&long, &address), Err(ClientError::TooLong));
    for text in ["", "[]", "<html>", &format!(r#"{{"client_id":"{ADDRESS}","client_id":"{ADDRESS}"}}"#)] {
        assert!(matches!(ClientDocument::parse(text.as_bytes(), &address), Err(ClientError::Malformed(_))), "{text}");
    }
    assert!(document(|value| value["redirect_uris"] = json!([])).is_err());
    assert!(document(|value| value["redirect_uris"] = json!("https://a.example/")).is_err());
    assert!(document(|value| value["redirect_uris"] = json!(vec!["https://a.example/"; 17])).is_err());
    assert!(document(|value| _ = value.as_object_mut().unwrap().remove("redirect_uris")).is_err());
    for name in ["\u{202e}ksed", "a\u{200b}b", "a\nb", " ", &"x".repeat(129)] {
        assert_eq!(document(|value| value["client_name"] = json!(name)), Err(ClientError::Name), "{name:?}");
    }
}

#[test]
fn people_are_sent_back_over_https_or_to_their_own_machine() {
    for good in [
        "https://client.example/callback",
        "https://client.example/callback?a=b",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:8080/callback",
        "http://[::1]:8080/callback",
        "http://localhost:8080/callback",
    ] {
        assert!(RedirectUri::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://client.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost.evil.example/callback",
        "http://127.0.0.2/callback",
        "http://127.0.0.1@evil.example/callback",
        "http://localhost:80@evil.example/",
        "https://user@client.example/callback",
        "https://client.example/callback#x",
        "javascript:alert(1)",
        "data:text/html,x",
        "cursor://callback",
        "//client.example/callback",
        "https://client.example\\.evil.example/",
        "https://client.example/a b",
        "",
    ] {
        assert!(matches!(RedirectUri::parse(bad), Err(ClientError::Redirect(_))), "{bad}");
    }
}

#[test]
fn redirect_addresses_match_letter_for_letter_but_for_a_local_port() {
    let allowed = |registered: &str, asked: &str| redirect_allowed(&[registered.to_owned()], asked);
    let web = "https://client.example/callback";
    assert!(allowed(web, web));
    for asked in [
        "https://client.example/callback/",
        "https://client.example/callback?x=1",
        "https://client.example/Callback",
        "https://CLIENT.example/callback",
        "https://client.example:443/callback",
        "https://client.example:8443/callback",
        "https://client.example/callback/../callback",
        "https://client.example/callback/../evil",
        "https://client.example.evil.example/callback",
        "http://client.example/callback",
    ] {
        assert!(!allowed(web, asked), "{asked}");
    }
    let local = "http://127.0.0.1/callback";
    for asked in ["http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", local] {
        assert!(allowed(local, asked), "{asked}");
    }
    assert!(allowed("http://[::1]:1/cb?a=b", "http://[::1]:2/cb?a=b"));
    assert!(allowed("http://localhost/cb", "http://localhost:33418/cb"));
    for asked in [
        "http://127.0.0.1:8080/other",
        "http://127.0.0.1:8080/callback?x",
        "http://localhost:8080/callback",
        "http://[::1]:8080/callback",
        "https://127.0.0.1:8080/callback",
        "http://127.0.0.1:8080@evil.example/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:x/callback",
    ] {
        assert!(!allowed(local, asked), "{asked}");
    }
    // https on the person's own machine has no free port.
    assert!(!allowed("https://127.0.0.1/callback", "https://127.0.0.1:8443/callback"));
    assert!(!redirect_allowed(&[], local));
}

fn private(address: &str) -> bool {
    private_address(address.parse().unwrap())
}

#[test]
fn no_range_that_is_not_public_is_let_through() {
    for inside in [
        // This network and this machine.
        "0.0.0.0",
        "0.255.255.255",
        "127.0.0.1",
        "127.255.255.254",
        // Private use, carriers.
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.255.255",
        "100.64.0.1",
        "100.127.255.255",
        // Link-local, with the metadata services of clouds.
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        // Assignments, documentation, benchmarks, former relays.
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "198.19.255.255",
        "192.88.99.1",
        // Multicast, reserved, broadcast.
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
    ] {
        assert!(private(inside), "{inside}");
    }
}

#[test]
fn nor_is_one_in_ipv6_or_ipv4_inside_it() {
    for inside in [
        "::",
        "::1",
        "::2",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "fdff::1",
        "ff02::1",
        "ff0e::1",
        "100::1",
        "2001:db8::1",
        "3fff::1",
        "3fff:fff::1",
        "5f00::1",
        "2001::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "4000::1",
        "1::1",
        "64:ff9b:1::1",
        "64:ff9b:1::a00:1",
        // IPv4 inside.
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:192.168.1.1",
        "::ffff:0.0.0.0",
        "::127.0.0.1",
        "::169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
        "2002:a00:1::",
        "2002:a9fe:a9fe::",
        "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2606:4700::5efe:10.0.0.1",
        "2606:4700::200:5efe:169.254.169.254",
    ] {
        assert!(private(inside), "{inside}");
    }
}

#[test]
fn public_hosts_are_let_through() {
    for outside in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.0.3.1",
        "192.167.255.255",
        "192.169.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "198.51.99.1",
        "203.0.112.1",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "2001:200::1",
        "3ffe::1",
        "2003::1",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2606:4700::5efe:8.8.8.8",
    ] {
        assert!(!private(outside), "{outside}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,120}", rest in "[a-z0-9:/@\\[\\].%?#-]{0,40}") {
        let _ = ClientAddress::parse(&text);
        for text in [text, format!("https://{rest}"), format!("http://{rest}"), format!("http://127.0.0.1{rest}")] {
            let _ = ClientAddress::parse(&text);
            if let Ok(redirect) = RedirectUri::parse(&text) {
                prop_assert!(redirect.allows(&text));
            }
        }
    }

    #[test]
    fn ipv4_inside_ipv6_is_judged_as_ipv4(address in any::<u32>()) {
        let plain = std::net::Ipv4Addr::from(address);
        let inside = private_address(plain.into());
        prop_assert_eq!(private_address(plain.to_ipv6_mapped().into()), inside);
        prop_assert!(private_address(plain.to_ipv6_compatible().into()));
        // The library's own opinion of what is certainly not public.
        let certain = plain.is_private() || plain.is_loopback() || plain.is_link_local() || plain.is_multicast()
            || plain.is_broadcast() || plain.is_documentation() || plain.is_unspecified();
        prop_assert!(!certain || inside);
    }
}
