use super::*;

fn server(name: &str, connector: &str) -> Server {
    Server { name: name.to_owned(), connector: connector.to_owned() }
}

#[test]
fn one_server_s_tools_have_their_own_names() {
    assert_eq!(place(&[server("desk-1", "desk")], "desk-1_echo"), Some(("desk", "desk-1_echo")));
}

#[test]
fn joined_tools_are_named_with_their_server_and_never_meant_for_two() {
    let servers = [server("desk", "desk"), server("desk_two", "two"), server("files", "files")];
    assert_eq!(place(&servers, "desk_echo"), Some(("desk", "echo")));
    assert_eq!(place(&servers, "files_read_file"), Some(("files", "read_file")));
    assert_eq!(place(&servers, "desk_two_echo"), None, "of `desk` or of `desk_two`");
    assert_eq!(place(&servers, "echo"), None);
}

#[test]
fn only_lists_are_looked_at() {
    assert_eq!(List::of("tools/list"), Some(List::Tools));
    assert_eq!(List::of("prompts/list"), Some(List::Feature(Governed::ListPrompts)));
    assert_eq!(List::of("tools/call"), None);
    assert_eq!(List::of("resources/read"), None);
}
