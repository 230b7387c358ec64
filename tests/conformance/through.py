#!/usr/bin/env python3
"""The client that the suite starts when Remit is what is tested: `through.py SERVER_URL`.

Adds the suite's server to a running Remit as a connector of the sandbox, approves all that it offers, and does through
the sandbox's door what the scenario asks: the client that the suite's server sees is Remit. `REMIT_BIN` and `REMIT_DATA`
name the program and its data directory, `REMIT_DOOR` the address of the sandbox's door.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from direct import drive
from program import Sandbox


def main() -> None:
    sandbox = Sandbox(Path(os.environ["REMIT_BIN"]), Path(os.environ["REMIT_DATA"]), os.environ["REMIT_DOOR"])
    scenario, revision = os.environ["MCP_CONFORMANCE_SCENARIO"], os.environ["MCP_CONFORMANCE_PROTOCOL_VERSION"]
    name = re.sub(r"[^a-z0-9]+", "-", f"{scenario}-{revision}")
    sandbox.connect(name, sys.argv[1])
    try:
        drive(sandbox.door(name), through=True)
    finally:
        sandbox.disconnect(name)


if __name__ == "__main__":
    main()
