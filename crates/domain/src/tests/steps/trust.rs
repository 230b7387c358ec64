//! Steps of workloads, realm keys, legacy accounts, findings, signals and enforcement.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

const SPIRE: &str = "spiffe://build.example.org";
const IDP: &str = "https://idp.example.org";

impl Step {
    pub(super) fn about_trust(&self, world: &World, ids: &Ids) -> Command {
        let agent = self.agent(ids);
        match self.kind {
            Kind::BindWorkload => Command::BindWorkload { agent, workload: self.workload() },
            Kind::UnbindWorkload => Command::UnbindWorkload { agent, workload: self.workload() },
            Kind::ArriveWorkload => Command::ArriveWorkload {
                issuer: SPIRE.to_owned(),
                subject: self.subject(),
                evidence: "an X.509-SVID".to_owned(),
            },
            Kind::AttestLaunch => {
                let process = Process {
                    pid: i32::from(self.b % 4),
                    started_at_ticks: u64::from(self.c % 4),
                    exe_sha256: digest("python3"),
                    cgroup: String::new(),
                };
                Command::AttestLaunch { task: self.task(ids), process }
            }
            Kind::IssueSvid => {
                let task = (self.b < 160).then(|| self.task(ids));
                let own = task.and_then(|task| world.state.tasks.get(&task)).map(|task| task.agent);
                Command::IssueSvid(Box::new(IssueSvid {
                    agent: own.filter(|_| self.c < 224).unwrap_or(agent),
                    task,
                    kind: if self.c.is_multiple_of(2) { SvidKind::X509 } else { SvidKind::Jwt },
                    serial: self.d.to_string(),
                    audience: (self.c % 2 == 1).then(|| IDP.to_owned()).into_iter().collect(),
                    expires_at: world.now.plus_seconds(u64::from(self.d) * 20),
                    attested: Vec::new(),
                }))
            }
            Kind::StepKey => self.step_key(),
            _ => self.about_sharing(world, ids),
        }
    }

    fn workload(&self) -> WorkloadIdentity {
        match self.b % 4 {
            0 => WorkloadIdentity::Local { selectors: vec!["unix:path:/opt/support".to_owned()] },
            1 => {
                let uid = format!("unix:uid:{}", self.c % 3);
                WorkloadIdentity::Local { selectors: vec![uid, "unix:path:/opt/support".to_owned()] }
            }
            2 => WorkloadIdentity::Local { selectors: vec![format!("unix:uid:{}", self.c % 3)] },
            _ => WorkloadIdentity::Foreign { issuer: SPIRE.to_owned(), subject: self.subject() },
        }
    }

    fn subject(&self) -> String {
        format!("{SPIRE}/ci/{}", self.d % 4)
    }

    fn step_key(&self) -> Command {
        let steps = [KeyStep::Prepared, KeyStep::Active, KeyStep::Active, KeyStep::Retired, KeyStep::Revoked];
        let key = format!("key-{}", self.a % 12);
        Command::StepKey(Box::new(StepKey {
            purpose: if (self.a % 12).is_multiple_of(2) { KeyPurpose::Token } else { KeyPurpose::Ca },
            step: steps[usize::from(self.b) % steps.len()],
            public: if self.c < 224 { json!({"kty": "EC", "kid": key}) } else { json!(null) },
            key,
        }))
    }

    fn about_sharing(&self, world: &World, ids: &Ids) -> Command {
        // Mostly the one that may do so little that an account is identity enough.
        let intake = world.state.agent_named("intake").map(|agent| agent.id).ok().filter(|_| self.a < 192);
        let agent = intake.unwrap_or_else(|| self.agent(ids));
        match self.kind {
            Kind::OpenLegacyAccount => Command::OpenLegacyAccount(Box::new(OpenLegacyAccount {
                name: format!("account-{}", self.b % 2),
                secret: Digest::from_bytes([self.c % 3; 32]),
                workflows: BTreeMap::from([("intake".to_owned(), agent)]),
                header_key: self.d.is_multiple_of(2),
                due_at: world.now.plus_seconds(u64::from(self.d) * 900),
                reason: reason(),
            })),
            Kind::CloseLegacyAccount => {
                Command::CloseLegacyAccount { name: format!("account-{}", self.b % 2), reason: reason() }
            }
            Kind::StandIn => {
                let via = ["legacy:account-0", "legacy:account-1", VIA_X509_SVID, VIA_JWT_SVID];
                Command::StandIn { agent, via: via[usize::from(self.b) % via.len()].to_owned() }
            }
            Kind::ReportSharing => {
                let task = (self.b < 200).then(|| self.task(ids));
                let own = task.and_then(|task| world.state.tasks.get(&task)).map(|task| task.agent);
                Command::ReportSharing(Box::new(ReportSharing {
                    credential: Digest::from_bytes([self.c % 32; 32]),
                    kind: CredentialKind::Token,
                    agent: own.unwrap_or(agent),
                    task,
                    parties: vec!["one".to_owned(), "other".to_owned()],
                }))
            }
            Kind::CloseFinding => {
                Command::CloseFinding { finding: newest(&ids.findings, self.a).unwrap_or_else(never), note: reason() }
            }
            _ => self.about_signals(world, ids),
        }
    }

    fn about_signals(&self, world: &World, ids: &Ids) -> Command {
        let subject = format!("somebody-{}", self.b % 6);
        match self.kind {
            Kind::LinkPerson => {
                Command::LinkPerson { person: self.person(ids, self.a), issuer: IDP.to_owned(), subject }
            }
            Kind::ReceiveSignal => {
                let kinds = [SignalKind::SessionRevoked, SignalKind::AccountDisabled, SignalKind::AccountPurged];
                Command::ReceiveSignal(Box::new(ReceiveSignal {
                    transmitter: IDP.to_owned(),
                    kind: kinds[usize::from(self.c) % kinds.len()],
                    jti: (self.d % 64).to_string(),
                    issuer: IDP.to_owned(),
                    subject,
                }))
            }
            _ => Command::RecordEnforcement(Box::new(RecordEnforcement {
                agent: (self.b < 128).then(|| self.agent(ids)),
                cause: u64::from(self.c),
                point: "status-list".to_owned(),
                took_effect_at: world.now,
                ended: u64::from(self.d),
                remaining: Vec::new(),
            })),
        }
    }
}
