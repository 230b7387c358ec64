//! `remit demo`: the main job in one go, on the built program with a real client and a real server.
//!
//! Every step says what is expected and what happened; a difference ends it with a refusal. Nothing here has a power of its
//! own: people act through the control plane, the agent through the gateway.

mod agent;
mod estate;
mod evidence;
mod people;
mod step;
mod work;

use std::path::PathBuf;

use serde_json::json;

use crate::command::demo::DemoArgs;
use crate::command::{Failure, Global};
use crate::config::Config;
use crate::server::Server;
use step::Steps;

/// Set by a test to see that a broken step is noticed: the name of what to break.
const BREAK_VARIABLE: &str = "REMIT_DEMO_BREAK";

/// What a test may break, each a real difference in the world and none in what is expected of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The grant covers the tool that is to be denied.
    Boundary,
    /// The rule that asks a person is not activated.
    Approval,
    /// A byte of the ledger is flipped before it is verified.
    Ledger,
}

impl Broken {
    fn from_environment() -> Result<Self, Failure> {
        Ok(match std::env::var(BREAK_VARIABLE).as_deref() {
            Err(_) | Ok("") => Self::Nothing,
            Ok("boundary") => Self::Boundary,
            Ok("approval") => Self::Approval,
            Ok("ledger") => Self::Ledger,
            Ok(other) => {
                return Err(Failure::Usage(format!("`{BREAK_VARIABLE}={other}` names nothing that can be broken")));
            }
        })
    }
}

/// Runs the demo. With `--once` it ends when all is done; otherwise it keeps serving.
pub async fn demo(arguments: DemoArgs, global: &Global) -> Result<(), Failure> {
    let broken = Broken::from_environment()?;
    let directory = tempfile::Builder::new()
        .prefix("remit-demo-")
        .tempdir()
        .map_err(|error| Failure::file("make", &std::env::temp_dir(), &error))?;
    let data = directory.path().join("data");
    let mut steps = Steps::new(global.json);
    let server = Server::start(&config(directory.path().join("anchors")), &data).await?;
    let story = Story { server: &server, data: &data, broken };
    let told = story.tell(&mut steps).await;
    if told.is_ok() && !arguments.once && steps.all_as_expected() {
        keep_serving(&server, global.json).await?;
    }
    let stopped = match told {
        Ok(()) => {
            server.stop().await;
            evidence::at_rest(&mut steps, directory.path(), broken)
        }
        Err(failure) => {
            server.stop().await;
            Err(failure)
        }
    };
    steps.finish(stopped)
}

/// Free ports, and nothing outside the demo's own directory.
fn config(anchors: PathBuf) -> Config {
    let mut config = Config::default();
    config.gateway.listen.set_port(0);
    config.control.listen.set_port(0);
    config.ledger.anchors = Some(anchors);
    config.realm.administrator = Some("root".to_owned());
    config
}

async fn keep_serving(server: &Server, json: bool) -> Result<(), Failure> {
    let link = crate::up::sign_in_link(&server.engine, &server.addresses.control).await?;
    if json {
        println!("{}", json!({"serving": server.addresses, "sign_in": link}));
    } else {
        println!("\nstill serving; look around in the console, and stop with Ctrl-C");
        println!("  console   {}", remit_people::PeopleSettings::at(&server.addresses.control).console_url);
        println!("  sign in   {link}");
        println!("  agents    {}/mcp", server.addresses.gateway);
    }
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| Failure::fault(format!("cannot wait for Ctrl-C: {error}"), "use `--once`"))
}

/// Everything that the story happens in.
struct Story<'a> {
    server: &'a Server,
    data: &'a std::path::Path,
    broken: Broken,
}

impl Story<'_> {
    async fn tell(&self, steps: &mut Steps) -> Result<(), Failure> {
        let people = people::gather(self, steps).await?;
        let estate = estate::build(self, &people, steps).await?;
        let work = work::begin(&people, &estate, steps).await?;
        work::allowed_and_denied(&work, steps).await?;
        work::asked_and_approved(&work, &people, steps).await?;
        work::ended(&work, &people, steps).await?;
        evidence::export(self, &people, steps).await
    }
}
