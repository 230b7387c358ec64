"""Calls through other MCP proxies, with the callers that measure Remit. README.md beside this says how to install them."""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATIENCE_SECONDS = 30
HANDSHAKE = "2025-11-25"
HEAD = ["program", "revision", "pace", "p50 ms", "p99 ms", "calls/s", "own µs", "behind µs", "failed"]


def main() -> None:
    options = read_options()
    rows = []
    with tempfile.TemporaryDirectory(prefix="remit-others-") as directory, running(
        [options.remit, "sample", "echo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE
    ) as echo:
        upstream = echo.stdout.readline().decode().strip()
        rows += measured(options, "direct", upstream, "echo", echo)
        for name, command, path, tool in proxies(options, upstream, pathlib.Path(directory)):
            if command is None:
                print(f"`{name}` is not installed; tests/bench/README.md says how", file=sys.stderr)
                continue
            port = command.pop()
            with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
                wait_for(int(port), proxy)
                rows += measured(options, name, f"http://127.0.0.1:{port}{path}", tool, proxy)
    rows += of_remit(options)
    if options.json:
        json.dump(rows, sys.stdout, indent=2)
    else:
        print_table(rows)


def read_options() -> argparse.Namespace:
    others = ROOT / "target" / "others"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remit", type=pathlib.Path, default=ROOT / "target" / "release" / "remit")
    parser.add_argument("--mcp-proxy", type=pathlib.Path, default=others / "bin" / "mcp-proxy")
    parser.add_argument("--fastmcp", type=pathlib.Path, default=others / "venv" / "bin" / "python", help="its Python")
    parser.add_argument("--time", default="3s")
    parser.add_argument("--runs", default="3")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def proxies(options, upstream, directory):
    """Name, command (its port last; nothing if it is not installed), path and tool of each proxy."""
    port = free_port()
    settings = directory / "mcp-proxy.toml"
    settings.write_text(
        f'[proxy]\nname = "measured"\nseparator = "_"\n[proxy.listen]\nhost = "127.0.0.1"\nport = {port}\n'
        f'[[backends]]\nname = "echo"\ntransport = "http"\nurl = "{upstream}"\n'
    )
    command = [options.mcp_proxy, "--config", settings, port] if options.mcp_proxy.exists() else None
    yield "mcp-proxy 0.6.0", command, "/", "echo_echo"

    port = free_port()
    command = [options.fastmcp, HERE / "fastmcp_proxy.py", upstream, port, port] if options.fastmcp.exists() else None
    yield "FastMCP proxy", command, "/mcp", "echo"


def measured(options, name, url, tool, process):
    """The rows of one target. One that cannot carry the calls at all is told, and left out."""
    print(f"measuring: {name}", file=sys.stderr)
    arguments = ["--only-target", url, "--generation", HANDSHAKE, "--tool", tool, "--pid", process.pid]
    return bench(options, name, arguments)


def of_remit(options):
    """Remit's own rows, on a directory of its own, with the aims left to `remit bench door`."""
    print("measuring: remit", file=sys.stderr)
    rows = bench(options, "remit", ["--part", "calls"])
    return [row for row in rows if row["target"] == "remit"]


def bench(options, name, arguments):
    command = [options.remit, "bench", "door", "--time", options.time, "--runs", options.runs, "--json", *arguments]
    ended = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if ended.returncode != 0:
        print(f"`{name}` could not be measured: {ended.stderr.strip()}", file=sys.stderr)
        return []
    return [{**row, "program": name} for row in json.loads(ended.stdout)["calls"]["rows"]]


def print_table(rows):
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    for row in rows:
        (pace, number), = row["pace"].items()
        pace = f"{number} in flight" if pace == "in_flight" else f"{number:.0f} due each second"
        cells = [
            row["program"],
            row["generation"],
            pace,
            shown(row["milliseconds"]["p50"], 2),
            shown(row["milliseconds"]["p99"], 2),
            shown(row["per_second"], 0),
            shown(row["own_us"], 0),
            f"{row['behind_us']['median']:.0f}",
            str(row["failed"] + row["unanswered"]),
        ]
        print("| " + " | ".join(cells) + " |")


def shown(spread, decimals):
    middle, least, greatest = (f"{spread[name]:.{decimals}f}" for name in ("median", "min", "max"))
    return middle if least == greatest else f"{middle} ({least}–{greatest})"


@contextlib.contextmanager
def running(command, **streams):
    quiet = {"RUST_LOG": "error", "FASTMCP_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen([str(part) for part in command], env={**os.environ, **quiet}, **streams)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"`{process.args[0]}` ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    sys.exit(f"nobody listens on port {port}")


if __name__ == "__main__":
    main()
