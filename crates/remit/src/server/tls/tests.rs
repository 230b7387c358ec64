use std::fs;

use super::*;

/// Writes a new certificate for this machine into `directory` and returns it.
fn write(directory: &Path) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().to_vec()
}

fn read(directory: &Path) -> anyhow::Result<FileCertificate> {
    FileCertificate::read(&directory.join("cert.pem"), &directory.join("key.pem"))
}

fn shown(certificate: &FileCertificate) -> Vec<u8> {
    certificate.current.load().cert[0].to_vec()
}

#[test]
fn a_new_certificate_is_used_as_soon_as_both_files_are_there() {
    let directory = tempfile::tempdir().unwrap();
    let first = write(directory.path());
    let certificate = read(directory.path()).unwrap();
    assert!(!certificate.read_again().unwrap());
    assert_eq!(shown(&certificate), first);

    let key = fs::read(directory.path().join("key.pem")).unwrap();
    let second = write(directory.path());
    let next_key = fs::read(directory.path().join("key.pem")).unwrap();
    fs::write(directory.path().join("key.pem"), key).unwrap();
    let error = format!("{:#}", certificate.read_again().unwrap_err());
    assert!(error.contains("cannot be used together"), "{error}");
    assert_eq!(shown(&certificate), first, "half of a change changes nothing");

    fs::write(directory.path().join("key.pem"), next_key).unwrap();
    assert!(certificate.read_again().unwrap());
    assert_eq!(shown(&certificate), second);
}

#[test]
fn what_is_no_certificate_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let error = format!("{:#}", read(directory.path()).unwrap_err());
    assert!(error.contains("cannot read `"), "{error}");
    write(directory.path());
    fs::write(directory.path().join("cert.pem"), "certificate").unwrap();
    let error = read(directory.path()).unwrap_err().to_string();
    assert!(error.contains("cert.pem` holds no certificate"), "{error}");
    write(directory.path());
    fs::write(directory.path().join("key.pem"), "key").unwrap();
    let error = read(directory.path()).unwrap_err().to_string();
    assert!(error.contains("key.pem` holds no private key"), "{error}");
}

#[test]
fn nothing_is_kept_from_which_a_session_could_resume() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let config = config(Arc::new(read(directory.path()).unwrap()), None).unwrap();
    assert_eq!(config.send_tls13_tickets, 0);
    assert!(!config.session_storage.can_cache());
    assert!(!config.ticketer.enabled());
    assert_eq!(config.max_early_data_size, 0);
}
