use super::check_index;

#[test]
fn the_names_that_tiles_have_are_served() {
    for (index, whole) in
        [("000", true), ("067", true), ("x001/067", true), ("x001/x234/067", true), ("x001/067.p/12", false)]
    {
        assert_eq!(check_index(index), Some(whole), "{index}");
    }
}

#[test]
fn every_other_path_leads_nowhere() {
    let hostile = [
        "",
        "0",
        "00",
        "0000",
        "1/2",
        "..",
        "../..",
        "../../control.sock",
        "x000/001",
        "001/002",
        "x01/067",
        "067.p/0",
        "067.p/256",
        "067.p/012",
        "067.p/",
        "067.p/1/2",
        "067.p",
        "x001/../067",
        "%2e%2e",
        "0a7",
        "٠٠٠",
        "/etc/passwd",
        "x001/x001/x001/x001/x001/x001/x001/001",
    ];
    for index in hostile {
        assert_eq!(check_index(index), None, "{index}");
    }
}
