use super::*;

fn branch(name: &str, is_live: bool, below: Vec<Branch>) -> Branch {
    Branch { words: html! { (name) }, is_live, is_here: name == "b", below }
}

#[test]
fn what_is_below_stands_in_the_list_of_what_is_above() {
    let root = branch("a", true, vec![branch("b", true, vec![branch("c", false, vec![])]), branch("d<", true, vec![])]);
    let expected = "<ul class=\"tree\" aria-label=\"Tasks\"><li class=\"live\"><div class=\"branch\">a</div><ul>\
        <li class=\"live\"><div class=\"branch here\">b</div><ul><li class=\"over\"><div class=\"branch\">c</div></li></ul></li>\
        <li class=\"live\"><div class=\"branch\">d&lt;</div></li></ul></li></ul>";
    assert_eq!(tree("Tasks", &root).into_string(), expected);
}
