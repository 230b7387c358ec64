//! The Workload API on its socket, as clients meet it.

mod house;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use house::{House, code, soon};
use remit_domain::{Actor, Command, Event, WorkloadIdentity};
use remit_identity::ring::Purpose;
use remit_workload::proto::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use remit_workload::proto::{
    JwtBundlesRequest, JwtsvidRequest, ValidateJwtsvidRequest, WitBundlesRequest, WitsvidRequest, X509BundlesRequest,
    X509svidRequest,
};
use spiffe::{TrustDomain, WorkloadApiClient, X509Source};
use tonic::Code;

#[tokio::test]
async fn the_strictest_client_gets_what_it_needs() {
    let house = House::new().await;
    house.agent("triage").await;
    let client = WorkloadApiClient::connect_to(house.address()).await.unwrap();
    let context = client.fetch_x509_context().await.unwrap();
    let svid = context.default_svid().unwrap();
    assert_eq!(svid.spiffe_id().to_string(), "spiffe://remit.test/agent/triage/production");
    assert_eq!(svid.hint(), Some("triage"));
    let domain = TrustDomain::new("remit.test").unwrap();
    assert_eq!(context.bundle_set().get(&domain).unwrap().authorities().len(), 1);
    assert!(client.fetch_x509_bundles().await.unwrap().get(&domain).is_some());
    assert!(client.fetch_jwt_bundles().await.unwrap().get(&domain).is_some());

    let token = client.fetch_jwt_svid(["https://elsewhere.test"], None).await.unwrap();
    assert_eq!(token.spiffe_id(), svid.spiffe_id());
    assert_eq!(token.hint(), Some("triage"));
    let proved = client.validate_jwt_token("https://elsewhere.test", token.token()).await.unwrap();
    assert_eq!(proved.spiffe_id(), svid.spiffe_id());
    assert!(client.validate_jwt_token("https://other.test", token.token()).await.is_err());

    // Each was put on record before it was handed out, with what was seen of the process.
    let issued: Vec<_> = house
        .world
        .records()
        .await
        .into_iter()
        .filter_map(|record| match record.record.event {
            Event::SvidIssued(issued) => Some(*issued),
            _ => None,
        })
        .collect();
    assert!(!issued[0].attested.iter().any(|own| own.starts_with("unix:sha256:")), "nobody asked for the digest");
    assert_eq!(issued.len(), 2, "the same was asked for twice and made once: {issued:?}");
    assert!(issued[0].attested.contains(&house.selector()));
    assert_eq!(issued[1].audience, ["https://elsewhere.test"]);
}

#[tokio::test]
async fn requests_are_refused_as_the_standard_says() {
    let house = House::new().await;
    let mut bare = SpiffeWorkloadApiClient::new(house.channel().await);
    for value in [None, Some("True"), Some("1")] {
        let mut request = tonic::Request::new(X509svidRequest {});
        if let Some(value) = value {
            request.metadata_mut().insert("workload.spiffe.io", value.parse().unwrap());
        }
        assert_eq!(code(bare.fetch_x509svid(request).await), Code::InvalidArgument, "{value:?}");
    }
    assert_eq!(code(bare.fetch_witsvid(WitsvidRequest {}).await), Code::InvalidArgument);

    let mut client = house.client().await;
    assert_eq!(code(client.fetch_x509svid(X509svidRequest {}).await), Code::PermissionDenied);
    assert_eq!(code(client.fetch_x509_bundles(X509BundlesRequest {}).await), Code::PermissionDenied);
    assert_eq!(code(client.fetch_jwt_bundles(JwtBundlesRequest {}).await), Code::PermissionDenied);
    assert_eq!(code(client.fetch_witsvid(WitsvidRequest {}).await), Code::Unimplemented);
    assert_eq!(code(client.fetch_wit_bundles(WitBundlesRequest {}).await), Code::Unimplemented);
    let token = |audience: &[&str], id: &str| JwtsvidRequest {
        audience: audience.iter().map(|audience| (*audience).to_owned()).collect(),
        spiffe_id: id.to_owned(),
    };
    assert_eq!(code(client.fetch_jwtsvid(token(&["a"], "")).await), Code::PermissionDenied);

    house.agent("triage").await;
    for refused in [token(&[], ""), token(&[""], ""), token(&["a", "b"], ""), token(&["a"], "triage")] {
        assert_eq!(code(client.fetch_jwtsvid(refused).await), Code::InvalidArgument);
    }
    let other = token(&["a"], "spiffe://remit.test/agent/other/production");
    assert_eq!(code(client.fetch_jwtsvid(other).await), Code::PermissionDenied);
    let own = token(&["a"], "spiffe://remit.test/agent/triage/production");
    let svid = client.fetch_jwtsvid(own).await.unwrap().into_inner().svids.remove(0).svid;
    let validate =
        |audience: &str, svid: &str| ValidateJwtsvidRequest { audience: audience.to_owned(), svid: svid.to_owned() };
    assert_eq!(code(client.validate_jwtsvid(validate("a", "no token")).await), Code::InvalidArgument);
    assert_eq!(code(client.validate_jwtsvid(validate("", &svid)).await), Code::InvalidArgument);
    let answer = client.validate_jwtsvid(validate("a", &svid)).await.unwrap().into_inner();
    assert!(answer.claims.unwrap().fields.contains_key("exp"));
}

#[tokio::test]
async fn several_agents_in_one_process_are_told_apart() {
    let house = House::new().await;
    house.agent("writer").await;
    // Another set of selectors for the same process.
    let uid = rustix::process::geteuid().as_raw();
    house.agent_with("reader", vec![house.selector(), format!("unix:uid:{uid}")]).await;
    let mut client = house.client().await;
    let response = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner().next().await.unwrap().unwrap();
    let hints: Vec<&str> = response.svids.iter().map(|svid| svid.hint.as_str()).collect();
    assert_eq!(hints, ["reader", "writer"]);
}

#[tokio::test]
async fn who_is_suspended_loses_its_svids_at_once() {
    let house = House::new().await;
    let agent = house.agent("triage").await;
    let source = X509Source::builder().endpoint(house.address()).build().await.unwrap();
    assert!(source.svid().is_ok());
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    stream.next().await.unwrap().unwrap();

    let suspend = Command::SuspendAgent { agent, reason: "odd calls".to_owned() };
    let cause = house.world.submit(&house.world.root(), suspend).await.seq;
    let ended = soon(stream.next()).await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Code::PermissionDenied);
    soon(async {
        while source.svid().is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let enforced = soon(house.enforced(cause)).await;
    assert_eq!((enforced.point.as_str(), enforced.ended, enforced.agent), ("workload-api", 2, Some(agent)));
    let [remaining] = enforced.remaining.as_slice() else { panic!("{enforced:?}") };
    assert!(remaining.starts_with("certificates of spiffe://remit.test/agent/triage/production that were handed out"));
    assert_eq!(code(client.fetch_x509svid(X509svidRequest {}).await), Code::PermissionDenied);

    // Once it is resumed, it is itself again, with another certificate.
    house.world.submit(&house.world.root(), Command::ResumeAgent { agent }).await;
    client.fetch_x509svid(X509svidRequest {}).await.unwrap();
}

#[tokio::test]
async fn a_workload_that_is_taken_away_is_nobody() {
    let house = House::new().await;
    let (first, other) = (house.agent("first").await, house.agent("other").await);
    assert_ne!(first, other);
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let hints = |message: remit_workload::proto::X509svidResponse| -> Vec<String> {
        message.svids.into_iter().map(|svid| svid.hint).collect()
    };
    assert_eq!(hints(stream.next().await.unwrap().unwrap()), ["first", "other"]);
    let unbind = |agent, name: &str| Command::UnbindWorkload {
        agent,
        workload: WorkloadIdentity::Local { selectors: house.selectors_of(name) },
    };
    house.world.submit(&house.world.root(), unbind(other, "other")).await;
    assert_eq!(hints(soon(stream.next()).await.unwrap().unwrap()), ["first"]);
    house.world.submit(&house.world.root(), unbind(first, "first")).await;
    assert_eq!(soon(stream.next()).await.unwrap().unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn what_was_launched_for_a_run_is_that_run_and_nothing_else() {
    let house = House::new().await;
    house.agent("triage").await;
    let task = house.world.task("triage").await;
    let run = house.world.engine.read(|state| state.task(task).unwrap().run);
    let pid = i32::try_from(std::process::id()).unwrap();
    let process = remit_workload::observe(pid, house.world.engine.now()).unwrap();
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first.svids[0].spiffe_id, "spiffe://remit.test/agent/triage/production");

    let attest = Command::AttestLaunch { task, process };
    house.world.submit(&house.world.root(), attest).await;
    // What was connected before is of the process that it was before.
    assert_eq!(soon(stream.next()).await.unwrap().unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(code(client.fetch_x509svid(X509svidRequest {}).await), Code::PermissionDenied);
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let second = soon(stream.next()).await.unwrap().unwrap();
    let ids: Vec<&str> = second.svids.iter().map(|svid| svid.spiffe_id.as_str()).collect();
    assert_eq!(ids, [format!("spiffe://remit.test/agent/triage/production/run/{run}")]);

    // The agent as such is still described by the same selectors; whose run has ended is nobody all the same.
    let end = Command::EndTask { task, note: String::new() };
    let cause = house.world.submit(&house.world.root(), end).await.seq;
    assert_eq!(soon(stream.next()).await.unwrap().unwrap_err().code(), Code::PermissionDenied);
    let enforced = soon(house.enforced(cause)).await;
    assert_eq!(enforced.ended, 1);
    assert!(enforced.remaining[0].contains("/run/"), "{enforced:?}");
    assert_eq!(code(house.client().await.fetch_x509svid(X509svidRequest {}).await), Code::PermissionDenied);
}

#[tokio::test]
async fn an_agent_that_is_described_by_a_digest_is_found() {
    let house = House::new().await;
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let digest = format!("unix:sha256:{}", remit_domain::Digest::of_bytes(&program));
    house.agent_with("triage", vec![house.selector(), digest.clone()]).await;
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    assert_eq!(stream.next().await.unwrap().unwrap().svids[0].hint, "triage");
    let was_seen = house.world.records().await.into_iter().any(|record| match record.record.event {
        Event::SvidIssued(issued) => issued.attested.contains(&digest),
        _ => false,
    });
    assert!(was_seen);
}

#[tokio::test]
async fn what_a_restart_has_forgotten_is_said() {
    let mut world = remit_testkit::World::new().await;
    let agent = world.agent("triage", "root", |_| {}).await;
    world.advance(1);
    world.reopen().await;
    let house = House::of(world).await;
    house.world.advance(60);
    let suspend = |agent| Command::SuspendAgent { agent, reason: "odd calls".to_owned() };
    let cause = house.world.submit(&house.world.root(), suspend(agent)).await.seq;
    let until = house.world.engine.now().plus_seconds(3_600 - 60);
    let said = format!("documents handed out before the restart verify until at most {until} where Remit is not asked");
    assert_eq!(soon(house.enforced(cause)).await.remaining, [said]);
    // When all have ended by themselves there is nothing to say.
    house.world.submit(&house.world.root(), Command::ResumeAgent { agent }).await;
    house.world.advance(3_600);
    let later = house.world.submit(&house.world.root(), suspend(agent)).await.seq;
    let other = house.agent("other").await;
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    stream.next().await.unwrap().unwrap();
    let last = house.world.submit(&house.world.root(), suspend(other)).await.seq;
    soon(house.enforced(last)).await;
    let told = house.world.records().await.into_iter().any(|record| match record.record.event {
        Event::Enforced(enforced) => enforced.cause == later,
        _ => false,
    });
    assert!(!told);
}

#[tokio::test]
async fn an_svid_is_renewed_at_half_of_its_life() {
    let house = House::with_standing_clock().await;
    let agent = house.agent("triage").await;
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let first = stream.next().await.unwrap().unwrap();
    house.describe(agent).await;
    let early = tokio::time::timeout(Duration::from_millis(300), stream.next()).await;
    assert!(early.is_err(), "nothing new is sent while nothing has changed");
    house.world.advance(3_600 * 6 / 10 + 1);
    house.describe(agent).await;
    let second = soon(stream.next()).await.unwrap().unwrap();
    assert_eq!(first.svids[0].spiffe_id, second.svids[0].spiffe_id);
    assert_ne!(first.svids[0].x509_svid, second.svids[0].x509_svid);
    assert_ne!(first.svids[0].x509_svid_key, second.svids[0].x509_svid_key);
}

#[tokio::test]
async fn a_new_authority_reaches_the_streams() {
    let house = House::new().await;
    house.agent("triage").await;
    let mut client = house.client().await;
    let mut svids = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    let mut bundles = client.fetch_jwt_bundles(JwtBundlesRequest {}).await.unwrap().into_inner();
    let first = svids.next().await.unwrap().unwrap();
    let first_keys = bundles.next().await.unwrap().unwrap();
    let root: Actor = house.world.root();
    house.world.engine.rotate_keys(root.clone(), Purpose::Ca).await.unwrap();
    let mut second = soon(svids.next()).await.unwrap().unwrap();
    while second.svids[0].bundle == first.svids[0].bundle {
        second = soon(svids.next()).await.unwrap().unwrap();
    }
    assert_eq!(first.svids[0].x509_svid, second.svids[0].x509_svid, "what the former one signed is still good");
    house.world.engine.rotate_keys(root.clone(), Purpose::Token).await.unwrap();
    assert_ne!(soon(bundles.next()).await.unwrap().unwrap(), first_keys);

    let former = house.world.engine.state().realm_keys.iter().find_map(|(key, known)| {
        let retired = known.step == remit_domain::KeyStep::Retired && known.purpose == remit_domain::KeyPurpose::Ca;
        retired.then(|| key.clone())
    });
    house.world.engine.revoke_key(root, &former.unwrap()).await.unwrap();
    let mut third = soon(svids.next()).await.unwrap().unwrap();
    while third.svids[0].x509_svid == first.svids[0].x509_svid {
        third = soon(svids.next()).await.unwrap().unwrap();
    }
    assert_ne!(third.svids[0].bundle, second.svids[0].bundle);
}

#[tokio::test]
async fn the_socket_is_for_everybody_and_goes_with_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new().await;
    let mode = std::fs::metadata(house.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666);
    let settings = remit_workload::Settings::at(house.socket());
    let taken = remit_workload::Workloads::bind(house.world.engine.clone(), &settings).await.unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    house.agent("triage").await;
    let mut client = house.client().await;
    let mut stream = client.fetch_x509svid(X509svidRequest {}).await.unwrap().into_inner();
    stream.next().await.unwrap().unwrap();
    let socket = house.socket();
    house.stop().await;
    assert_eq!(soon(stream.next()).await.unwrap().unwrap_err().code(), Code::Unavailable);
    assert!(!socket.exists());
}

#[tokio::test]
async fn two_ends_that_know_only_the_socket_trust_each_other_and_nobody_else() {
    // A process has one provider of cryptography; another test may have named it already, the same.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let house = House::new().await;
    house.agent("triage").await;
    let source = || async { X509Source::builder().endpoint(house.address()).build().await.unwrap() };
    let own = "spiffe://remit.test/agent/triage/production";
    let server = spiffe_rustls::mtls_server(source().await).authorize(spiffe_rustls::authorizer::exact([own]).unwrap());
    let server = tokio_rustls::TlsAcceptor::from(Arc::new(server.build().unwrap()));
    for (expected, holds) in [(own, true), ("spiffe://remit.test/agent/other/production", false)] {
        let client = spiffe_rustls::mtls_client(source().await);
        let client = client.authorize(spiffe_rustls::authorizer::exact([expected]).unwrap()).build().unwrap();
        let client = tokio_rustls::TlsConnector::from(Arc::new(client));
        let (near, far) = tokio::io::duplex(1 << 16);
        let name = rustls::pki_types::ServerName::try_from("anything.test").unwrap();
        let (connected, accepted) = tokio::join!(client.connect(name, near), server.accept(far));
        assert_eq!(connected.is_ok(), holds, "{:?}", connected.err());
        assert_eq!(accepted.is_ok(), holds, "the certificate says who is there, not the name that was dialled");
    }
}
