use http::Uri;

use super::*;

#[test]
fn a_refused_form_leads_back_to_the_page_it_stood_on() {
    for (method, asked, page) in [
        (Method::POST, "/agents/support-bot/suspend", "/agents/support-bot"),
        (Method::POST, "/people", "/people"),
        (Method::POST, "/policies/propose?x=1", "/policies"),
        (Method::GET, "/keys?step=1", "/keys?step=1"),
    ] {
        assert_eq!(page_of(&method, &asked.parse::<Uri>().unwrap()), page);
    }
}
