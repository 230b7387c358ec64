"""Fixtures: the built program as a running service, real clients as subprocesses, and upstreams of others."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REMIT_BIN = Path(os.environ.get("REMIT_BIN", ROOT / "target" / "debug" / "remit"))
NODE_MODULES = HERE / "node_modules" / "@modelcontextprotocol"

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10

CONFIGURATION = """\
[gateway]
listen = "127.0.0.1:0"

[control]
listen = "127.0.0.1:0"
"""


class Refused(Exception):
    """The command line ended with another status than 0."""

    def __init__(self, arguments: tuple[str, ...], status: int, said: str):
        super().__init__(f"`remit {' '.join(arguments)}` ended with status {status}: {said}")
        self.status = status
        self.said = said


class Remit:
    """One running `remit up` with a data directory of its own."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.data = directory / "data"
        self.config = directory / "remit.toml"
        self.log = directory / "remit.log"
        self.config.write_text(CONFIGURATION)
        self.process: subprocess.Popen[bytes] | None = None
        self.token: str | None = None
        self.addresses: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where agents reach MCP servers: the gateway's base address."""
        return self.addresses["gateway"]

    @property
    def control(self) -> str:
        return self.addresses["control"]

    def start(self) -> None:
        ready = self.data / "addresses.json"
        ready.unlink(missing_ok=True)
        command = [str(REMIT_BIN), "up", "--config", str(self.config), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.directory, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"`remit up` ended with status {self.process.returncode}\n{self.log.read_text()}")
            if ready.exists():
                try:
                    self.addresses = json.loads(ready.read_text())
                    return
                except json.JSONDecodeError:
                    pass  # half written; look again
            time.sleep(0.05)
        raise TimeoutError(f"`remit up` was not ready after {START_SECONDS_MAX} s\n{self.log.read_text()}")

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """Ends the program as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def cli(self, *arguments: str, as_person: str | None = None) -> Any:
        """Runs `remit ARGUMENTS` against this data directory and gives its JSON. Raises `Refused` on any other status than 0."""
        command = [str(REMIT_BIN), "--data", str(self.data), "--json"]
        if as_person is not None:
            command += ["--as", as_person]
        done = subprocess.run([*command, *arguments], cwd=self.directory, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise Refused(arguments, done.returncode, (done.stderr or done.stdout).strip())
        if not done.stdout.strip():
            return None
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


class Driver:
    """One client program of others, driven step by step while it stays connected."""

    def __init__(self, command: list[str]):
        self.process = subprocess.Popen(
            command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.opening = self.read()

    def read(self) -> dict[str, Any]:
        """The next line that the client printed."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the client ended: {self.process.stderr.read()}")
        return json.loads(line)

    def send(self, step: dict[str, Any]) -> None:
        """Starts a step without waiting for it, so that something else can happen meanwhile."""
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        self.send(step)
        return self.read()

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        return self.step({"call": tool, "arguments": arguments})

    def tools(self) -> list[str]:
        return sorted(self.step({"list": {}})["tools"])

    def close(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


CLIENTS = {
    "python": [sys.executable, str(HERE / "py_client.py")],
    "typescript": ["node", str(HERE / "ts_client.mjs")],
}


@pytest.fixture
def client() -> Iterator[Any]:
    """`client("python" | "typescript", "2026-07-28" | "2025-11-25" | "auto", url=…, token=…)` gives a connected `Driver`."""
    opened: list[Driver] = []

    def open_client(
        language: str,
        generation: str,
        *options: str,
        url: str | None = None,
        token: str | None = None,
        command: list[str] | None = None,
    ) -> Driver:
        if language == "typescript" and not NODE_MODULES.exists():
            pytest.skip("run `npm ci` in tests/clients first")
        arguments = [*CLIENTS[language], "--generation", generation, *options]
        arguments += ["--stdio", "-", "--", *command] if command else ["--url", url]
        if token:
            arguments += ["--token", token]
        if not command:
            arguments += ["-"]
        driver = Driver(arguments)
        opened.append(driver)
        return driver

    yield open_client
    for driver in opened:
        driver.close()


@pytest.fixture
def remit(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Remit]:
    """The built program, running in a directory of its own. Its log is printed when the test fails."""
    if not REMIT_BIN.exists():
        pytest.skip(f"`{REMIT_BIN}` is not built; run `cargo build` or set REMIT_BIN")
    running = Remit(tmp_path)
    try:
        running.start()
        yield running
    finally:
        running.stop()
        outcome = getattr(request.node, "outcome_of_call", None)
        if outcome is None or outcome.failed:
            print(f"--- {running.log}\n{running.log.read_text() if running.log.exists() else ''}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "call":
        item.outcome_of_call = report
    return report


def free_port() -> int:
    """A port that was free a moment ago, for programs that cannot be told to choose one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url: str) -> bool:
    """Whether anything speaks HTTP at `url`."""
    try:
        httpx.get(url, timeout=1)
        return True
    except httpx.TransportError:
        return False


def wait_until(condition, seconds_max: float, what: str) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds_max} s")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def everything() -> Iterator[str]:
    """The address of `server-everything` over streamable HTTP: an upstream that speaks nothing newer than 2025-11-25."""
    program = NODE_MODULES / "server-everything" / "dist" / "index.js"
    if not program.exists() or shutil.which("node") is None:
        pytest.skip("run `npm ci` in tests/clients first")
    port = free_port()
    environment = {**os.environ, "PORT": str(port)}
    process = subprocess.Popen(
        ["node", str(program), "streamableHttp"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/mcp"
    try:
        wait_until(lambda: answers(url), START_SECONDS_MAX, "server-everything starts")
        yield url
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def filesystem(tmp_path: Path) -> list[str]:
    """The command of `server-filesystem`, which speaks only 2025-11-25, over one directory with one file."""
    program = NODE_MODULES / "server-filesystem" / "dist" / "index.js"
    if not program.exists():
        pytest.skip("run `npm ci` in tests/clients first")
    directory = tmp_path / "files"
    directory.mkdir()
    (directory / "note.txt").write_text("the note\n")
    return ["node", str(program), str(directory)]


@pytest.fixture
def git(tmp_path: Path) -> list[str]:
    """The command of `mcp-server-git`, which speaks both generations, over a repository with one commit."""
    repository = tmp_path / "repository"
    repository.mkdir()
    who = ["-c", "user.name=Test", "-c", "user.email=test@customers.example"]
    for step in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *step], cwd=repository, check=True)
    return [sys.executable, "-m", "mcp_server_git", "--repository", str(repository)]
