"""The official suite as a program, and what it finds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "node_modules" / "@modelcontextprotocol" / "conformance"
SUITE_SECONDS_MAX = 120
CLIENT_SECONDS_MAX = 20
STOP_SECONDS_MAX = 5
CLIENTS_AT_ONCE = 2

# From best to worst. A check that occurs several times in a scenario counts as its worst.
ORDER = ["SUCCESS", "INFO", "SKIPPED", "WARNING", "FAILURE"]


@dataclass
class Scenario:
    """One scenario's checks, by name: how each ended, and what was said about it."""

    checks: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return bool(self.checks) and "FAILURE" not in self.checks.values()

    def add(self, name: str, status: str, said: str) -> None:
        if ORDER.index(status) >= ORDER.index(self.checks.get(name, "SUCCESS")):
            self.checks[name] = status
            self.said[name] = said


Results = dict[str, Scenario]


def suite(*arguments: str, seconds_max: int = SUITE_SECONDS_MAX, environment: dict[str, str] | None = None) -> None:
    """Runs the suite. How it ends says nothing: what it found is in the files that it wrote until then."""
    command = ["node", str(PACKAGE / "dist" / "index.js"), *arguments]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=seconds_max, check=False, env=os.environ | (environment or {}))


def required(revision: str, side: str) -> list[str]:
    """The scenarios that a revision requires of a `server` or a `client`."""
    names: list[str] = []
    section = None
    for line in (PACKAGE / "requirements" / f"{revision}.yaml").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            section = line.rstrip(":")
        elif section == side and line.startswith("  - "):
            names.append(line.removeprefix("  - ").strip())
    return names


def as_server(url: str, revision: str, directory: Path) -> Results:
    """Runs every server scenario of a revision against `url`."""
    suite("server", "--url", url, "--requirements", revision, "--output-dir", str(directory))
    return read(directory, "server-")


def as_client(script: Path, names: list[str], revision: str, directory: Path, environment: dict[str, str]) -> Results:
    """Runs client scenarios, each with a server of the suite's own, and `script` as the client."""

    def run(name: str) -> None:
        what = ["--command", f"{sys.executable} {script}", "--scenario", name, "--spec-version", revision]
        how = ["--output-dir", str(directory), "--timeout", str(CLIENT_SECONDS_MAX * 1000)]
        # The suite's server waits for its connections to close, also for those that nobody will close.
        suite("client", *what, *how, seconds_max=CLIENT_SECONDS_MAX + STOP_SECONDS_MAX, environment=environment)

    with ThreadPoolExecutor(CLIENTS_AT_ONCE) as workers:
        list(workers.map(run, names))
    return read(directory, "")


def read(directory: Path, prefix: str) -> Results:
    """What the suite wrote: one directory for each scenario, named after it and the time."""
    results: Results = {}
    for written in sorted(directory.glob(f"{prefix}*/checks.json")):
        # The time at the end: 2026-11-22T01-42-42-229Z.
        name = written.parent.name.removeprefix(prefix).rsplit("-", 6)[0]
        scenario = results.setdefault(name, Scenario())
        for check in json.loads(written.read_text()):
            scenario.add(f"{check['id']} {check['name']}", check["status"], check.get("errorMessage") or "")
    return results
