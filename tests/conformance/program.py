"""The built program with its sandbox open, the fixture beside it, and free ports."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 10
COMMAND_SECONDS_MAX = 60

CONFIGURATION = """\
[realm]
administrator = "root"

[gateway]
listen = "127.0.0.1:0"

[control]
listen = "127.0.0.1:0"

[sandbox]
listen = "127.0.0.1:0"
"""

# So little that nobody has to be asked about any of it.
HARMLESS = ["--verb", "read", "--risk", "0", "--data-class", "D0", "--external", "false"]

# What lets a server ask its caller is never meant by "all": it has to be named.
ASKED_BACK = ["@elicitation", "@roots", "@sampling"]


def program() -> Path:
    """The program under test: `REMIT_BIN`, else the release build."""
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    found = Path(os.environ.get("REMIT_BIN", built / "release" / "remit")).absolute()
    if not found.is_file():
        raise SystemExit(f"`{found}` is not there; run `cargo build --release -p remit` or set REMIT_BIN")
    return found


class Sandbox:
    """What may be done with a running Remit: connectors of the sandbox, and its door."""

    def __init__(self, program: Path, data: Path, address: str):
        self.program = program
        self.data = data
        self.address = address

    def door(self, connector: str) -> str:
        return f"{self.address}/mcp/{connector}"

    def connect(self, name: str, url: str) -> None:
        """Adds a server over HTTP for the sandbox only, and approves everything that it offers and may ask."""
        self.cli("connector", "add", name, "--http", url, "--sandbox")
        self.cli("connector", "approve-tools", name, "--all", *HARMLESS)
        self.cli("connector", "approve-tools", name, *(part for one in ASKED_BACK for part in ("--tool", one)), *HARMLESS)

    def disconnect(self, name: str) -> None:
        self.cli("connector", "remove", name)

    def cli(self, *arguments: str) -> Any:
        command = [str(self.program), "--data", str(self.data), "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX, check=False)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise RuntimeError(f"`remit {' '.join(arguments)}` ended with status {done.returncode}: {said}")
        return json.loads(done.stdout) if done.stdout.strip() else None


class Process:
    """A program that runs until it is stopped."""

    def __init__(self, command: list[str], log: Path, environment: dict[str, str] | None = None):
        self.log = log
        with log.open("ab") as written:
            self.process = subprocess.Popen(command, stdout=written, stderr=written, stdin=subprocess.DEVNULL, env=environment)

    def wait_for(self, what: str, found: Any) -> Any:
        """What `found` gives, once it gives something."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{what} ended with status {self.process.returncode}\n{self.log.read_text()}")
            if value := found():
                return value
            time.sleep(0.05)
        self.stop()
        raise TimeoutError(f"{what} was not ready after {START_SECONDS_MAX} s\n{self.log.read_text()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Fixture(Process):
    """The fixture, speaking both generations or one."""

    def __init__(self, directory: Path, speak: str):
        log = Path(tempfile.mkstemp(prefix=f"fixture-{speak}-", suffix=".log", dir=directory)[1])
        super().__init__(["node", str(HERE / "fixture.mjs"), "--speak", speak], log)
        self.url: str = self.wait_for("the fixture", lambda: self.log.read_text().strip().partition("\n")[0])


class Remit(Process):
    """`remit up --dev` with data of its own; nothing of this machine's user reaches it."""

    def __init__(self, directory: Path):
        self.data = directory / "data"
        config = directory / "remit.toml"
        config.write_text(CONFIGURATION)
        outside = {name: value for name, value in os.environ.items() if not name.startswith("REMIT_")}
        own = {"XDG_STATE_HOME": str(directory / "state"), "XDG_CONFIG_HOME": str(directory / "config")}
        command = [str(program()), "up", "--dev", "--config", str(config), "--data", str(self.data)]
        super().__init__(command, directory / "remit.log", outside | own)
        addresses = self.wait_for("`remit up --dev`", self._addresses)
        self.sandbox = Sandbox(program(), self.data, addresses["sandbox"])

    def _addresses(self) -> dict[str, str] | None:
        written = self.data / "addresses.json"
        return json.loads(written.read_text()) if written.exists() else None
