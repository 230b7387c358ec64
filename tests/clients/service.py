"""The built program as a running service, and the people who use it."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10
COMMAND_SECONDS_MAX = 60

CONFIGURATION = """\
[realm]
administrator = "root"
{realm}
[gateway]
listen = "127.0.0.1:{gateway_port}"
hold_seconds = {hold_seconds}
call_seconds_max = {call_seconds_max}
{gateway}
[control]
listen = "127.0.0.1:{control_port}"
{control}
{more}
"""
MTLS = 'mtls_listen = "127.0.0.1:0"\n'


def program() -> Path:
    """The program under test: `REMIT_BIN`, else what `cargo build` or `cargo build --release` made."""
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    candidates = [built / "debug" / "remit", built / "release" / "remit"]
    if named := os.environ.get("REMIT_BIN"):
        candidates = [Path(named).absolute()]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"`{candidates[0]}` is not there; run `cargo build -p remit` or set REMIT_BIN")


def free_port() -> int:
    """A port that was free a moment ago, for what cannot be told to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(Exception):
    """The command line ended with another status than 0."""

    def __init__(self, arguments: tuple[str, ...], status: int, said: str):
        super().__init__(f"`remit {' '.join(arguments)}` ended with status {status}: {said}")
        self.status = status
        self.said = said

    @property
    def code(self) -> str:
        """The refusal's code, as `--json` gives it on standard error."""
        return json.loads(self.said)["code"]


class Remit:
    """One running `remit up` with a data directory of its own.

    `realm` says more about the realm, `mtls` opens the listeners that want a certificate, with `stays` it is at the same
    addresses when it starts again, with `tls` (a certificate, its key, and the root of both) it speaks https, `more` is the
    rest of the configuration, and `variables` are those of the environment that it names.
    """

    def __init__(
        self,
        directory: Path,
        hold_seconds: int = 20,
        call_seconds_max: int = 120,
        *,
        realm: str = "",
        mtls: bool = False,
        stays: bool = False,
        tls: tuple[Path, Path, Path] | None = None,
        more: str = "",
        variables: dict[str, str] | None = None,
    ):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.data = directory / "data"
        self.config = directory / "remit.toml"
        self.log = directory / "remit.log"
        self.variables = variables or {}
        self.roots = tls[2] if tls else None
        if tls:
            more += f'\n[tls]\ncertificate = "{tls[0]}"\nkey = "{tls[1]}"\n'
        listeners = {"gateway": MTLS, "control": MTLS} if mtls else {"gateway": "", "control": ""}
        listeners |= {name: free_port() if stays else 0 for name in ("gateway_port", "control_port")}
        bounds = {"hold_seconds": hold_seconds, "call_seconds_max": call_seconds_max}
        self.config.write_text(CONFIGURATION.format(**bounds, **listeners, realm=realm, more=more))
        self.process: subprocess.Popen[bytes] | None = None
        self.addresses: dict[str, str] = {}
        self.sessions: dict[str, str] = {}

    @property
    def control(self) -> str:
        """Where people and scripts ask: REST and console."""
        return self.addresses["control"]

    def mcp(self, connector: str | None = None) -> str:
        """Where agents reach one connector, or all of them joined."""
        return f"{self.addresses['gateway']}/mcp" + (f"/{connector}" if connector else "")

    @property
    def workload_socket(self) -> str:
        """Where workloads ask for their identity, as `SPIFFE_ENDPOINT_SOCKET` says it."""
        return f"unix://{self.data / 'workload.sock'}"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of this machine's user reaches the program, and nothing of a test stays behind."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
        own = {"XDG_STATE_HOME": str(self.directory / "state"), "XDG_CONFIG_HOME": str(self.directory / "config")}
        return outside | own | self.variables | self.trusting

    @property
    def trusting(self) -> dict[str, str]:
        """What programs in any language are told so that they believe its certificate."""
        return {name: str(self.roots) for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")} if self.roots else {}

    @property
    def verify(self) -> ssl.SSLContext | bool:
        """The same for the HTTP client of these tests."""
        return ssl.create_default_context(cafile=self.roots) if self.roots else True

    def start(self) -> None:
        ready = self.data / "addresses.json"
        ready.unlink(missing_ok=True)
        command = [str(program()), "up", "--config", str(self.config), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.directory, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            time.sleep(0.05)
            if self.process.poll() is not None:
                raise RuntimeError(f"`remit up` ended with status {self.process.returncode}\n{self.log.read_text()}")
            if ready.exists():
                self.addresses = json.loads(ready.read_text())
                return
        self.stop()
        raise TimeoutError(f"`remit up` was not ready after {START_SECONDS_MAX} s\n{self.log.read_text()}")

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        self.end()

    def kill(self) -> None:
        """Ends it as a power cut would: nothing is put in order."""
        self.process.kill()
        self.end()

    def end(self) -> None:
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def add_person(self, name: str, *groups: str) -> None:
        """Adds a person and signs them in by their one-time code."""
        self.agreed("person", "add", name, *(part for group in groups for part in ("--group", group)))
        answer = httpx.post(f"{self.control}/v1/sessions", json={"code": self.sign_in_code(name)}, verify=self.verify)
        answer.raise_for_status()
        self.sessions[name] = answer.json()["token"]

    def sign_in_code(self, name: str) -> str:
        return self.cli("person", "sign-in", name)["code"]

    def agreed(self, *arguments: str, by: str = "root") -> Any:
        """As `cli`. What comes out as a proposal, because the realm has two administrators, mia approves."""
        answer = self.cli(*arguments, by=by)
        if answer.get("change") and answer.get("status") == "pending":
            self.cli("change", "approve", answer["change"], by="mia")
        return answer

    def cli(self, *arguments: str, by: str = "root") -> Any:
        """Runs `remit ARGUMENTS` as a person and gives its JSON. Raises `Refused` on any other status than 0."""
        done = self.run("--json", *arguments, by=by)
        if done.returncode != 0:
            raise Refused(arguments, done.returncode, (done.stderr or done.stdout).strip())
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run(self, *arguments: str, by: str = "root") -> subprocess.CompletedProcess[str]:
        """Runs `remit ARGUMENTS`: `root` comes by the data directory's socket, everybody else over HTTP by their session."""
        environment = dict(self.environment)
        command = [str(program())]
        if by == "root":
            command += ["--data", str(self.data)]
        else:
            environment |= {"REMIT_URL": self.control, "REMIT_SESSION": self.sessions[by]}
        return subprocess.run(
            [*command, *arguments],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
        )
