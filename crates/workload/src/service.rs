//! The Workload API's methods.

use std::sync::Arc;

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use remit_domain::{AgentStatus, State};
use remit_identity::SpiffeId;
use remit_identity::jwt_svid::UnverifiedJwtSvid;
use serde_json::Map;
use tonic::{Request, Response, Status};

use crate::issue::Document;
use crate::limits;
use crate::peer::Peer;
use crate::proto::spiffe_workload_api_server::SpiffeWorkloadApi;
use crate::proto::{
    JwtBundlesRequest, JwtBundlesResponse, Jwtsvid, JwtsvidRequest, JwtsvidResponse, ValidateJwtsvidRequest,
    ValidateJwtsvidResponse, WitBundlesRequest, WitBundlesResponse, WitsvidRequest, WitsvidResponse,
    X509BundlesRequest, X509BundlesResponse, X509svidRequest, X509svidResponse,
};
use crate::shared::{Shared, nobody};
use crate::subjects::{self, JwtBundles, X509Bundles, X509Svids};
use crate::subscribe::{self, Answers};

/// What every request carries, so that no request was made by somebody who does not know whom they ask: a server that was led to
/// fetch an address cannot set it (SPIFFE Workload Endpoint, section 6).
const HEADER: &str = "workload.spiffe.io";

/// Answers the callers of one socket.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub shared: Arc<Shared>,
}

/// Refuses a request without the header that the standard demands, before anything else is looked at.
pub(crate) fn must_know_us(request: Request<()>) -> Result<Request<()>, Status> {
    let mut values = request.metadata().get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if value.as_bytes() == b"true" => Ok(request),
        _ => Err(Status::invalid_argument("the metadata `workload.spiffe.io: true` is missing")),
    }
}

#[tonic::async_trait]
impl SpiffeWorkloadApi for Service {
    type FetchX509SVIDStream = Answers<X509svidResponse>;
    type FetchX509BundlesStream = Answers<X509BundlesResponse>;
    type FetchJWTBundlesStream = Answers<JwtBundlesResponse>;
    type FetchWITSVIDStream = Answers<WitsvidResponse>;
    type FetchWITBundlesStream = Answers<WitBundlesResponse>;

    async fn fetch_x509svid(
        &self,
        request: Request<X509svidRequest>,
    ) -> Result<Response<Self::FetchX509SVIDStream>, Status> {
        subscribe::open(&self.shared, peer(&request)?, X509Svids).await
    }

    async fn fetch_x509_bundles(
        &self,
        request: Request<X509BundlesRequest>,
    ) -> Result<Response<Self::FetchX509BundlesStream>, Status> {
        subscribe::open(&self.shared, peer(&request)?, X509Bundles).await
    }

    async fn fetch_jwtsvid(&self, request: Request<JwtsvidRequest>) -> Result<Response<JwtsvidResponse>, Status> {
        let peer = peer(&request)?;
        let JwtsvidRequest { audience, spiffe_id } = request.into_inner();
        let [audience] = audience.as_slice() else {
            return Err(Status::invalid_argument(
                "name exactly one audience: a token for several can be passed on by each of them",
            ));
        };
        check_audience(audience)?;
        if !spiffe_id.is_empty() {
            SpiffeId::parse(&spiffe_id).map_err(|error| Status::invalid_argument(error.to_string()))?;
        }
        let seen = self.shared.see(&peer).await?;
        let mut svids = Vec::new();
        for identity in seen.identities.iter().filter(|own| spiffe_id.is_empty() || own.id == spiffe_id) {
            let issued = self.shared.issuer.jwt(&seen.attested, identity, audience).await?;
            let Document::Jwt(svid) = &issued.document else { return Err(nobody()) };
            svids.push(Jwtsvid { spiffe_id: identity.id.clone(), svid: svid.to_string(), hint: identity.hint.clone() });
        }
        if svids.is_empty() { Err(nobody()) } else { Ok(Response::new(JwtsvidResponse { svids })) }
    }

    async fn fetch_jwt_bundles(
        &self,
        request: Request<JwtBundlesRequest>,
    ) -> Result<Response<Self::FetchJWTBundlesStream>, Status> {
        subscribe::open(&self.shared, peer(&request)?, JwtBundles).await
    }

    async fn validate_jwtsvid(
        &self,
        request: Request<ValidateJwtsvidRequest>,
    ) -> Result<Response<ValidateJwtsvidResponse>, Status> {
        let peer = peer(&request)?;
        let ValidateJwtsvidRequest { audience, svid } = request.into_inner();
        check_audience(&audience)?;
        self.shared.see(&peer).await?;
        let invalid = |error: &dyn std::fmt::Display| Status::invalid_argument(error.to_string());
        let engine = &self.shared.engine;
        let unverified = UnverifiedJwtSvid::parse(&svid).map_err(|error| invalid(&error))?;
        let proved = unverified
            .verify(&subjects::bundle(engine)?, &audience, engine.now().as_seconds())
            .map_err(|error| invalid(&error))?;
        if !engine.read(|state| is_active(state, &proved.id)) {
            return Err(Status::invalid_argument("the identity of the JWT-SVID has been withdrawn"));
        }
        let claims = Some(structure(proved.claims.as_map()));
        Ok(Response::new(ValidateJwtsvidResponse { spiffe_id: proved.id.as_str().to_owned(), claims }))
    }

    async fn fetch_witsvid(&self, _: Request<WitsvidRequest>) -> Result<Response<Self::FetchWITSVIDStream>, Status> {
        Err(no_wit())
    }

    async fn fetch_wit_bundles(
        &self,
        _: Request<WitBundlesRequest>,
    ) -> Result<Response<Self::FetchWITBundlesStream>, Status> {
        Err(no_wit())
    }
}

fn no_wit() -> Status {
    Status::unimplemented("WIT-SVIDs are not issued here")
}

fn peer<T>(request: &Request<T>) -> Result<Peer, Status> {
    request.extensions().get::<Peer>().cloned().ok_or_else(nobody)
}

fn check_audience(audience: &str) -> Result<(), Status> {
    if (1..=limits::AUDIENCE_BYTES_MAX).contains(&audience.len()) {
        return Ok(());
    }
    Err(Status::invalid_argument(format!("an audience has from 1 to {} bytes", limits::AUDIENCE_BYTES_MAX)))
}

/// Whether the agent behind an identity of this realm is active, and its run alive. One of Remit's own doors always is.
fn is_active(state: &State, id: &SpiffeId) -> bool {
    let Some(name) = id.agent_name() else { return true };
    let Ok(agent) = state.agent_named(name.name) else { return false };
    let is_named = agent.profile.environment.is_some_and(|environment| environment.as_str() == name.environment);
    let runs = |run: &str| state.live_tasks_of(agent.id).any(|task| task.run.to_string() == run);
    agent.status == AgentStatus::Active && is_named && name.run.is_none_or(runs)
}

/// JSON as the API sends it. Claims were read with a bounded depth.
fn structure(members: &Map<String, serde_json::Value>) -> Struct {
    Struct { fields: members.iter().map(|(name, member)| (name.clone(), value(member))).collect() }
}

fn value(member: &serde_json::Value) -> Value {
    let kind = match member {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(truth) => Kind::BoolValue(*truth),
        serde_json::Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        serde_json::Value::String(text) => Kind::StringValue(text.clone()),
        serde_json::Value::Array(values) => Kind::ListValue(ListValue { values: values.iter().map(value).collect() }),
        serde_json::Value::Object(members) => Kind::StructValue(structure(members)),
    };
    Value { kind: Some(kind) }
}
