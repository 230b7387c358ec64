use super::compare;

#[test]
fn the_first_line_that_differs_is_named() {
    let place = |expected, found| compare("schema/a.json", expected, found).map(|finding| finding.place);
    assert_eq!(place("{\n}\n", Some("{\n}\n")), None);
    assert_eq!(place("{\n}\n", Some("{\n]\n")), Some("schema/a.json:2".to_owned()));
    assert_eq!(place("{\n}\n", Some("{\n")), Some("schema/a.json:2".to_owned()));
    assert_eq!(place("{\n}\n", None), Some("schema/a.json".to_owned()));
}
