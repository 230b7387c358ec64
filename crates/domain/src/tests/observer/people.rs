//! What must never happen to passkeys, sessions and answers.

use std::collections::BTreeMap;

use super::*;

#[derive(Default)]
pub(super) struct People {
    /// Whose each passkey is, and what it counted last.
    passkeys: BTreeMap<String, (PersonId, u32)>,
    /// Codes that wait, and whether they are for a recovery.
    offers: BTreeMap<Digest, (PersonId, bool)>,
    sessions: BTreeMap<SessionId, PersonId>,
    absences: BTreeMap<PersonId, Absence>,
    /// What each person was shown last of each question.
    shown: BTreeMap<(ApprovalId, PersonId), Digest>,
    /// In whose place somebody answered.
    answered_for: BTreeSet<(ApprovalId, PersonId)>,
    /// Who has just replaced their passkeys, from which session nobody sees.
    recovered: Option<PersonId>,
}

impl People {
    fn has_passkey(&self, person: PersonId) -> bool {
        self.passkeys.values().any(|(owner, _)| *owner == person)
    }

    fn used(&mut self, person: PersonId, shown: &PasskeyUse) {
        let (owner, count) = self.passkeys.get_mut(&shown.credential).expect("an unknown passkey was used");
        assert_eq!(*owner, person, "somebody else's passkey was used");
        assert!(shown.sign_count > *count || (shown.sign_count, *count) == (0, 0), "a passkey counts backwards");
        *count = shown.sign_count;
    }
}

impl Observer {
    /// What the person who acted could not have brought about without showing their passkey.
    pub(crate) fn see_actor(&self, actor: &Actor, events: &[Event]) {
        let Actor::Person { person, method } = actor else { return };
        let fresh = matches!(method, SignInMethod::FreshPasskey | SignInMethod::LocalSocket);
        if fresh || !self.people.has_passkey(*person) {
            return;
        }
        let recovery = matches!(events.first(), Some(Event::PasskeyEnrolled(enrolled)) if enrolled.recovery);
        for event in events {
            let light = match event {
                // Asking, saying no, and leaving.
                Event::GrantRequested(_)
                | Event::GrantRequestDenied { .. }
                | Event::ApprovalShown(_)
                | Event::ApprovalDenied { .. }
                | Event::ChangeRejected { .. }
                | Event::SessionRaised { .. }
                | Event::SessionEnded { .. } => true,
                // What a secret or a process of its own stands for, whoever brings it.
                Event::SessionOpened(_) | Event::AgentKeyEnrolled { .. } | Event::LaunchAttested(_) => true,
                // Signed: see `signed`.
                Event::ApprovalVoted { vote, .. } => vote.signed.is_some(),
                Event::ApprovalGranted { .. } => true,
                Event::PasskeyEnrolled(_) | Event::PasskeyRemoved { .. } => recovery,
                _ => false,
            };
            assert!(light, "{method:?} was enough for {event:?}");
        }
    }

    pub(super) fn see_people(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::PasskeyEnrolled(enrolled) => {
                assert!(self.groups.contains_key(&enrolled.person), "a passkey of nobody");
                assert_ne!(enrolled.method, SignInMethod::LocalSocket, "a passkey without a browser");
                let first = !self.people.has_passkey(enrolled.person);
                let further = enrolled.method == SignInMethod::FreshPasskey || enrolled.recovery;
                assert!(first || further, "a further passkey without showing one");
                let own = (enrolled.person, enrolled.sign_count);
                assert!(self.people.passkeys.insert(enrolled.credential.clone(), own).is_none(), "enrolled twice");
                if enrolled.recovery {
                    self.people.recovered = Some(enrolled.person);
                }
            }
            Event::PasskeyRemoved { person, credential, by, .. } => {
                let removed = self.people.passkeys.remove(credential);
                assert_eq!(removed.map(|(owner, _)| owner), Some(*person), "a passkey is removed once");
                assert!(self.groups.contains_key(by));
            }
            Event::SignInOffered(offered) => {
                assert_eq!(offered.recovery, self.people.has_passkey(offered.person));
                self.people.offers.insert(offered.code, (offered.person, offered.recovery));
            }
            Event::SessionOpened(opened) => self.session_opened(opened),
            Event::SessionEnded { session } => {
                assert!(self.people.sessions.remove(session).is_some(), "a session ended twice");
            }
            Event::SessionRaised { session, person, shown } => {
                assert_eq!(self.people.sessions.get(session), Some(person), "somebody else's session was raised");
                self.people.used(*person, shown);
            }
            _ => self.see_offices(event, at),
        }
    }

    fn see_offices(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::AbsenceSet { person, absence: Some(absence), .. } => {
                assert!(absence.deputy != *person && self.groups.contains_key(&absence.deputy), "no deputy");
                assert!(absence.from < absence.until && at < absence.until, "an absence without a time");
                self.people.absences.insert(*person, absence.clone());
            }
            Event::AbsenceSet { person, absence: None, .. } => {
                self.people.absences.remove(person);
            }
            Event::ApprovalShown(shown) => {
                self.question(shown.approval, at);
                self.people.shown.insert((shown.approval, shown.person), shown.shown.commitment);
            }
            Event::ContentRead { by, reason, .. } => {
                let reads = self.groups[by].iter().any(|group| group == "content-readers");
                assert!(reads && !reason.is_empty(), "content was read without the right or a reason");
            }
            Event::PersonRemoved { person } => {
                self.people.passkeys.retain(|_, (owner, _)| owner != person);
                self.people.absences.remove(person);
            }
            _ => {}
        }
    }

    fn session_opened(&mut self, opened: &SessionOpened) {
        assert!(self.groups.contains_key(&opened.person), "a session of nobody");
        let ways = [opened.code.is_some(), opened.passkey.is_some(), opened.issuer.is_some()];
        assert_eq!(ways.iter().filter(|way| **way).count(), 1, "one way in");
        if let Some(code) = &opened.code {
            let (person, recovery) = self.people.offers.remove(code).expect("a code opened two sessions");
            assert_eq!((person, recovery), (opened.person, opened.recovery));
            assert!(recovery || !self.people.has_passkey(person), "a link opened a session of who has a passkey");
        }
        if let Some(shown) = &opened.passkey {
            self.people.used(opened.person, shown);
        }
        assert!(self.people.sessions.insert(opened.session, opened.person).is_none());
    }

    /// The roles of whoever is absent, if `deputy` may answer in their place.
    pub(super) fn deputised(
        &mut self,
        approval: ApprovalId,
        deputy: PersonId,
        absent: PersonId,
        agent: AgentId,
        at: Timestamp,
    ) -> Vec<String> {
        let absence = self.people.absences.get(&absent).expect("answered for somebody who is there");
        assert!(absence.deputy == deputy && absence.from <= at && at < absence.until, "not their deputy now");
        let question = &self.questions[&approval];
        let started = &self.tasks[&question.requested.facts.task].started;
        assert_ne!(started.started_by, Some(absent), "for who started the task");
        assert_ne!(question.requested.facts.acting_for, Some(absent), "for the person acted for");
        assert!(!question.yes.contains_key(&absent), "who is absent answered twice");
        assert!(self.people.answered_for.insert((approval, absent)), "two answered for one");
        self.roles(agent, absent)
    }

    /// Who has a passkey says yes with it, over what they were shown last.
    pub(super) fn signed(&mut self, approval: ApprovalId, vote: &Vote) {
        assert!(!self.people.answered_for.contains(&(approval, vote.person)), "answered beside their deputy");
        let Some(signed) = &vote.signed else {
            assert!(!self.people.has_passkey(vote.person), "a yes without a signature of who can sign");
            return;
        };
        let shown = self.people.shown.get(&(approval, vote.person));
        assert!(shown.is_some() && vote.shown.as_ref() == shown, "signed was something that was not shown");
        self.people.used(vote.person, &signed.shown());
    }

    pub(super) fn settle_people(&mut self, state: &State) {
        let by_state = state.passkeys.values().map(|own| (own.credential.clone(), (own.person, own.sign_count)));
        assert_eq!(by_state.collect::<BTreeMap<_, _>>(), self.people.passkeys);
        if let Some(person) = self.people.recovered.take() {
            assert_eq!(state.passkeys_of(person).len(), 1, "a recovery left an old passkey");
            let own: Vec<_> = state.sessions.values().filter(|session| session.person == person).collect();
            assert!(own.len() <= 1, "a recovery left an old session");
            assert!(own.iter().all(|session| !session.recovery), "a recovery can be repeated");
        }
    }
}
