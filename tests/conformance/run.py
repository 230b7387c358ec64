#!/usr/bin/env python3
"""Runs the official conformance suite directly and through Remit, and says what is lost on the way.

    run.py [--part server|client|bridge]... [--keep DIRECTORY]

Lost is what passes directly and not through Remit: a scenario that a revision requires, or a single check of one. Ends
with status 1 if anything is lost, or if the equipment itself does not pass directly. Needs Node.js 22 and `npm ci` here.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import carried
from program import HERE, Fixture, Remit
from suite import Results, Scenario, as_client, as_server, required

REVISIONS = ["2026-07-28", "2025-11-25"]
PARTS = ["server", "client", "bridge"]


@dataclass
class Comparison:
    """One revision's scenarios, directly and through Remit."""

    title: str
    scenarios: list[str]
    direct: Results
    through: Results
    # Scenario, or scenario and check, to the reason why it cannot be carried over.
    excused: dict[str, str]

    def lost(self, name: str) -> list[str]:
        """The checks that pass directly and not through Remit."""
        before, after = self.direct.get(name, Scenario()), self.through.get(name, Scenario())
        return [check for check, status in before.checks.items() if status == "SUCCESS" and after.checks.get(check) != "SUCCESS"]

    def excuse(self, name: str, check: str) -> str | None:
        return self.excused.get(name) or self.excused.get(f"{name}:{check.partition(' ')[0]}")

    def report(self) -> int:
        """Prints the scenarios that are not alike, and the sum. Gives the number of those lost, and not passed directly."""
        lost, broken, excused = [], [], []
        print(f"\n{self.title}")
        for name in self.scenarios:
            checks = self.lost(name)
            open_checks = [check for check in checks if not self.excuse(name, check)]
            if not self.direct.get(name, Scenario()).passed:
                broken.append(name)
            elif open_checks:
                lost.append(name)
            elif checks:
                excused.append(name)
            self._print(name, checks)
        passed = sum(self.through.get(name, Scenario()).passed for name in self.scenarios)
        print(f"  {len(self.scenarios)} required: {passed} pass through Remit, {len(lost)} lost, {len(excused)} cannot be carried")
        self._print_unscored()
        return len(lost) + len(broken)

    def _print(self, name: str, checks: list[str]) -> None:
        if not self.direct.get(name, Scenario()).passed:
            print(f"  {name}: does not pass directly {self.direct.get(name, Scenario()).said}")
        for check in checks:
            reason = self.excuse(name, check)
            after = self.through.get(name, Scenario())
            came = f"{after.checks.get(check, 'never ran')}: {after.said.get(check, '')}"
            print(f"  {name} · {check}: {f'not carried, {reason}' if reason else f'LOST, {came[:400]}'}")

    def _print_unscored(self) -> None:
        for name in sorted(set(self.direct) - set(self.scenarios)):
            if checks := self.lost(name):
                print(f"  not counted: {name} differs in {', '.join(check.partition(' ')[0] for check in checks)}")


class Run:
    """Everything that one run starts and writes."""

    def __init__(self, directory: Path, stack: ExitStack):
        self.directory = directory
        self.stack = stack
        self.direct: dict[str, Results] = {}
        self.remit = Remit(directory)
        stack.callback(self.remit.stop)

    def fixture(self, speak: str) -> Fixture:
        """A fixture of its own for each comparison: the suite changes its lists."""
        started = Fixture(self.directory, speak)
        self.stack.callback(started.stop)
        return started

    def results(self, name: str) -> Path:
        return self.directory / "results" / name

    def directly(self, revision: str) -> Results:
        if revision not in self.direct:
            self.direct[revision] = as_server(self.fixture("both").url, revision, self.results(f"direct-{revision}"))
        return self.direct[revision]

    def through(self, speak: str, revision: str) -> Results:
        """The suite against Remit, with the fixture behind it as an upstream of its own."""
        connector = f"fixture-{speak}-for-{revision}"
        self.remit.sandbox.connect(connector, self.fixture(speak).url)
        return as_server(self.remit.sandbox.door(connector), revision, self.results(connector))

    def server(self, revision: str) -> Comparison:
        title = f"server, {revision}"
        return Comparison(title, required(revision, "server"), self.directly(revision), self.through("both", revision), {})

    def bridge(self, revision: str) -> Comparison:
        other = next(one for one in REVISIONS if one != revision)
        title = f"bridge: the suite at {revision}, the server behind Remit at {other}"
        through = self.through(other, revision)
        return Comparison(title, required(revision, "server"), self.directly(revision), through, carried.BRIDGE[revision])

    def client(self, revision: str) -> Comparison:
        names = [name for name in required(revision, "client") if not name.startswith("auth/")]
        environment = {
            "REMIT_BIN": str(self.remit.sandbox.program),
            "REMIT_DATA": str(self.remit.data),
            "REMIT_DOOR": self.remit.sandbox.address,
        }
        direct = as_client(HERE / "direct.py", names, revision, self.results(f"client-direct-{revision}"), {})
        through = as_client(HERE / "through.py", names, revision, self.results(f"client-through-{revision}"), environment)
        return Comparison(f"client, {revision} ({carried.NOT_GATEWAY})", names, direct, through, carried.CLIENT[revision])


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", action="append", choices=PARTS, help="only this part; may be given several times")
    options.add_argument("--keep", type=Path, help="where to leave logs and the suite's own results")
    chosen = options.parse_args()
    with ExitStack() as stack:
        directory = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="remit-conformance-")))
        directory.mkdir(parents=True, exist_ok=True)
        run = Run(directory, stack)
        parts: dict[str, Callable[[str], Comparison]] = {"server": run.server, "client": run.client, "bridge": run.bridge}
        begin = time.monotonic()
        lost = sum(parts[part](revision).report() for part in chosen.part or PARTS for revision in REVISIONS)
    print(f"\nlost: {lost}, in {time.monotonic() - begin:.0f} s")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
