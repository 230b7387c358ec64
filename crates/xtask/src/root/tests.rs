use super::begins_with_sentence;

#[test]
fn a_name_is_not_a_sentence() {
    assert!(!begins_with_sentence("//! remit-policy\n"));
    assert!(!begins_with_sentence("use std::fs;\n//! Reads policies and says why.\n"));
    assert!(begins_with_sentence("//! Reads policies and says allow, deny\n//! or ask, and why.\n//!\n"));
}
