use super::*;

#[test]
fn a_resource_is_followed_as_long_as_anybody_does() {
    let resources = Resources::default();
    let watch = resources.watch();
    assert_eq!(resources.add("a:1").unwrap(), 1);
    assert_eq!(resources.add("a:1").unwrap(), 1, "the set is the same");
    resources.remove("a:1");
    assert_eq!(resources.all(), (vec!["a:1".to_owned()], 1));
    resources.remove("a:1");
    resources.remove("a:1");
    assert_eq!(resources.all(), (Vec::new(), 2));
    assert_eq!(*watch.borrow(), 2);
}

#[test]
fn only_so_many_are_followed() {
    let resources = Resources::default();
    for number in 0..limits::RESOURCES_FOLLOWED_MAX {
        resources.add(&number.to_string()).unwrap();
    }
    assert!(resources.add("one more").is_err());
    assert!(resources.add("0").is_ok());
}
