use super::autonomy;

#[test]
fn levels_are_read_with_and_without_their_letter() {
    assert_eq!((autonomy("A2"), autonomy("a4"), autonomy("1")), (Ok(2), Ok(4), Ok(1)));
    for text in ["A0", "5", "", "AA1", "high"] {
        assert!(autonomy(text).is_err(), "{text}");
    }
}
