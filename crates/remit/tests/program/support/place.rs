//! A place of its own for a Remit: directory, configuration, anchors, addresses. And the process that runs there.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{Control, PATIENCE, until};

const GATEWAY_PORT: u16 = 7480;
const CONTROL_PORT: u16 = 7470;
/// How much of the log a failing test shows, in bytes.
const LOG_BYTES_SHOWN: usize = 4_000;

static PLACES: AtomicU32 = AtomicU32::new(1);

/// A directory in which the program runs, stops and runs again at the same addresses.
#[derive(Debug)]
pub struct Place {
    root: TempDir,
    data: PathBuf,
    address: Ipv4Addr,
}

impl Place {
    /// A new place. `settings` are lines of `remit.toml` besides the addresses, as `section.key = value`.
    pub fn new(settings: &str) -> Self {
        let root = tempfile::Builder::new().prefix("remit-").tempdir().expect("no directory for a test");
        let place = Self { data: root.path().join("data"), address: own_address(), root };
        fs::create_dir_all(place.anchors()).expect("the directory for anchors cannot be made");
        fs::write(place.configuration(), place.listeners() + settings).expect("remit.toml cannot be written");
        place
    }

    /// The same with its data directory elsewhere, such as on another volume.
    pub fn with_data(mut self, data: PathBuf) -> Self {
        self.data = data;
        self
    }

    /// Another place for the same data directory: same anchors, other addresses.
    pub fn beside(&self) -> Self {
        let other = Self::new("").with_data(self.data.clone());
        fs::write(other.configuration(), other.listeners() + &format!("ledger.anchors = {:?}\n", self.anchors()))
            .expect("remit.toml");
        other
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn segments(&self) -> PathBuf {
        self.data.join("segments")
    }

    /// The segment that is being written.
    pub fn current_segment(&self) -> PathBuf {
        let files = fs::read_dir(self.segments()).expect("no segments").map(|file| file.expect("segments").path());
        let segments = files.filter(|path| path.extension() == Some(OsStr::new("seg")));
        segments.max().expect("there is no segment yet")
    }

    pub fn anchors(&self) -> PathBuf {
        self.state_home().join("remit/anchors")
    }

    /// Where agents call.
    pub fn gateway(&self) -> SocketAddr {
        SocketAddr::from((self.address, GATEWAY_PORT))
    }

    /// Where people and scripts ask.
    pub fn control_address(&self) -> SocketAddr {
        SocketAddr::from((self.address, CONTROL_PORT))
    }

    /// An address of this place, for a listener that is off by default.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::from((self.address, port))
    }

    /// Adds lines of `remit.toml`, which may begin tables.
    pub fn configure(&self, settings: &str) {
        let configuration = fs::read_to_string(self.configuration()).expect("remit.toml cannot be read");
        fs::write(self.configuration(), configuration + settings).expect("remit.toml cannot be written");
    }

    /// The control plane, as this user of the operating system.
    pub fn control(&self) -> Control {
        Control::on(self.data.join("control.sock"))
    }

    fn state_home(&self) -> PathBuf {
        self.root.path().join("state")
    }

    fn configuration(&self) -> PathBuf {
        self.root.path().join("remit.toml")
    }

    fn log(&self) -> PathBuf {
        self.root.path().join("remit.log")
    }

    fn listeners(&self) -> String {
        let Self { address, .. } = self;
        // One name for the host is enough: what is tested here is not who may call by which name.
        format!(
            "gateway.listen = \"{address}:{GATEWAY_PORT}\"\ngateway.hosts = [\"{address}\"]\ncontrol.listen = \"{address}:{CONTROL_PORT}\"\n"
        )
    }

    /// The program with `arguments`, for this place's data directory.
    pub fn remit<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Command {
        self.launch(Command::new(env!("CARGO_BIN_EXE_remit")), arguments)
    }

    fn launch<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, mut command: Command, arguments: I) -> Command {
        command.env_clear().envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command.env("HOME", self.root()).env("XDG_STATE_HOME", self.state_home());
        command.env("REMIT_DATA", &self.data).env("REMIT_LOG", "info");
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// What ends by itself, run to its end.
    pub async fn ask<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, arguments: I) -> Exit {
        let ended =
            tokio::time::timeout(PATIENCE, self.remit(arguments).output()).await.expect("the command does not end");
        let ended = ended.expect("the command cannot be run");
        Exit {
            status: ended.status,
            stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
        }
    }

    /// `remit up`, run to its end: for a directory that is to be refused.
    pub async fn up_refused(&self) -> Exit {
        self.ask([OsStr::new("up"), OsStr::new("--config"), self.configuration().as_os_str()]).await
    }

    /// Starts the server and waits until it is ready.
    pub async fn up(&self) -> Running<'_> {
        self.start(Command::new(env!("CARGO_BIN_EXE_remit"))).await
    }

    /// The same, run from another file.
    pub async fn up_from(&self, program: &Path) -> Running<'_> {
        self.start(Command::new(program)).await
    }

    /// The same under `fiu-run`, so that its system calls can be made to fail later.
    pub async fn up_breakable(&self) -> Running<'_> {
        let mut command = Command::new("fiu-run");
        command.arg("-x").arg("-f").arg(self.fault_control()).arg(env!("CARGO_BIN_EXE_remit"));
        self.start(command).await
    }

    fn fault_control(&self) -> PathBuf {
        self.root().join("fiu")
    }

    async fn start(&self, command: Command) -> Running<'_> {
        // A killed server leaves its addresses behind; what stands there from now on is of the new one.
        let addresses = self.data.join("addresses.json");
        drop(fs::remove_file(&addresses));
        let mut command =
            self.launch(command, [OsStr::new("up"), OsStr::new("--config"), self.configuration().as_os_str()]);
        let log = File::options().create(true).append(true).open(self.log()).expect("the log cannot be written");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("the program cannot be started");
        let mut running = Running { place: self, child };
        let control = self.control();
        until("the server is ready", async || {
            if let Some(status) = running.child.try_wait().expect("the server cannot be waited for") {
                panic!("the server ended with {status}: {}", self.shown_log());
            }
            if !addresses.exists() {
                return None;
            }
            control.get("/readyz").await.ok().filter(|ready| ready.status == 200)
        })
        .await;
        running
    }

    /// The end of what the server has said.
    pub fn shown_log(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(log.get(log.len().saturating_sub(LOG_BYTES_SHOWN)..).unwrap_or_default()).into_owned()
    }
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Exit {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Exit {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Its output, which has to be one JSON document, of a command that has to have succeeded.
    pub fn json(&self) -> serde_json::Value {
        assert!(self.status.success(), "it ended with {}: {}", self.status, self.stderr);
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("its output is no JSON: {error}\n{}", self.stdout))
    }
}

/// A server that runs. Killed if it is let go.
#[derive(Debug)]
pub struct Running<'a> {
    place: &'a Place,
    child: Child,
}

impl Running<'_> {
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the server has ended")
    }

    /// Asks it to stop, and waits until it has: everything is finished and published.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait().await;
        assert!(status.success(), "the server ended with {status}: {}", self.place.shown_log());
    }

    /// Ends it at once, wherever it is.
    pub async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.wait().await;
    }

    /// Waits until it ends by itself.
    pub async fn ended(mut self) -> ExitStatus {
        self.wait().await
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a process id")).expect("a process id");
        kill_process(pid, signal).expect("the server cannot be signalled");
    }

    async fn wait(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("the server does not end: {}", self.place.shown_log()))
            .expect("the server cannot be waited for")
    }

    /// From now on `point` of the C library fails with `errno` in the server (started by [`Place::up_breakable`]).
    pub async fn breaks(&self, point: &str, errno: i32) {
        let order = format!("enable name={point},failinfo={errno}");
        let mut command = Command::new("fiu-ctrl");
        command.arg("-f").arg(self.place.fault_control()).arg("-c").arg(&order).arg(self.pid().to_string());
        let answered = tokio::time::timeout(PATIENCE, command.output())
            .await
            .expect("fiu-ctrl does not end")
            .expect("fiu-ctrl cannot be run");
        let said = String::from_utf8_lossy(&answered.stdout).into_owned() + &String::from_utf8_lossy(&answered.stderr);
        assert!(answered.status.success() && !said.contains("rror"), "`{order}` was not taken: {said}");
    }
}

/// An address of the loopback network that no other place has, so that the ports are free and stay ours over restarts.
fn own_address() -> Ipv4Addr {
    let place = PLACES.fetch_add(1, Ordering::Relaxed).to_le_bytes();
    let process = std::process::id().to_le_bytes();
    // 127.0.x.y and 127.x.y.0 are left to others.
    Ipv4Addr::new(127, (process[1] % 250) + 1, process[0], place[0].wrapping_add(1))
}
