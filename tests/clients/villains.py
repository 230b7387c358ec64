"""Connectors whose servers are malicious, as a test has planned it, and a realm of such."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge import harmless
from driving import NEW, OLD, Driver
from estate import Estate, Task
from service import free_port
from upstreams import serving

SERVER = str(Path(__file__).resolve().parent / "malicious_server.py")
NOTHING = {"type": "object", "properties": {}}

# Each generation over each transport, and each client once.
WAYS = {
    "old-stdio": (OLD, ("python", OLD)),
    "old-http": (OLD, ("typescript", NEW)),
    "new-stdio": (NEW, ("typescript", OLD)),
    "new-http": (NEW, ("python", NEW)),
}


def tool(name: str, description: str = "Does what it says.", **members: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": NOTHING} | members


@dataclass
class Villain:
    """One malicious server as a connector."""

    estate: Estate
    name: str
    way: str
    directory: Path
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.directory / f"{self.name}.plan"

    @property
    def journal(self) -> Path:
        return self.directory / f"{self.name}.journal"

    def change(self, **plan: Any) -> None:
        """From now on the server does otherwise."""
        self.plan |= plan
        written = self.path.with_suffix(".new")
        written.write_text(json.dumps(self.plan))
        os.replace(written, self.path)

    def heard(self, method: str) -> list[dict[str, Any]]:
        """The requests of one method that reached the server."""
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()] if self.journal.exists() else []
        return [line for line in lines if line.get("request") == method]

    def calls(self) -> list[str]:
        return [line["params"]["name"] for line in self.heard("tools/call")]

    @property
    def command(self) -> list[str]:
        speak = WAYS[self.way][0]
        return [sys.executable, SERVER, "--speak", speak, "--plan", str(self.path), "--journal", str(self.journal)]

    @contextmanager
    def connected(self) -> Iterator[Villain]:
        """The server as a connector of which nothing is approved."""
        if self.way.endswith("stdio"):
            self.estate.add(self.name, command=self.command)
            yield self
            return
        port = free_port()
        url = f"http://127.0.0.1:{port}/mcp"
        with serving([*self.command, "--http", str(port)], url, {}):
            self.estate.add(self.name, url=url)
            yield self

    def approve(self, *tools: str, data: str = "D0") -> None:
        """Approves tools by their names as harmless, but for the class of their data, and grants them."""
        named = [part for one in tools for part in ("--tool", one)]
        self.estate.remit.agreed("connector", "approve-tools", self.name, *named, *harmless(data))
        self.estate.grant(*(f"{self.name}/{one}" for one in tools))

    def reviewed(self) -> dict[str, dict[str, Any]]:
        """What `remit connector tools` says, by tool."""
        items = self.estate.remit.cli("connector", "tools", self.name)["items"]
        return {item["tool"]: item for item in items}

    def review(self) -> str:
        """What a person reads who looks at what changed."""
        return self.estate.remit.run("connector", "tools", self.name, "--diff").stdout

    def client(self, *options: str) -> tuple[Driver, Task]:
        """The client of this way, and its task."""
        task = self.estate.task(f"meets {self.name}")
        language, generation = WAYS[self.way][1]
        place = {"url": self.estate.remit.mcp(self.name), "token": task.token}
        return Driver(language, generation, *options, **place), task
