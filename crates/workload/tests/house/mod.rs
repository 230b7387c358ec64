//! A realm with its Workload API, and clients for it. What goes wrong here ends the test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a house that cannot be set up has failed its test")]

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use remit_domain::{AgentId, Command, Enforced, Event, WorkloadIdentity};
use remit_engine::SystemClock;
use remit_testkit::World;
use remit_workload::proto::spiffe_workload_api_client::SpiffeWorkloadApiClient;
use remit_workload::{Settings, Workloads};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

/// How long what happens at once may take on a busy machine.
const SOON: Duration = Duration::from_secs(20);

type Client = SpiffeWorkloadApiClient<InterceptedService<Channel, fn(Request<()>) -> Result<Request<()>, Status>>>;

pub struct House {
    pub world: World,
    serving: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl House {
    pub async fn new() -> Self {
        Self::of(World::with(|options| options.clock = Arc::new(SystemClock)).await).await
    }

    pub async fn with_standing_clock() -> Self {
        Self::of(World::new().await).await
    }

    pub async fn of(world: World) -> Self {
        let settings = Settings::at(world.anchors().with_file_name("workload.sock"));
        let workloads = Workloads::bind(world.engine.clone(), &settings).await.unwrap();
        world.engine.carry_out(Arc::new(workloads.enforcement()));
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(workloads.serve(async move { drop(stopped.await) }));
        Self { world, serving, stop }
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        soon(self.serving).await.unwrap();
    }

    pub fn socket(&self) -> PathBuf {
        self.world.anchors().with_file_name("workload.sock")
    }

    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// What describes this process.
    pub fn selector(&self) -> String {
        format!("unix:path:{}", std::env::current_exe().unwrap().display())
    }

    /// What describes this process as the agent `name`. A set of selectors is one agent's, so `other` has one more.
    pub fn selectors_of(&self, name: &str) -> Vec<String> {
        let group = format!("unix:gid:{}", rustix::process::getegid().as_raw());
        let mut selectors = vec![self.selector()];
        selectors.extend((name == "other").then_some(group));
        selectors
    }

    /// An agent that this process is.
    pub async fn agent(&self, name: &str) -> AgentId {
        self.agent_with(name, self.selectors_of(name)).await
    }

    pub async fn agent_with(&self, name: &str, selectors: Vec<String>) -> AgentId {
        let agent = self.world.agent(name, "root", |_| {}).await;
        let bind = Command::BindWorkload { agent, workload: WorkloadIdentity::Local { selectors } };
        self.world.submit(&self.world.root(), bind).await;
        agent
    }

    /// Records the agent's description as it is.
    pub async fn describe(&self, agent: AgentId) {
        let profile = self.world.engine.read(|state| state.agent(agent).unwrap().profile.clone());
        let describe = Command::DescribeAgent { agent, profile: Box::new(profile) };
        self.world.submit(&self.world.root(), describe).await;
    }

    pub async fn channel(&self) -> Channel {
        let socket = self.socket();
        let connect = tower::service_fn(move |_| {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).await.map(TokioIo::new) }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(connect).await.unwrap()
    }

    /// A client that knows whom it asks.
    pub async fn client(&self) -> Client {
        let knows: fn(Request<()>) -> Result<Request<()>, Status> = |mut request| {
            request.metadata_mut().insert("workload.spiffe.io", "true".parse().unwrap());
            Ok(request)
        };
        SpiffeWorkloadApiClient::with_interceptor(self.channel().await, knows)
    }

    /// What was reported about `cause`.
    pub async fn enforced(&self, cause: u64) -> Enforced {
        let mut records = self.world.engine.watch(cause);
        while let Some(record) = records.next().await {
            if let Event::Enforced(enforced) = &record.record.event
                && enforced.cause == cause
            {
                return (**enforced).clone();
            }
        }
        panic!("the ledger has ended");
    }
}

pub fn code<T>(answer: Result<Response<T>, Status>) -> Code {
    answer.err().map_or(Code::Ok, |status| status.code())
}

pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap()
}
