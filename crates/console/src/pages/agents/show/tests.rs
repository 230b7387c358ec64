use super::*;
use crate::world::{NOW, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_card_says_what_it_is_and_what_it_may_do_for_how_long() {
    let world = World::new().await;
    let state = world.engine.state();
    let agent = find(&state, "support-bot").unwrap();
    assert_eq!(find(&state, &agent.id.to_string()).unwrap().id, agent.id);
    assert_eq!(find(&state, "nobody-bot").unwrap_err().code, "not_found");
    let page = render(&state, agent, state.person_named("olga").unwrap().id, Some(&[]), NOW).into_string();
    for part in [
        "spiffe://remit.test/agent/support-bot/test",
        "olga",
        "maria",
        "act, autonomy A3",
        "D1, D2",
        "helpdesk/*",
        "30 days left",
        "refund the broken kettle &lt;b&gt;now&lt;/b&gt;",
        "0 of 100000",
        "alert('purpose')&lt;/script&gt;",
    ] {
        assert!(page.contains(part), "`{part}` is not on {page}");
    }
    let list = crate::pages::agents::list::render(&state, NOW).into_string();
    assert!(list.contains("support-bot") && list.contains("active"), "{list}");
}
