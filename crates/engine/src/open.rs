//! Opening a data directory: keys, log, state, threads.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;
use remit_domain::{Actor, Command, CreateRealm, PolicyEdit, Realm, State};
use remit_identity::{Kek, KeyRing};
use remit_ledger::NoteKey;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, broadcast, mpsc, watch};

use crate::as_of::{Past, Standing};
use crate::clock::{Clock, Moments, SystemClock, random};
use crate::committer::{Batch, Committer, Published};
use crate::engine::{Engine, Inner};
use crate::error::{OpenError, SubmitError};
use crate::followers::{self, Follow};
use crate::indexer::Indexer;
use crate::keys::{self, KeySource};
use crate::outbox::{self, Effect, EraseContent};
use crate::publisher::Publisher;
use crate::realm_keys;
use crate::recovery::{self, Anchor, Folded, Source};
use crate::rehearsal::Rehearsals;
use crate::replay::REPLAYS_MAX;
use crate::sequencer::{Job, Position, QUEUE_COMMANDS_MAX, Sequencer};
use crate::shadow::Shadows;
use crate::sharing::Sharing;
use crate::snapshots::{Image, Snapshots};
use crate::store::content::ContentStore;
use crate::store::index::IndexStore;
use crate::store::snapshot::SnapshotDirectory;
use crate::store::{DataLock, LogReader, SEGMENT_BYTES, anchor};
use crate::timers;
use crate::vault::Vault;

/// Batches that the live side of a stream holds for a slow reader before it has to read from disk.
const LIVE_BATCHES: usize = 64;
/// Entries after which a snapshot is kept, unless configured.
pub const SNAPSHOT_ENTRIES: u64 = 100_000;

/// How a realm begins, for a directory that has none yet.
#[derive(Debug, Clone)]
pub struct Setup {
    pub trust_domain: String,
    pub issuer: String,
    pub administrator: String,
    pub administrator_uid: Option<u32>,
    /// The starter policies: name and text.
    pub policies: Vec<(String, String)>,
}

/// How to open a data directory.
#[derive(Debug, Clone)]
pub struct Options {
    pub data: PathBuf,
    pub keys: KeySource,
    /// Directory, outside the data directory, in which the last checkpoint is kept. Nothing: no rollback is noticed.
    pub anchors: Option<PathBuf>,
    /// Audience of task tokens.
    pub audience: String,
    /// Whether people who were let in by a one-time link enrol a passkey before they do anything grave.
    pub passkeys_required: bool,
    pub segment_bytes: u64,
    pub snapshot_entries: u64,
    pub clock: Arc<dyn Clock>,
    pub setup: Setup,
}

impl Options {
    /// The defaults for `data`: keys beside it in `kek`, no anchor.
    pub fn new(data: impl Into<PathBuf>, setup: Setup) -> Self {
        let data = data.into();
        Self {
            keys: KeySource::File(data.join("kek")),
            anchors: None,
            audience: "http://127.0.0.1:7480/mcp".to_owned(),
            passkeys_required: false,
            segment_bytes: SEGMENT_BYTES,
            snapshot_entries: SNAPSHOT_ENTRIES,
            clock: Arc::new(SystemClock),
            setup,
            data,
        }
    }
}

/// What is known of a directory before its log is read; checked against the log's first entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plate {
    /// Names the realm in segment files, and its anchor.
    pub realm: String,
    /// The log's name in checkpoints.
    pub origin: String,
    /// The log's public key, in signed-note form.
    pub log_key: String,
}

pub(crate) const PLATE: &str = "realm.json";

impl Plate {
    pub(crate) fn read(data: &Path) -> Result<Option<Self>, OpenError> {
        let path = data.join(PLATE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| OpenError::Layout(format!("`{}`: {error}", path.display()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::Layout(format!("`{}`: {error}", path.display()))),
        }
    }

    pub(crate) fn anchor(&self, anchors: &Path) -> PathBuf {
        anchors.join(format!("{}.checkpoint", self.realm))
    }
}

impl Engine {
    /// Opens `options.data`, beginning a realm there if it has none, and recovers what was under way when it was left.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; nothing is changed in a directory that is refused.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let opened = tokio::task::spawn_blocking(move || open(&options));
        let (engine, setup) = opened.await.map_err(|error| OpenError::Layout(error.to_string()))??;
        engine.begin(setup).await.map_err(|error| OpenError::Setup(error.refusal().clone()))?;
        tokio::spawn(timers::run(engine.clone()));
        engine.carry_out(Arc::new(EraseContent { engine: engine.clone() }));
        Ok(engine)
    }

    /// Has `effect` carried out for every record that concerns it, from where it left off; a new one, for every record
    /// that is committed after this.
    pub fn carry_out(&self, effect: Arc<dyn Effect>) {
        match outbox::place(self, &*effect) {
            Ok(from) => {
                let points = effect.points().iter().map(|point| (*point, effect.name()));
                self.inner.points.lock().unwrap_or_else(PoisonError::into_inner).extend(points);
                drop(tokio::spawn(outbox::run(self.clone(), effect, from)));
            }
            Err(error) => {
                tracing::error!(effect = effect.name(), %error, "an effect's place is unknown, so it is not carried out");
            }
        }
    }

    async fn begin(&self, setup: Option<CreateRealm>) -> Result<(), SubmitError> {
        if let Some(create) = setup {
            self.submit(Actor::Remit, Command::CreateRealm(Box::new(create))).await?;
        }
        self.submit(Actor::Remit, Command::Recover).await?;
        // A full disk must not keep the directory closed: what is missing is recorded at the next start.
        if let Err(error) = self.begin_keys().await {
            tracing::error!(%error, "the realm's keys are not all on record");
        }
        Ok(())
    }
}

/// Everything that stands in the directory, opened.
struct Opened {
    kek: Kek,
    ring_path: PathBuf,
    ring: KeyRing,
    plate: Plate,
    folded: Folded,
    snapshots: Snapshots,
    contents: ContentStore,
    index: IndexStore,
    lock: DataLock,
}

fn open(options: &Options) -> Result<(Engine, Option<CreateRealm>), OpenError> {
    let data = &options.data;
    // Only this user reads what is in it; a directory that is already there keeps the mode that the operator gave it.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| OpenError::Layout(format!("`{}`: {error}", data.display())))?;
    let lock = DataLock::take(data)?;
    let kek = keys::kek(&options.keys, data)?;
    let ring_path = data.join("keys.sealed");
    let mut ring = keys::ring(&ring_path, &kek, options.clock.now().as_seconds())?;
    let plate = plate(options, &ring)?;
    let key = NoteKey::from_pkcs8(&plate.origin, ring.log_key().as_bytes())
        .map_err(|error| OpenError::Layout(error.to_string()))?;
    if key.vkey() != plate.log_key {
        return Err(OpenError::Layout(format!("`{PLATE}` names another log key than the sealed keys hold")));
    }
    let anchor_path = options.anchors.as_deref().map(|anchors| plate.anchor(anchors));
    let anchored =
        anchor_path.as_deref().map(|path| Anchor::read(path, key.verifier(), &plate.origin)).transpose()?.flatten();
    let snapshots = Snapshots::new(SnapshotDirectory::open(&data.join("snapshots"))?, &kek);
    let source = Source {
        segments: &data.join("segments"),
        realm: &plate.realm,
        origin: &plate.origin,
        segment_bytes: options.segment_bytes,
        verifier: key.verifier(),
        anchor: anchored.as_ref(),
    };
    let folded = recovery::recover(&source, &snapshots)?;
    if let Some(cut) = folded.log.cut() {
        tracing::warn!(file = %cut.file.display(), offset = cut.offset, bytes = cut.removed_bytes, "an unacknowledged batch was cut off");
    }
    let trust_domain = realm_of(options, &plate, &folded.position.state).trust_domain;
    let (now, file) = (options.clock.now().as_seconds(), (ring_path.as_path(), &kek));
    realm_keys::reconcile(&mut ring, file, &folded.position.state, &trust_domain, now)?;
    let contents = ContentStore::open(&data.join("content.sqlite"))?;
    let index = IndexStore::open(&data.join("index.sqlite"))?;
    let setup = folded.position.state.realm.is_none().then(|| create_realm(options, &plate));
    let opened = Opened { kek, ring_path, ring, plate, folded, snapshots, contents, index, lock };
    Ok((start(options, opened, key, anchor_path)?, setup))
}

/// The directory's plate, made for a new directory. A directory that has a log and no plate is refused.
fn plate(options: &Options, ring: &KeyRing) -> Result<Plate, OpenError> {
    if let Some(plate) = Plate::read(&options.data)? {
        return Ok(plate);
    }
    if options.data.join("segments").read_dir().is_ok_and(|mut files| files.next().is_some()) {
        return Err(OpenError::Layout(format!("`{PLATE}` is missing beside an existing log")));
    }
    let realm: String = random::<8>()?.iter().fold("r-".to_owned(), |name, byte| name + &format!("{byte:02x}"));
    let origin = format!("{}/{realm}", options.setup.trust_domain);
    let key = NoteKey::from_pkcs8(&origin, ring.log_key().as_bytes())
        .map_err(|error| OpenError::Layout(error.to_string()))?;
    let plate = Plate { realm, origin, log_key: key.vkey() };
    let bytes = serde_json::to_vec_pretty(&plate).map_err(|error| OpenError::Layout(error.to_string()))?;
    anchor::write_durably(&options.data.join(PLATE), &bytes)?;
    Ok(plate)
}

fn create_realm(options: &Options, plate: &Plate) -> CreateRealm {
    let setup = options.setup.clone();
    let edit = |(name, text)| PolicyEdit { name, text: Some(text) };
    CreateRealm {
        trust_domain: setup.trust_domain,
        issuer: setup.issuer,
        origin: plate.origin.clone(),
        log_key: plate.log_key.clone(),
        administrator: setup.administrator,
        administrator_uid: setup.administrator_uid,
        policies: setup.policies.into_iter().map(edit).collect(),
    }
}

fn start(options: &Options, opened: Opened, key: NoteKey, anchor: Option<PathBuf>) -> Result<Engine, OpenError> {
    let Opened { kek, ring_path, ring, plate, folded, snapshots, contents, index, lock } = opened;
    let Folded { log, position, last_at } = folded;
    let reader = log.reader();
    let head = position.frontier.size();
    let realm = realm_of(options, &plate, &position.state);
    let contents = Arc::new(Mutex::new(contents));
    let state = Arc::new(position.state.clone());
    let past = Past::new(Snapshots::new(SnapshotDirectory::open(&options.data.join("snapshots"))?, &kek));
    let published = Arc::new(Published {
        standing: ArcSwap::from_pointee(Standing { size: head, last_at, state: Arc::clone(&state) }),
        state: ArcSwap::from(state),
        head: watch::Sender::new(head),
        live: broadcast::Sender::new(LIVE_BATCHES),
        failed: watch::Sender::new(None),
        reserve_low: AtomicBool::new(false),
    });
    let ledger = options.data.join("ledger");
    let tiles_head = Arc::new(watch::Sender::new(0));
    let publisher = Publisher::open(&ledger, anchor, key.verifier(), &plate.origin, Arc::clone(&tiles_head))?;
    let index_reader = index.reader()?;
    let indexed = Arc::new(watch::Sender::new(0));
    let indexer = Indexer::open(index, head, Arc::clone(&indexed))?;
    let (jobs, writers) = start_writers(
        options,
        Writers { log, position, last_at, key, origin: plate.origin, snapshots, lock },
        &contents,
        &published,
    )?;
    let stop = Arc::new(AtomicBool::new(false));
    let publisher = start_follower(publisher, &reader, &published, &stop)?;
    let indexer = start_follower(indexer, &reader, &published, &stop)?;
    let inner = Inner {
        jobs: Mutex::new(Some(jobs)),
        tiles_head: tiles_head.subscribe(),
        indexed: indexed.subscribe(),
        indexer: indexer.thread().clone(),
        clock: Arc::clone(&options.clock),
        vault: Arc::new(Vault::new(&kek, Arc::clone(&contents))),
        contents,
        index: Mutex::new(index_reader),
        ring: ArcSwap::from_pointee(ring),
        ring_path,
        rotating: tokio::sync::Mutex::new(()),
        kek,
        realm,
        audience: options.audience.clone(),
        passkeys_required: options.passkeys_required,
        ledger,
        stop_followers: stop,
        stopped: watch::Sender::new(false),
        started_at: options.clock.now(),
        points: Mutex::new(Vec::new()),
        writers: Mutex::new(writers),
        followers: Mutex::new(vec![publisher, indexer]),
        reader,
        past,
        replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
        rehearsals: Rehearsals::default(),
        shadows: Shadows::default(),
        sharing: Sharing::default(),
        published,
    };
    Ok(Engine { inner: Arc::new(inner) })
}

/// The realm as its first event will name it, or has named it.
fn realm_of(options: &Options, plate: &Plate, state: &State) -> Realm {
    state.realm.clone().unwrap_or_else(|| Realm {
        id: remit_domain::Moment::new(options.clock.now(), 0).fresh_id(),
        trust_domain: options.setup.trust_domain.clone(),
        issuer: options.setup.issuer.clone(),
        origin: plate.origin.clone(),
        log_key: plate.log_key.clone(),
        created_at: options.clock.now(),
    })
}

struct Writers {
    log: crate::store::SegmentLog,
    position: Position,
    last_at: remit_domain::Timestamp,
    key: NoteKey,
    origin: String,
    snapshots: Snapshots,
    lock: DataLock,
}

type Started = (mpsc::Sender<Job>, Vec<JoinHandle<()>>);

fn start_writers(
    options: &Options,
    writers: Writers,
    contents: &Arc<Mutex<ContentStore>>,
    published: &Arc<Published>,
) -> Result<Started, OpenError> {
    let Writers { log, position, last_at, key, origin, snapshots, lock } = writers;
    let (jobs, queue) = mpsc::channel::<Job>(QUEUE_COMMANDS_MAX);
    // One batch is being written, one waits, one is being decided.
    let (batches, to_commit) = std_mpsc::sync_channel::<Batch>(1);
    let (images, to_keep) = std_mpsc::channel::<Image>();
    let sequencer = Sequencer {
        position,
        moments: Moments::after(last_at),
        clock: Arc::clone(&options.clock),
        key,
        origin,
        snapshot_entries: options.snapshot_entries.max(1),
        since_snapshot: 0,
    };
    let committer = Committer { log, contents: Arc::clone(contents), published: Arc::clone(published), images };
    Ok((
        jobs,
        vec![
            spawn("remit-sequencer", move || sequencer.run(queue, &batches))?,
            spawn("remit-committer", move || {
                // The lock lives as long as the thread that writes.
                let _lock = lock;
                committer.run(&to_commit);
            })?,
            spawn("remit-snapshots", move || snapshots.run(&to_keep))?,
        ],
    ))
}

fn start_follower<F: Follow + 'static>(
    follower: F,
    reader: &LogReader,
    published: &Arc<Published>,
    stop: &Arc<AtomicBool>,
) -> Result<JoinHandle<()>, OpenError> {
    let (reader, head, stop) = (reader.clone(), published.head.subscribe(), Arc::clone(stop));
    spawn(F::NAME, move || followers::run(follower, &reader, &head, &stop))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(OpenError::Thread)
}
