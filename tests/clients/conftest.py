"""Fixtures: the built program with a realm at work, clients of others, and servers of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import upstreams
from driving import Driver
from estate import Estate
from service import Remit
from upstreams import Upstream

# Longer than any test takes to answer, so that a held call ends because of the answer.
HOLD_SECONDS = 25
LOG_CHARACTERS_SHOWN = 4_000
# The files that take longest, in this order. Where several processes share the work, the rest fills the gaps.
BEGIN_WITH = ["test_asking", "test_unruly", "test_bridge", "test_news", "test_malicious", "test_calls"]

started: list[Remit] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(BEGIN_WITH)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@contextmanager
def running(directory: Path, hold_seconds: int, **options: Any) -> Iterator[Remit]:
    """The built program in a directory of its own. Whatever the tests did, its ledger must verify after them."""
    remit = Remit(directory, hold_seconds, **options)
    remit.start()
    started.append(remit)
    try:
        yield remit
    finally:
        started.remove(remit)
        remit.stop()
    assert remit.cli("ledger", "verify")["faults"] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """What the program logged is shown with each test that fails."""
    report = yield
    if report.failed:
        report.sections += [(str(remit.log), remit.log.read_text()[-LOG_CHARACTERS_SHOWN:]) for remit in started]
    return report


@pytest.fixture(scope="session")
def everything_url() -> Iterator[str]:
    with upstreams.everything_over_http() as url:
        yield url


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, everything_url: str) -> Iterator[list[Upstream]]:
    """Every upstream: three servers of others and our sample, over standard streams and over HTTP."""
    directory = tmp_path_factory.mktemp("upstreams")
    with upstreams.helpdesk_over_http() as helpdesk_url:
        yield [
            upstreams.helpdesk("desk"),
            upstreams.helpdesk("desk-http", helpdesk_url),
            upstreams.everything("everything"),
            upstreams.everything("everything-http", everything_url),
            upstreams.filesystem("files", directory / "files"),
            upstreams.git("git", directory / "repository"),
        ]


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory, servers: list[Upstream]) -> Iterator[Estate]:
    """One realm in front of every upstream, for all tests: each starts tasks of its own."""
    with running(tmp_path_factory.mktemp("remit"), HOLD_SECONDS) as remit:
        yield Estate(remit, servers)


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """A realm that holds a call for one second only."""
    with running(tmp_path_factory.mktemp("impatient"), 1) as remit:
        yield Estate(remit, [upstreams.helpdesk("desk")])


@pytest.fixture
def client() -> Iterator[Callable[..., Driver]]:
    """`client("python" | "typescript", "2026-07-28" | "2025-11-25" | "auto", url=…, token=…)` gives a connected `Driver`."""
    with ExitStack() as opened:

        def connect(language: str, generation: str, *options: str, **place: Any) -> Driver:
            driver = Driver(language, generation, *options, **place)
            opened.callback(driver.close)
            return driver

        yield connect
