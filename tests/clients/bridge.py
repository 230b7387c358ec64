"""A realm in front of servers that speak one generation each, over standard streams and over HTTP."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from driving import NEW, OLD
from estate import Estate
from service import Remit, free_port
from upstreams import serving

SERVER = str(Path(__file__).resolve().parent / "bridge_server.py")
GENERATIONS = {"old": OLD, "new": NEW}
SERVERS = [f"{age}-{transport}" for age in GENERATIONS for transport in ("stdio", "http")]

ASKED_BACK = ["@elicitation", "@roots", "@sampling"]


def harmless(data: str = "D0") -> list[str]:
    """So little that nobody has to be asked, and for the lowest classes that what is said during a call may pass."""
    return ["--verb", "read", "--risk", "0", "--data-class", data, "--external", "false"]


class Bridge:
    """The realm, and what reached each of its servers."""

    def __init__(self, remit: Remit):
        self.estate = Estate(remit, [])
        self.remit = remit

    def journal(self, connector: str) -> Path:
        return self.remit.directory / f"{connector}.journal"

    def heard(self, connector: str, **what: Any) -> list[dict[str, Any]]:
        """What the server of `connector` wrote into its journal that has these members."""
        journal = self.journal(connector)
        lines = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
        return [line for line in lines if what.items() <= line.items()]

    def connect(self, connector: str, *, approves: list[str] = ASKED_BACK, **place: Any) -> None:
        """Adds a connector with everything that its server has, and what it may ask besides, and grants all of it."""
        self.estate.add(connector, **place)
        approve = ["connector", "approve-tools", connector]
        self.remit.agreed(*approve, "--all", *harmless())
        if approves:
            self.remit.agreed(*approve, *(part for one in approves for part in ("--tool", one)), *harmless())
        self.estate.grant(f"{connector}/*")


@contextmanager
def bridges(remit: Remit) -> Iterator[Bridge]:
    """Everything of `SERVERS`, approved and granted."""
    bridge = Bridge(remit)
    with ExitStack() as running:
        for connector in SERVERS:
            age, transport = connector.split("-")
            journal = str(bridge.journal(connector))
            command = [sys.executable, SERVER, "--speak", GENERATIONS[age], "--journal", journal]
            if transport == "stdio":
                bridge.connect(connector, command=command)
                continue
            port = free_port()
            url = f"http://127.0.0.1:{port}/mcp"
            running.enter_context(serving([*command, "--http", str(port)], url, {}))
            bridge.connect(connector, url=url)
        yield bridge
