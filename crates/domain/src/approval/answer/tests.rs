use serde_json::json;

use super::*;
use crate::tests::world::{World, by, digest, enrol, shown_passkey, signed_in, yes};
use crate::{Command, ContentRef, Event, SignInMethod, approval::ApprovalRequested, approval::ShowApproval};

/// ana, who has the passkey `one` and is asked for a refund of the agent that she owns.
fn asked() -> (World, PersonId, ApprovalRequested) {
    let mut world = World::with_support();
    let (ana, agent) = (world.named("ana"), world.support());
    world.passkey(ana, "one");
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/refund", json!({"id": 7, "amount": 40})).asked();
    (world, ana, asked)
}

fn show(asked: &ApprovalRequested, document: &str) -> Command {
    let shown = ContentRef { commitment: digest(document), bytes: document.len() as u64 };
    Command::ShowApproval(ShowApproval { approval: asked.approval, shown })
}

fn signature(credential: &str, sign_count: u32) -> Signed {
    Signed {
        credential: credential.to_owned(),
        authenticator_data: "YXV0aA".to_owned(),
        client_data: "Y2xpZW50".to_owned(),
        signature: "c2ln".to_owned(),
        sign_count,
    }
}

/// A yes to what `document` shows, signed with `credential`.
fn signed_yes(asked: &ApprovalRequested, document: &str, credential: &str) -> Approve {
    let plain = Approve::unsigned(asked.approval, asked.digest, String::new());
    Approve { shown: Some(digest(document)), signed: Some(signature(credential, 0)), ..plain }
}

/// The canonical text was written by hand and hashed by another program: what a signature is over may never change.
#[test]
fn the_challenge_is_fixed_for_ever() {
    let approval = "apr_01mcc63kj0e008002yxm022001".parse().unwrap();
    let person = "prs_01mcc5rm00e008002yxm006000".parse().unwrap();
    let (action, shown) = (Digest::from_bytes([0x0a; 32]), Digest::from_bytes([0x0b; 32]));
    let challenge = answer_challenge(approval, action, shown, person, "paid twice, see #7 „ok“");
    assert_eq!(challenge.to_string(), "f02f81d524bc1d4cf3498c5a719d81460b2d1c562e6e63a91373cd943f72dd1c");
}

#[test]
fn the_challenge_depends_on_all_that_is_answered() {
    let (world, ana, asked) = asked();
    let (bob, other) = (world.named("bob"), digest("other"));
    let challenge = answer_challenge(asked.approval, asked.digest, digest("page"), ana, "");
    let others = [
        answer_challenge(crate::Moment::new(world.now, 1).fresh_id(), asked.digest, digest("page"), ana, ""),
        answer_challenge(asked.approval, other, digest("page"), ana, ""),
        answer_challenge(asked.approval, asked.digest, other, ana, ""),
        answer_challenge(asked.approval, asked.digest, digest("page"), bob, ""),
        answer_challenge(asked.approval, asked.digest, digest("page"), ana, "a note"),
    ];
    assert!(others.iter().all(|other| *other != challenge));
}

#[test]
fn who_has_a_passkey_says_yes_with_it_only() {
    let (mut world, ana, asked) = asked();
    for method in [SignInMethod::OneTimeLink, SignInMethod::FreshPasskey, SignInMethod::LocalSocket] {
        assert_eq!(world.refused(&signed_in(ana, method), yes(&asked)), "signature_needed", "{method:?}");
    }
    let fresh = signed_in(ana, SignInMethod::FreshPasskey);
    world.must(&fresh, show(&asked, "the page"));
    let shown =
        Approve { shown: Some(digest("the page")), ..Approve::unsigned(asked.approval, asked.digest, String::new()) };
    assert_eq!(world.refused(&fresh, Command::Approve(shown)), "signature_needed");
    // The signature is what shows the person, however long ago they signed in.
    let events =
        world.must(&signed_in(ana, SignInMethod::Passkey), Command::Approve(signed_yes(&asked, "the page", "one")));
    let [Event::ApprovalVoted { vote, .. }, Event::ApprovalGranted { .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((vote.shown, vote.signed.as_ref()), (Some(digest("the page")), Some(&signature("one", 0))));
}

#[test]
fn saying_no_needs_no_passkey() {
    let (mut world, ana, asked) = asked();
    let deny = Command::Deny(crate::Deny { approval: asked.approval, note: "never paid".to_owned() });
    world.must(&signed_in(ana, SignInMethod::OneTimeLink), deny);
}

#[test]
fn a_signed_yes_is_to_what_was_shown_on_record() {
    let (mut world, ana, asked) = asked();
    let actor = signed_in(ana, SignInMethod::FreshPasskey);
    let answer = |document: &str| Command::Approve(signed_yes(&asked, document, "one"));
    assert_eq!(world.refused(&actor, answer("the page")), "approval_shown", "nothing was shown");
    world.must(&actor, show(&asked, "the page"));
    assert_eq!(world.refused(&actor, answer("another page")), "approval_shown");
    let silent = Approve { shown: None, ..signed_yes(&asked, "the page", "one") };
    assert_eq!(world.refused(&actor, Command::Approve(silent)), "approval_shown");
    // Shown to somebody else is not shown to her.
    world.must(&actor, show(&asked, "a newer page"));
    assert_eq!(world.refused(&actor, answer("the page")), "approval_shown", "she has seen something newer");
    world.must(&actor, answer("a newer page"));
}

#[test]
fn what_somebody_else_was_shown_is_not_what_one_answers() {
    let (mut world, ana, asked) = asked();
    let owner = signed_in(ana, SignInMethod::FreshPasskey);
    assert_eq!(world.refused(&by(world.named("bob")), show(&asked, "the page")), "not_an_approver");
    world.must(&owner, show(&asked, "the page"));
    let seen = &world.state.approval(asked.approval).unwrap().seen;
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [ana]);
    assert!(world.must(&owner, show(&asked, "the page")).is_empty(), "the same again is no event");
}

#[test]
fn a_yes_is_signed_with_ones_own_passkey_that_counts_on() {
    let (mut world, ana, asked) = asked();
    let bob = world.named("bob");
    world.passkey(bob, "bobs");
    let actor = signed_in(ana, SignInMethod::FreshPasskey);
    world.must(&actor, show(&asked, "the page"));
    let with = |credential: &str, count| {
        let signed = Some(signature(credential, count));
        Command::Approve(Approve { signed, ..signed_yes(&asked, "the page", credential) })
    };
    assert_eq!(world.refused(&actor, with("bobs", 0)), "passkey_unknown");
    assert_eq!(world.refused(&actor, with("none", 0)), "passkey_unknown");
    let session = world.session("one", 4, "token");
    for count in [0, 3, 4] {
        assert_eq!(world.refused(&actor, with("one", count)), "passkey_cloned", "{count}");
    }
    world.must(&actor, with("one", 5));
    let shown = shown_passkey("one", 5);
    assert_eq!(world.refused(&actor, Command::RaiseSession { session, shown }), "passkey_cloned", "the answer counted");
}

#[test]
fn a_removed_passkey_signs_nothing() {
    let (mut world, ana, asked) = asked();
    let actor = signed_in(ana, SignInMethod::FreshPasskey);
    world.must(&actor, enrol("two", None));
    world.must(&actor, show(&asked, "the page"));
    world.must(&actor, Command::RemovePasskey { credential: "one".to_owned(), reason: "lost".to_owned() });
    let answer = Command::Approve(signed_yes(&asked, "the page", "one"));
    assert_eq!(world.refused(&actor, answer), "passkey_unknown");
}

/// What waits for an answer about data of this class; bob and cleo are asked, who have no passkeys.
fn weighty(data: DataClass) -> (World, PersonId, ApprovalRequested) {
    let mut world = World::with_support();
    let profile = crate::AgentProfile {
        data_classes: vec![DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3],
        ..world.profile(world.named("ana"))
    };
    let agent = world.support();
    world.must(&by(world.root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    world.policy("leads", LEADS);
    let (agent, bob) = (world.support(), world.named("bob"));
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    world.classify("update", data);
    (world, bob, asked)
}

const LEADS: &str = "@id(\"leads\") @approvers(\"leads\") @within(\"1h\") \
                     forbid (principal, action == Action::\"helpdesk/update\", resource) \
                     unless { context has approval && context.approval.roles.contains(\"leads\") };";

/// A yes without a signature, to `document`.
fn looked_at(asked: &ApprovalRequested, document: &str) -> Command {
    let unsigned = Approve::unsigned(asked.approval, asked.digest, String::new());
    Command::Approve(Approve { shown: Some(digest(document)), ..unsigned })
}

#[test]
fn nobody_says_yes_faster_than_they_read() {
    for (data, seconds) in [(DataClass::D2, limits::DWELL_SECONDS_D2), (DataClass::D3, limits::DWELL_SECONDS_D3)] {
        let (mut world, bob, asked) = weighty(data);
        world.must(&by(bob), show(&asked, "the page"));
        let shown_at = world.now;
        world.now = shown_at.plus_seconds(seconds - 1);
        assert_eq!(world.refused(&by(bob), looked_at(&asked, "the page")), "too_soon", "{data:?}, since it was shown");
        world.must(&by(bob), show(&asked, "a newer page"));
        world.now = shown_at.plus_seconds(2 * seconds - 2);
        assert_eq!(world.refused(&by(bob), looked_at(&asked, "a newer page")), "too_soon", "{data:?}, shown anew");
        world.now = shown_at.plus_seconds(2 * seconds - 1);
        world.must(&by(bob), looked_at(&asked, "a newer page"));
    }
    let (mut world, bob, asked) = weighty(DataClass::D1);
    world.must(&by(bob), yes(&asked));
}

#[test]
fn nobody_says_yes_to_what_they_never_looked_at_however_long_it_has_waited() {
    for data in [DataClass::D2, DataClass::D3] {
        let (mut world, bob, asked) = weighty(data);
        world.now = world.now.plus_seconds(600);
        assert_eq!(world.refused(&by(bob), yes(&asked)), "approval_shown", "{data:?}, never shown");
        assert_eq!(world.refused(&by(bob), looked_at(&asked, "the page")), "approval_shown", "{data:?}, made up");
        world.must(&by(world.named("cleo")), show(&asked, "the page"));
        assert_eq!(world.refused(&by(bob), looked_at(&asked, "the page")), "approval_shown", "{data:?}, to another");
        world.must(&by(bob), show(&asked, "the page"));
        world.now = world.now.plus_seconds(limits::DWELL_SECONDS_D3);
        assert_eq!(world.refused(&by(bob), yes(&asked)), "approval_shown", "{data:?}, and does not say what");
        world.must(&by(bob), looked_at(&asked, "the page"));
    }
}

#[test]
fn nobody_says_yes_to_more_than_they_can_read_in_an_hour() {
    let (mut world, bob, first) = weighty(DataClass::D2);
    world.look_and_answer(bob, &first);
    let beginning = world.now;
    let ask = |world: &mut World, id: usize| {
        let agent = world.support();
        let task = world.task(agent);
        world.call(task, "helpdesk/update", json!({"id": 100 + id})).asked()
    };
    for id in 1..limits::ANSWERS_PER_HOUR_MAX {
        let asked = ask(&mut world, id);
        world.look_and_answer(bob, &asked);
    }
    let asked = ask(&mut world, 99);
    // Said before anything is asked of them: looking or signing would not change it.
    assert_eq!(world.refused(&by(bob), yes(&asked)), "too_many_answers");
    let cleo = world.named("cleo");
    world.clone().look_and_answer(cleo, &asked);
    world.must(&by(bob), Command::Deny(crate::Deny { approval: asked.approval, note: String::new() }));
    world.now = beginning.plus_seconds(3_600 - 60);
    let asked = ask(&mut world, 98);
    world.must(&by(bob), show(&asked, "the page"));
    world.now = beginning.plus_seconds(3_600 - 1);
    assert_eq!(world.refused(&by(bob), looked_at(&asked, "the page")), "too_many_answers");
    world.now = beginning.plus_seconds(3_600);
    world.must(&by(bob), looked_at(&asked, "the page"));
}

#[test]
fn light_answers_use_up_nothing_of_what_is_for_the_weighty_ones() {
    let (mut world, bob, first) = weighty(DataClass::D1);
    world.must(&by(bob), yes(&first));
    for id in 0..=limits::ANSWERS_PER_HOUR_MAX {
        let agent = world.support();
        let task = world.task(agent);
        let asked = world.call(task, "helpdesk/update", json!({"id": 100 + id})).asked();
        world.must(&by(bob), yes(&asked));
    }
    world.classify("update", DataClass::D2);
    let agent = world.support();
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/update", json!({"id": 999})).asked();
    world.look_and_answer(bob, &asked);
}
