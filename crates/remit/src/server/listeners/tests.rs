use super::*;

#[test]
fn a_listener_is_called_as_it_listens_and_as_others_write_it() {
    let public = Some("https://remit.example:8443/");
    assert_eq!(names("127.0.0.1:7480".parse().unwrap(), None), ["127.0.0.1", "localhost"]);
    assert_eq!(names("[2001:db8::1]:7480".parse().unwrap(), None), ["[2001:db8::1]"]);
    assert_eq!(names("0.0.0.0:7480".parse().unwrap(), public), ["remit.example"]);
    assert_eq!(names("192.0.2.1:7480".parse().unwrap(), public), ["192.0.2.1", "remit.example"]);
}

#[tokio::test]
async fn who_listens_everywhere_is_written_by_name() {
    let (public, everywhere) = (Some("https://remit.example"), bind("0.0.0.0:0".parse().unwrap()).await.unwrap());
    let port = everywhere.local_addr().unwrap().port();
    assert_eq!(with_certificate(public, &everywhere).unwrap(), format!("https://remit.example:{port}"));
    let here = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    assert_eq!(with_certificate(public, &here).unwrap(), format!("https://{}", here.local_addr().unwrap()));
}

#[tokio::test]
async fn addresses_say_how_they_are_spoken_to() {
    let text = "gateway.listen = '127.0.0.1:0'\ncontrol.listen = '127.0.0.1:0'\ngateway.mtls_listen = '127.0.0.1:0'\n";
    let config = Config::parse(text).unwrap();
    let listeners = Listeners::bind(&config, Some("127.0.0.1:0".parse().unwrap())).await.unwrap();
    let plain = listeners.addresses(&config).unwrap();
    assert!(plain.gateway.starts_with("http://127.0.0.1:"), "{plain:?}");
    assert!(plain.gateway_mtls.is_some_and(|address| address.starts_with("https://127.0.0.1:")));
    assert_eq!(plain.control_mtls, None);
    assert_eq!((plain.hooks, plain.hooks_mtls), (None, None));

    let config =
        Config::parse(&format!("{text}hooks.listen = '127.0.0.1:0'\ntls.certificate = 'a'\ntls.key = 'b'\n")).unwrap();
    let listeners = Listeners::bind(&config, Some("127.0.0.1:0".parse().unwrap())).await.unwrap();
    let encrypted = listeners.addresses(&config).unwrap();
    assert!(encrypted.control.starts_with("https://127.0.0.1:"), "{encrypted:?}");
    assert!(encrypted.hooks.is_some_and(|address| address.starts_with("https://127.0.0.1:")));
    assert!(encrypted.sandbox.is_some_and(|address| address.starts_with("http://")), "never leaves this machine");
}
