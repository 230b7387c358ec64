use super::*;

#[test]
fn an_id_reads_back_and_only_as_its_own_kind() {
    let id = AgentId::from_uuid(Uuid::from_u128(0x0193_5c0f_ffff_7000_8000_1234_5678_9abc));
    let text = id.to_string();
    assert!(text.starts_with("agt_"), "{text}");
    assert_eq!(text.parse::<AgentId>().unwrap(), id);
    assert!(text.parse::<TaskId>().is_err());
    assert!(text.to_uppercase().parse::<AgentId>().is_err());
}

#[test]
fn a_text_that_does_not_fit_in_128_bits_is_refused() {
    assert!("agt_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<AgentId>().is_err());
    assert!("agt_7zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<AgentId>().is_ok());
    assert!("agt_".parse::<AgentId>().is_err());
}
