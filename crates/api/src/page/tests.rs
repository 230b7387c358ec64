use serde_json::json;

use super::{PageQuery, page};

fn rows() -> Vec<(String, u32)> {
    ["c", "a", "b"].into_iter().zip(1..).map(|(key, row)| (key.to_owned(), row)).collect()
}

#[test]
fn pages_follow_each_other_without_gap() {
    let first = page(rows(), &PageQuery { limit: Some("2".to_owned()), after: None }, |row| json!(row)).unwrap().0;
    assert_eq!(first, json!({"items": [2, 3], "next": "b"}));
    let second =
        page(rows(), &PageQuery { limit: Some("2".to_owned()), after: Some("b".to_owned()) }, |row| json!(row))
            .unwrap()
            .0;
    assert_eq!(second, json!({"items": [1], "next": null}));
}

#[test]
fn the_size_of_a_page_is_bounded() {
    for limit in ["0", "501", "many", "-1", ""] {
        let problem =
            page(rows(), &PageQuery { limit: Some(limit.to_owned()), after: None }, |row| json!(row)).unwrap_err();
        assert_eq!(problem.status().as_u16(), 422);
    }
}
