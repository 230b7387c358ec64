//! Steps of people: groups, ways in, passkeys, and what they are shown.

use super::*;

const IDP: &str = "https://idp.example.org";

impl Step {
    pub(super) fn about_people(&self, ids: &Ids) -> Command {
        let groups = match self.b % 5 {
            0 => vec!["leads".to_owned()],
            1 => vec!["administrators".to_owned(), "leads".to_owned()],
            2 => vec!["administrators".to_owned(), "content-readers".to_owned()],
            3 => vec!["leads".to_owned(), "content-readers".to_owned()],
            _ => Vec::new(),
        };
        let person = self.person(ids, self.a);
        match self.kind {
            Kind::AddPerson => Command::AddPerson(AddPerson { name: format!("person-{}", self.a % 5), groups }),
            Kind::SetGroups => Command::SetPersonGroups { person, groups },
            Kind::RemovePerson => Command::RemovePerson { person },
            Kind::OfferSignIn => {
                // Often somebody who has a passkey: then it is a recovery.
                let person = newest(&ids.passkeys, self.a).filter(|_| self.a < 128).unwrap_or(person);
                Command::OfferSignIn { person, code: Self::code(self.b), ttl_seconds: u64::from(self.c) * 60 }
            }
            Kind::OpenSession => {
                Command::OpenSession(OpenSession { code: Self::code(self.b), token: self.session_token() })
            }
            _ => Command::EndSession { session: self.session(ids) },
        }
    }

    fn session_token(&self) -> Digest {
        Digest::from_bytes([self.c; 32])
    }

    fn session(&self, ids: &Ids) -> SessionId {
        newest(&ids.sessions, self.a).map_or_else(never, |(session, _)| session)
    }

    /// A passkey of `person`, mostly with a count that goes on; half of the passkeys count, and half give none.
    fn passkey_use(&self, world: &World, person: Option<PersonId>) -> PasskeyUse {
        let own = person.and_then(|person| {
            let own = world.state.passkeys_of(person);
            own.get(usize::from(self.b).checked_rem(own.len())?).map(|passkey| (**passkey).clone())
        });
        let Some(own) = own.filter(|_| self.c < 250) else {
            return PasskeyUse { credential: self.credential(), sign_count: 1 };
        };
        let counts = own.sign_count > 0 || self.c % 8 == 1;
        let sign_count = if self.c < 224 { own.sign_count + u32::from(counts) } else { u32::from(self.c % 4) };
        PasskeyUse { credential: own.credential.clone(), sign_count }
    }

    fn credential(&self) -> String {
        format!("passkey-{}", self.c % 16)
    }

    pub(super) fn about_passkeys(&self, world: &World, ids: &Ids) -> Command {
        let owner = newest(&ids.passkeys, self.a);
        match self.kind {
            Kind::EnrolPasskey => Command::EnrolPasskey(Box::new(EnrolPasskey {
                credential: self.credential(),
                key: json!({"kty": "EC", "x": self.credential()}),
                label: "laptop".to_owned(),
                sign_count: u32::from(self.c.is_multiple_of(4)),
                backed_up: false,
                rp_id: "remit.test".to_owned(),
                session: (self.b < 200).then(|| self.session(ids)),
            })),
            Kind::RemovePasskey => {
                Command::RemovePasskey { credential: self.passkey_use(world, owner).credential, reason: reason() }
            }
            Kind::OpenPasskeySession => Command::OpenPasskeySession(Box::new(OpenPasskeySession {
                shown: self.passkey_use(world, owner),
                token: self.session_token(),
            })),
            Kind::OpenForeignSession => Command::OpenForeignSession(Box::new(OpenForeignSession {
                issuer: IDP.to_owned(),
                subject: format!("somebody-{}", self.b % 6),
                token: self.session_token(),
            })),
            Kind::RaiseSession => {
                let person = newest(&ids.sessions, self.a).map(|(_, person)| person);
                Command::RaiseSession { session: self.session(ids), shown: self.passkey_use(world, person) }
            }
            Kind::ShowApproval => {
                let approval = newest(&ids.approvals, self.a).map_or_else(never, |(approval, _)| approval);
                let shown = ContentRef { commitment: Digest::from_bytes([self.c % 2; 32]), bytes: 7 };
                Command::ShowApproval(ShowApproval { approval, shown })
            }
            _ => {
                // Sometimes somebody else's.
                let task = self.task(ids);
                let own = world.state.tasks.get(&task).map(|task| task.agent).filter(|_| !self.c.is_multiple_of(8));
                let agent = own.unwrap_or_else(|| self.agent(ids));
                Command::ReadContent { agent, task, content: digest("content"), reason: reason() }
            }
        }
    }

    /// The same yes, mostly signed where its person can sign, over what they were shown last.
    pub(super) fn signed(&self, world: &World, ids: &Ids, plain: Approve) -> Approve {
        let Actor::Person { person, .. } = self.actor(ids) else { return plain };
        let approval = world.state.approval(plain.approval).ok();
        let seen = approval.and_then(|approval| approval.seen.get(&person)).map(|seen| seen.shown);
        if !world.state.has_passkey(person) || self.c > 240 {
            return Approve { shown: seen.filter(|_| self.c < 236), ..plain };
        }
        let PasskeyUse { credential, sign_count } = self.passkey_use(world, Some(person));
        let part = || "c3RlcA".to_owned();
        let signed =
            Signed { credential, authenticator_data: part(), client_data: part(), signature: part(), sign_count };
        Approve { shown: seen.filter(|_| self.c < 236), signed: Some(signed), ..plain }
    }

    pub(super) fn absence(&self, person: PersonId, ids: &Ids) -> Edit {
        let (deputy, from) = (self.person(ids, self.c), BEGINNING);
        let until = from.plus_seconds(u64::from(self.a % 30) * DAY);
        Edit::Absence { person, absence: Some(Absence { deputy, from, until }).filter(|_| self.b < 240) }
    }
}
