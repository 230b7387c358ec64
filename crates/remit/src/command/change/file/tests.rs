use super::*;

#[test]
fn texts_beside_the_file_are_filled_in() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("refunds.cedar", "permit (principal, action, resource);\n");
    write("triage.toml", "model = \"m-1\"\n");
    write(
        "change.toml",
        "reason = \"why\"\n[[edit]]\nartefact = \"policy\"\nname = \"refunds\"\nfile = \"refunds.cedar\"\n\
         [[edit]]\nartefact = \"configuration\"\nagent = \"triage\"\nfile = \"triage.toml\"\n\
         [[edit]]\nartefact = \"groups\"\nperson = \"ben\"\ngroups = [\"leads\"]\n",
    );
    let proposal = read(&directory.path().join("change.toml")).unwrap();
    assert_eq!(proposal.reason.as_deref(), Some("why"));
    assert_eq!(proposal.edits[0]["text"], "permit (principal, action, resource);\n");
    assert_eq!(proposal.edits[1]["configuration"]["model"], "m-1");
    assert_eq!(proposal.edits[2], json!({"artefact": "groups", "person": "ben", "groups": ["leads"]}));
}

#[test]
fn a_file_without_edits_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("change.toml");
    std::fs::write(&file, "reason = \"why\"\n").unwrap();
    assert!(matches!(read(&file), Err(Failure::Refused(refusal)) if refusal.code == "bad_file"));
}
