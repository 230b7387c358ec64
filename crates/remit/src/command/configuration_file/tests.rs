use super::*;

#[test]
fn a_run_presents_what_was_approved_as_long_as_no_byte_of_it_changed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("triage.toml");
    std::fs::write(directory.path().join("prompt.md"), "You answer tickets.\n").unwrap();
    std::fs::write(&file, "prompt_file = \"prompt.md\"\nmodel = \"m-1\"\ntools = [\"helpdesk/*\"]\n").unwrap();
    let approved = read(&file).unwrap();
    assert_eq!(approved.prompt, Some(Digest::of_bytes(b"You answer tickets.\n")));
    assert_eq!(read(&file).unwrap().digest(), approved.digest());
    std::fs::write(directory.path().join("prompt.md"), "You answer every ticket.\n").unwrap();
    assert_ne!(read(&file).unwrap().digest(), approved.digest());
}

#[test]
fn a_member_that_nobody_knows_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("triage.toml");
    std::fs::write(&file, "promt_file = \"prompt.md\"\n").unwrap();
    assert!(matches!(read(&file), Err(Failure::Refused(refusal)) if refusal.code == "bad_configuration"));
}
