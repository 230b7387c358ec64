#!/usr/bin/env python3
"""The client that the suite starts when nothing stands in between: `direct.py SERVER_URL`."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from client import Client
from scenarios import SCENARIOS


def drive(url: str, *, through: bool) -> None:
    """Does at `url` what the scenario asks that the suite names in the environment."""
    context: dict[str, Any] = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
    client = Client(url, os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"])
    client.connect()
    SCENARIOS[os.environ["MCP_CONFORMANCE_SCENARIO"]](client, context | {"through": through})
    client.close()


if __name__ == "__main__":
    drive(sys.argv[1], through=False)
