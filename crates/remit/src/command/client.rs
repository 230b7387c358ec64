//! Talking to the control plane: by the data directory's socket, or by an address with a session.

use std::borrow::Borrow;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use remit_domain::{FieldProblem, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::UnixStream;

use super::address::{also, with_query};
use super::{Failure, Global, session_file};

#[cfg(test)]
mod tests;

/// The socket in the data directory.
const SOCKET: &str = "control.sock";
/// Largest answer that is read, in bytes: an evidence pack of 200,000 records stays below it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Longest line of a stream, in bytes: a record has at most 64 KiB.
const STREAM_LINE_BYTES_MAX: usize = 1024 * 1024;
const PAGE_ROWS: usize = 500;

/// A way to the control plane.
#[derive(Debug, Clone)]
pub struct Client {
    route: Route,
    /// The moment that readings are of, if it is not now.
    as_of: Option<String>,
}

#[derive(Clone)]
enum Route {
    Socket(PathBuf),
    Address { base: String, token: Option<String>, http: reqwest::Client },
}

impl std::fmt::Debug for Route {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(path) => write!(formatter, "Socket({})", path.display()),
            Self::Address { base, .. } => write!(formatter, "Address({base})"),
        }
    }
}

/// An answer as it comes in.
enum Answer {
    Socket(Incoming),
    Address(reqwest::Response),
}

impl Answer {
    /// The next piece, or nothing at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Address(response) => response.chunk().await.map_err(|error| broken(&error)),
            Self::Socket(body) => loop {
                match body.frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(broken(&error)),
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            },
        }
    }

    async fn whole(mut self) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            if whole.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(Failure::fault("the answer is too large", "ask for less"));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::fault(
        format!("the connection to Remit broke: {}", root_cause(error)),
        "`remit doctor` looks for the cause",
    )
}

impl Client {
    /// The way that `global` names: an address if one is given, else the data directory's socket, else the saved session.
    ///
    /// # Errors
    /// If there is none of these.
    pub fn open(global: &Global) -> Result<Self, Failure> {
        if let Some(url) = &global.url {
            return Self::at(url);
        }
        if Self::answers_at(&global.data) {
            return Ok(Self::socket(&global.data));
        }
        match session_file::load()? {
            Some(saved) => Self::at(&saved.url),
            None => Err(Failure::fault(
                format!("no server answers in `{}`", global.data.display()),
                "start one with `remit up`, name its directory with `--data DIR`, or sign in with `remit login`",
            )),
        }
    }

    /// Whether a server seems to run on the data directory `data`.
    pub fn answers_at(data: &Path) -> bool {
        data.join(SOCKET).exists()
    }

    /// By the socket in the data directory `data`: whoever this user of the operating system is there.
    pub fn socket(data: &Path) -> Self {
        Self { route: Route::Socket(data.join(SOCKET)), as_of: None }
    }

    /// The control plane at `url`, with this user's session there, if there is one.
    pub fn at(url: &str) -> Result<Self, Failure> {
        let base = base_of(url)?;
        let token = match std::env::var("REMIT_SESSION") {
            Ok(token) if !token.is_empty() => Some(token),
            // A session is never sent anywhere but where it began.
            _ => session_file::load()?.filter(|saved| saved.url == base).map(|saved| saved.token),
        };
        Self::signed_in(&base, token)
    }

    /// The control plane at `url`, with the session that `token` opens, or with none.
    pub fn signed_in(url: &str, token: Option<String>) -> Result<Self, Failure> {
        let base = base_of(url)?;
        // Another part of the program may have chosen already; it is the same choice.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|error| broken(&error))?;
        Ok(Self { route: Route::Address { base, token, http }, as_of: None })
    }

    /// The same, for readings as everything was at `at` (RFC 3339); as it is now if nothing is given.
    pub fn as_of(&self, at: Option<String>) -> Self {
        Self { as_of: at, ..self.clone() }
    }

    /// Where this leads, for people.
    pub fn place(&self) -> String {
        match &self.route {
            Route::Socket(path) => path.display().to_string(),
            Route::Address { base, .. } => base.clone(),
        }
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        match &self.as_of {
            None => self.ask(Method::GET, path, None).await,
            Some(at) => self.ask(Method::GET, &also(path, "as_of", at), None).await,
        }
    }

    pub async fn post(&self, path: &str, body: impl Borrow<Value>) -> Result<Value, Failure> {
        self.ask(Method::POST, path, Some(body.borrow())).await
    }

    pub async fn put(&self, path: &str, body: impl Borrow<Value>) -> Result<Value, Failure> {
        self.ask(Method::PUT, path, Some(body.borrow())).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::DELETE, path, None).await
    }

    /// Takes away what `body` describes, where an address alone does not say what is meant.
    pub async fn delete_with(&self, path: &str, body: impl Borrow<Value>) -> Result<Value, Failure> {
        self.ask(Method::DELETE, path, Some(body.borrow())).await
    }

    /// Whether it is by the socket: then the server knows which process asks.
    pub fn is_local(&self) -> bool {
        matches!(self.route, Route::Socket(_))
    }

    /// All pages of a list as one.
    pub async fn list(&self, path: &str, query: &[(&str, Option<String>)]) -> Result<Value, Failure> {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let mut pairs = query.to_vec();
            pairs.extend([("limit", Some(PAGE_ROWS.to_string())), ("after", after)]);
            let page: Page = serde_json::from_value(self.get(&with_query(path, &pairs)).await?).map_err(|error| {
                Failure::fault(format!("the list cannot be read: {error}"), "use the same version on both sides")
            })?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(json!({"items": items}));
            }
        }
    }

    /// Gives each event of a stream to `each`, until the stream ends.
    pub async fn follow(&self, path: &str, mut each: impl FnMut(&Value)) -> Result<(), Failure> {
        let (status, mut answer) = self.send(Method::GET, path, None).await?;
        if !status.is_success() {
            return Err(refusal_of(status, &answer.whole().await?));
        }
        let mut lines = Lines::default();
        while let Some(piece) = answer.piece().await? {
            lines.push(&piece)?.iter().for_each(&mut each);
        }
        Ok(())
    }

    /// Posts `body` and gives each line of JSON that is answered to `each`, as they come.
    pub async fn lines(&self, path: &str, body: Value, mut each: impl FnMut(&Value)) -> Result<(), Failure> {
        let (status, mut answer) = self.send(Method::POST, path, Some(&body)).await?;
        if !status.is_success() {
            return Err(refusal_of(status, &answer.whole().await?));
        }
        let mut waiting: Vec<u8> = Vec::new();
        while let Some(piece) = answer.piece().await? {
            let mut rest = piece.as_ref();
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let (line, after) = rest.split_at(end);
                waiting.extend_from_slice(line);
                each(&serde_json::from_slice(&waiting).map_err(|error| {
                    Failure::fault(
                        format!("a line of the answer is not JSON: {error}"),
                        "use the same version on both sides",
                    )
                })?);
                waiting.clear();
                rest = after.get(1..).unwrap_or_default();
            }
            waiting.extend_from_slice(rest);
            if waiting.len() > ANSWER_BYTES_MAX {
                return Err(Failure::fault("a line of the answer is too long", "ask for less"));
            }
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let (status, answer) = self.send(method, path, body).await?;
        let bytes = answer.whole().await?;
        if !status.is_success() {
            return Err(refusal_of(status, &bytes));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            Failure::fault(format!("the answer is not JSON: {error}"), "is this address Remit's control plane?")
        })
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<(StatusCode, Answer), Failure> {
        let body = body.map(ToString::to_string);
        match &self.route {
            Route::Socket(socket) => send_by_socket(socket, method, path, body).await,
            Route::Address { base, token, http } => {
                let mut request = http.request(method, format!("{base}{path}"));
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                if let Some(body) = body {
                    request = request.header(header::CONTENT_TYPE, "application/json").body(body);
                }
                let response = request.send().await.map_err(|error| unreachable(base, &error))?;
                Ok((response.status(), Answer::Address(response)))
            }
        }
    }
}

/// The innermost cause says what happened; what is around it repeats the address.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn unreachable(place: &str, error: &dyn std::error::Error) -> Failure {
    let sentence = format!("no server answers at `{place}`: {}", root_cause(error));
    Failure::fault(sentence, "start one with `remit up`, or correct `--data` or `--url`")
}

async fn send_by_socket(
    socket: &Path,
    method: Method,
    path: &str,
    body: Option<String>,
) -> Result<(StatusCode, Answer), Failure> {
    let stream =
        UnixStream::connect(socket).await.map_err(|error| unreachable(&socket.display().to_string(), &error))?;
    let opened = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = opened.map_err(|error| broken(&error))?;
    // It ends by itself when the answer has been read or dropped.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the control plane ended");
        }
    });
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
    if body.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(Full::new(Bytes::from(body.unwrap_or_default()))).map_err(|error| broken(&error))?;
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    Ok((response.status(), Answer::Socket(response.into_body())))
}

/// Server-sent events out of pieces. Each of ours is one line of data.
#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<u8>,
}

impl Lines {
    fn push(&mut self, piece: &Bytes) -> Result<Vec<Value>, Failure> {
        self.waiting.extend_from_slice(piece);
        let mut events = Vec::new();
        while let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.waiting.drain(..=end).collect();
            events.extend(line.strip_prefix(b"data:").and_then(|data| serde_json::from_slice::<Value>(data).ok()));
        }
        if self.waiting.len() > STREAM_LINE_BYTES_MAX {
            return Err(Failure::fault("a line of the stream is too long", "use the same version on both sides"));
        }
        Ok(events)
    }
}

/// `https://host:port`, without a path: what a session is kept for.
fn base_of(url: &str) -> Result<String, Failure> {
    let refused = || {
        Failure::Usage(format!("`{url}` is not the address of a control plane; write it like `http://127.0.0.1:7470`"))
    };
    let parsed = url::Url::parse(url).map_err(|_| refused())?;
    let plain =
        matches!(parsed.scheme(), "http" | "https") && parsed.username().is_empty() && parsed.password().is_none();
    let bare = matches!(parsed.path(), "" | "/") && parsed.query().is_none() && parsed.fragment().is_none();
    if !plain || !bare || parsed.host_str().is_none() {
        return Err(refused());
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default)]
    next: Option<String>,
}

/// A problem document (RFC 9457), as far as it is needed here.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    help: Option<String>,
    #[serde(default)]
    fields: Vec<FieldProblem>,
}

fn refusal_of(status: StatusCode, body: &[u8]) -> Failure {
    let refusal = match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => {
            Refusal { code: problem.code, sentence: problem.detail, help: problem.help, fields: problem.fields }
        }
        Err(_) => {
            return Failure::fault(
                format!("the answer was {status}, without a reason"),
                "is this address Remit's control plane?",
            );
        }
    };
    if status.is_server_error() { Failure::Fault(refusal) } else { Failure::Refused(refusal) }
}
