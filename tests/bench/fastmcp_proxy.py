"""FastMCP as a proxy: `fastmcp_proxy.py UPSTREAM_URL PORT`."""

import sys

from fastmcp.server import create_proxy

upstream, port = sys.argv[1], int(sys.argv[2])
create_proxy(upstream).run(transport="http", host="127.0.0.1", port=port, log_level="error", show_banner=False)
