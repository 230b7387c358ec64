"""Servers of others that Remit is put in front of, and what a test does with each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from service import free_port, program

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE / "node_modules" / "@modelcontextprotocol"
START_SECONDS_MAX = 30

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Upstream:
    """One server as a connector, with calls that mean something to it."""

    name: str
    granted: frozenset[str]
    """Calls that change nothing, and whose results are the same every time."""
    calls: list[Call]
    """A call of a tool that people approved and that no grant covers."""
    not_granted: Call
    """A call that the tool's schema does not allow, and the argument that is wrong."""
    wrong: tuple[str, dict[str, Any], str]
    """A call that a person is asked about, from a word that makes it different from others."""
    asked: Callable[[str], Call]
    """When `asked` is asked about, in Cedar."""
    asks_when: str
    """The server speaks the newest generation too."""
    modern: bool
    command: list[str] | None = None
    url: str | None = None
    approved: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "approved", self.granted | {self.not_granted[0]})

    def rule(self) -> str:
        tool = self.asked("")[0]
        return f"""
@id("{self.name}-asks")
@reason("somebody who leads support looks at this first")
@approvers("support-leads")
@within("15m")
forbid (principal, action == Action::"{self.name}/{tool}", resource)
{self.asks_when}
unless {{ context has approval && context.approval.roles.contains("support-leads") }};
"""

    def direct(self, generation: str) -> dict[str, Any]:
        """How a client reaches it without Remit, and in which generation."""
        generation = generation if self.modern else "auto"
        return {"generation": generation, "url": self.url, "command": self.command}


def helpdesk(name: str, url: str | None = None) -> Upstream:
    """The sample in the program itself."""
    return Upstream(
        name=name,
        granted=frozenset({"find_customer", "show_order", "list_orders", "list_refunds", "refund_order"}),
        calls=[("find_customer", {"query": "ada"}), ("show_order", {"order_id": "O-5007"}), ("show_order", {"order_id": "O-0"})],
        not_granted=("close_account", {"customer_id": "C-1002"}),
        wrong=("refund_order", {"order_id": "O-5004", "amount_cents": "much", "reason": "frayed"}, "amount_cents"),
        asked=lambda word: ("refund_order", {"order_id": "O-5011", "amount_cents": 5_001, "reason": f"dead pixels: {word}"}),
        asks_when="when { context.arguments.amount_cents > 5000 }",
        modern=True,
        command=None if url else [str(program()), "sample", "helpdesk"],
        url=url,
    )


def everything(name: str, url: str | None = None) -> Upstream:
    """`server-everything`, which exercises the protocol and speaks nothing newer than 2025-11-25."""
    calls = [
        ("echo", {"message": "grün, 水, \U0001f300"}),
        ("get-sum", {"a": 2, "b": 0.5}),
        ("get-structured-content", {"location": "Chicago"}),
        ("get-tiny-image", {}),
        ("get-annotated-message", {"messageType": "error", "includeImage": True}),
        ("get-resource-links", {"count": 2}),
    ]
    return Upstream(
        name=name,
        granted=frozenset({tool for tool, _ in calls} | {"trigger-long-running-operation"}),
        calls=calls,
        not_granted=("get-env", {}),
        wrong=("get-sum", {"a": 2, "b": "three"}, "b"),
        asked=lambda word: ("echo", {"message": f"ask first: {word}"}),
        asks_when='when { context.arguments.message like "ask first*" }',
        modern=False,
        command=None if url else ["node", str(node_server("server-everything")), "stdio"],
        url=url,
    )


def filesystem(name: str, directory: Path) -> Upstream:
    """`server-filesystem` over one directory; it speaks nothing newer than 2025-11-25."""
    directory.mkdir()
    (directory / "note.txt").write_text("the note\n")
    (directory / "large.txt").write_text("0123456789abcdef\n" * 65_536)
    (directory / "too-large.txt").write_text("0123456789abcdef\n" * 196_608)
    return Upstream(
        name=name,
        granted=frozenset({"read_text_file", "list_directory", "write_file"}),
        calls=[("read_text_file", {"path": f"{directory}/note.txt"}), ("read_text_file", {"path": "/etc/passwd"})],
        not_granted=("get_file_info", {"path": f"{directory}/note.txt"}),
        wrong=("read_text_file", {"file": f"{directory}/note.txt"}, "file"),
        asked=lambda word: ("write_file", {"path": f"{directory}/{word}.txt", "content": f"approved: {word}\n"}),
        asks_when="",
        modern=False,
        command=["node", str(node_server("server-filesystem")), str(directory)],
    )


def git(name: str, repository: Path) -> Upstream:
    """`mcp-server-git` over a repository with one commit; it speaks both generations."""
    repository.mkdir()
    who = ["-c", "user.name=Test", "-c", "user.email=test@customers.example"]
    for step in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *step], cwd=repository, check=True)
    here = {"repo_path": str(repository)}
    return Upstream(
        name=name,
        granted=frozenset({"git_status", "git_log", "git_create_branch"}),
        calls=[("git_status", here), ("git_log", here | {"max_count": 1})],
        not_granted=("git_show", here | {"revision": "HEAD"}),
        wrong=("git_log", here | {"max_count": "one"}, "max_count"),
        asked=lambda word: ("git_create_branch", here | {"branch_name": f"approved-{word}"}),
        asks_when="",
        modern=True,
        command=[sys.executable, "-m", "mcp_server_git", "--repository", str(repository)],
    )


def node_server(name: str) -> Path:
    server = NODE_MODULES / name / "dist" / "index.js"
    if not server.is_file():
        raise FileNotFoundError(f"`{server}` is not there; run `npm ci` in tests/clients")
    return server


@contextmanager
def everything_over_http() -> Iterator[str]:
    port = free_port()
    command = ["node", str(node_server("server-everything")), "streamableHttp"]
    with serving(command, f"http://127.0.0.1:{port}/mcp", {"PORT": str(port)}) as url:
        yield url


@contextmanager
def helpdesk_over_http() -> Iterator[str]:
    port = free_port()
    command = [str(program()), "sample", "helpdesk", "--http", f"127.0.0.1:{port}"]
    with serving(command, f"http://127.0.0.1:{port}/mcp", {}) as url:
        yield url


@contextmanager
def serving(command: list[str], url: str, environment: dict[str, str]) -> Iterator[str]:
    """Runs a server until it is no longer needed; gives its address once it answers there."""
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: answers(url), START_SECONDS_MAX, f"`{' '.join(command)}` starts")
        yield url
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Whether anything speaks HTTP at `url`."""
    try:
        httpx.get(url, timeout=1)
        return True
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], Any], seconds_max: float, what: str) -> Any:
    """The first answer of `condition` that counts as true."""
    deadline = time.monotonic() + seconds_max
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds_max} s")
        time.sleep(0.05)
    return answer
