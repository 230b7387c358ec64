"""Clients of others as subprocesses, driven step by step while they stay connected."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STOP_SECONDS_MAX = 10

PROGRAMS = {
    "python": [sys.executable, str(HERE / "py_client.py")],
    "typescript": ["node", str(HERE / "ts_client.mjs")],
}
NEW, OLD = "2026-07-28", "2025-11-25"
# The newest generation in TypeScript is the client package 2.x, the one before is the SDK 1.x that most programs carry.
CLIENTS = [("python", NEW), ("python", OLD), ("typescript", NEW), ("typescript", OLD)]
REFUSAL = "remit/refusal"


class Lines:
    """A program that answers each JSON line of its standard input with one of its own."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None, cwd: Path = HERE):
        self.process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def read(self) -> dict[str, Any]:
        """The next line that the program printed."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the program ended: {self.process.stderr.read()}")
        return json.loads(line)

    def send(self, step: dict[str, Any]) -> None:
        """Starts a step without waiting for it, so that something else can happen meanwhile."""
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        self.send(step)
        return self.read()

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Driver(Lines):
    """One MCP client. `opening` is what it said when it had connected, or why it could not, or where to sign in."""

    def __init__(
        self,
        language: str,
        generation: str,
        *options: str,
        url: str | None = None,
        token: str | None = None,
        command: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ):
        arguments = [*PROGRAMS[language], "--generation", generation, *options]
        arguments += ["--token", token] if token else []
        arguments += ["--stdio", "-", "--", *command] if command else ["--url", str(url), "-"]
        super().__init__(arguments, environment)
        self.opening = self.read()

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        return self.step({"call": tool, "arguments": arguments})

    def tools(self) -> list[str]:
        return sorted(self.step({"list": {}})["tools"])

    def definitions(self) -> dict[str, dict[str, Any]]:
        return {tool["name"]: tool for tool in self.step({"list": {}})["definitions"]}


def text_of(said: dict[str, Any]) -> str:
    """The text that the client's model would read."""
    assert "result" in said, said
    return "\n".join(part.get("text", "") for part in said["result"]["content"])


def refusal_of(said: dict[str, Any]) -> dict[str, Any]:
    """Why a call was refused. The model must be able to read it, and a program its code."""
    assert said.get("is_error") is True, said
    refusal = said["result"]["_meta"][REFUSAL]
    assert refusal["sentence"] in text_of(said), said
    assert refusal.get("help", "") in text_of(said), said
    return refusal


def outcome_of(said: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without what belongs to one connection."""
    assert "result" in said, said
    result = said["result"]
    return {name: result.get(name) for name in ("content", "structuredContent")} | {"is_error": said["is_error"]}
