use super::*;

#[test]
fn the_name_of_a_process_may_look_like_fields() {
    let stat = "4711 (a) 1 (b c) S 1 4711 4711 0 -1 4194560 300 0 0 0 17 5 0 0 20 0 3 0 100 0 0";
    assert_eq!(ticks_of(stat), Some(22));
    assert_eq!(ticks_of("4711 (cut off) S 1"), None);
    assert_eq!(ticks_of(""), None);
}

#[test]
fn this_process_has_memory_and_a_process_that_is_not_there_has_used_nothing() {
    assert!(resident_mib("self") > 0.1);
    assert_eq!(used(&[u32::MAX]), Duration::ZERO);
}
