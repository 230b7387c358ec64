use super::*;

#[test]
fn an_address_holds_what_was_chosen_and_nothing_of_it_can_leave_its_place() {
    let fields = [("text", " a&b=c#\u{e9} "), ("status", ""), ("after", "x/y\"")];
    assert_eq!(address("/agents", &fields), "/agents?text=a%26b%3Dc%23%C3%A9&after=x%2Fy%22");
    assert_eq!(address("/agents", &[("text", "  ")]), "/agents");
}

#[test]
fn a_form_keeps_what_was_typed_as_text() {
    let fields = text("text", "Name", "\"><script>", "a part of it");
    let page = form("/agents", "Which agents", "Filter", &fields).into_string();
    assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{page}");
    let chosen = select("status", "Status", "active", &[("", "any"), ("active", "active")]).into_string();
    assert!(chosen.contains("<option value=\"active\" selected>"), "{chosen}");
}
