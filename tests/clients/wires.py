"""Raw MCP servers in one generation at a time, on the standard library alone: what a server says is what its test wrote.

A server is a `Server` with `answer`; `run` serves it over standard streams, or over HTTP with `--http PORT`.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

OLD, NEW = "2025-11-25", "2026-07-28"
ASK_SECONDS_MAX = 30
LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
CACHED = {"server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"}
CAPABILITY = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}
FILTERS = {"tools": "toolsListChanged", "prompts": "promptsListChanged", "resources": "resourcesListChanged"}


def own(name: str) -> str:
    return f"io.modelcontextprotocol/{name}"


class Refused(Exception):
    """An error of the protocol, as it reaches the client."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.document = {"code": code, "message": message}


class InputRequired(Exception):
    """How a call of 2026-07-28 stops until its client has been asked."""

    def __init__(self, result: dict[str, Any]):
        super().__init__("input required")
        self.result = result


class Call:
    """One request under way. `put` writes to whoever made it; `over` is set when nobody waits for the answer."""

    def __init__(self, server: Server, message: dict[str, Any], put: Any):
        self.server = server
        self.id = message["id"]
        self.method: str = message["method"]
        self.params: dict[str, Any] = message.get("params", {})
        self.meta: dict[str, Any] = self.params.get("_meta", {})
        self.arguments: dict[str, Any] = self.params.get("arguments", {})
        self.put = put
        self.over = threading.Event()
        self.alive = lambda: True
        known = json.loads(self.params["requestState"]) if "requestState" in self.params else {}
        self.answers = known | self.params.get("inputResponses", {})

    def gave_up(self, seconds: float) -> bool:
        """Waits, and says whether the client gave up meanwhile."""
        for _ in range(int(seconds / 0.05) + 1):
            if self.over.wait(0.05) or not self.alive():
                return True
        return False

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.put({"method": method, "params": params})

    def progress(self, progress: float, total: float, message: str) -> None:
        if (token := self.meta.get("progressToken")) is not None:
            how_far = {"progress": progress, "total": total, "message": message}
            self.notify("notifications/progress", {"progressToken": token} | how_far)

    def log(self, level: str, data: Any) -> None:
        least = self.meta.get(own("logLevel")) if self.server.modern else self.server.level
        if least is not None and LEVELS.index(level) >= LEVELS.index(least):
            self.notify("notifications/message", {"level": level, "data": data})

    def can(self, method: str) -> bool:
        declared = self.meta.get(own("clientCapabilities"), {}) if self.server.modern else self.server.client
        return CAPABILITY[method] in declared

    def ask(self, name: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """What the client says to a request of this server, in the way that the generation has for it."""
        if not self.can(method):
            raise Refused(-32021 if self.server.modern else -32603, f"the client cannot be asked `{method}`")
        if not self.server.modern:
            return self.server.ask(self, method, params)
        if name not in self.answers:
            request = {"method": method, "params": params}
            raise InputRequired({"inputRequests": {name: request}, "requestState": json.dumps(self.answers)})
        return self.answers[name]


class Server:
    """What both generations and both transports share. Subclasses have `answer`, and declare `capabilities`."""

    name = "server"
    capabilities: dict[str, Any] = {"tools": {"listChanged": True}}

    def __init__(self, speak: str, journal: Path | None = None):
        self.modern = speak == NEW
        self.journal = journal
        self.on_streams = True
        self.level: str | None = None
        self.client: dict[str, Any] = {}
        self.watched: set[str] = set()
        """Streams on which news is told: what puts a message there, and what it wants to hear at 2026-07-28."""
        self.streams: dict[Any, tuple[Any, dict[str, Any]]] = {}
        self.underway: dict[Any, Call] = {}
        self.asked: dict[str, queue.Queue[dict[str, Any]]] = {}
        self.lock = threading.Lock()

    def answer(self, call: Call) -> dict[str, Any]:
        raise NotImplementedError

    def note(self, **what: Any) -> None:
        """What happened, where the test can see it."""
        if self.journal:
            with self.lock, self.journal.open("a") as journal:
                journal.write(json.dumps(what) + "\n")

    def ask(self, call: Call, method: str, params: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            ask = f"ask-{len(self.asked) + 1}"
            answer = self.asked[ask] = queue.Queue()
        call.put({"id": ask, "method": method, "params": params})
        said = answer.get(timeout=ASK_SECONDS_MAX)
        if "error" in said:
            raise Refused(-32603, f"the client answered: {said['error']['message']}")
        return said["result"]

    def announce(self, method: str, params: dict[str, Any] | None = None) -> None:
        """Tells whoever wants to hear it that something has changed."""
        kind = method.split("/")[1]
        uri = (params or {}).get("uri")
        for stream, (put, wanted) in list(self.streams.items()):
            heard = uri in (wanted.get("resourceSubscriptions", []) if self.modern else self.watched) if uri else True
            if not uri and self.modern:
                heard = wanted.get(FILTERS[kind], False)
            if heard:
                meta = {"_meta": {own("subscriptionId"): stream}} if self.modern else {}
                # Whoever has left does not hear it, and the others do.
                with suppress(OSError):
                    put({"method": method, "params": (params or {}) | meta})

    def take(self, message: dict[str, Any]) -> None:
        """A message of the client that is no request."""
        match message.get("method"):
            case "notifications/cancelled":
                self.streams.pop(message["params"]["requestId"], None)
                if call := self.underway.get(message["params"]["requestId"]):
                    call.over.set()
            case None if message.get("id") in self.asked:
                self.asked[message["id"]].put(message)

    def handle(self, call: Call) -> dict[str, Any]:
        """The answer to one request, without its envelope. The journal has every request, and every one that was given up."""
        self.note(request=call.method, params=call.params)
        self.underway[call.id] = call
        try:
            return {"result": self.complete(call.method, self.result(call))}
        except InputRequired as asks:
            return {"result": {"resultType": "input_required", **asks.result}}
        except Refused as refused:
            return {"error": refused.document}
        finally:
            self.underway.pop(call.id, None)

    def complete(self, method: str, result: dict[str, Any]) -> dict[str, Any]:
        if not self.modern:
            return result
        cached = {"ttlMs": 0, "cacheScope": "private"} if method in CACHED else {}
        return {"resultType": "complete"} | cached | result

    def result(self, call: Call) -> dict[str, Any]:
        match call.method:
            case "server/discover" if self.modern:
                return {"supportedVersions": [NEW], "capabilities": self.capabilities}
            case "initialize" if not self.modern:
                self.client = call.params.get("capabilities", {})
                about = {"serverInfo": {"name": self.name, "version": "1"}, "capabilities": self.capabilities}
                return {"protocolVersion": OLD} | about
            case "ping" if not self.modern:
                return {}
            case "logging/setLevel" if not self.modern:
                self.level = call.params["level"]
                return {}
            case "resources/subscribe" if not self.modern:
                self.watched.add(call.params["uri"])
                return {}
            case "resources/unsubscribe" if not self.modern:
                self.watched.discard(call.params["uri"])
                return {}
            case "initialize" | "server/discover" | "ping" | "logging/setLevel":
                raise Refused(-32601, f"`{call.method}` is not a method of this server")
            case _:
                return self.answer(call)

    def acknowledge(self, call: Call) -> None:
        """Takes a `subscriptions/listen`."""
        wanted = call.params["notifications"]
        self.note(request=call.method, params=call.params)
        meta = {"_meta": {own("subscriptionId"): call.id}}
        call.notify("notifications/subscriptions/acknowledged", {"notifications": wanted} | meta)
        self.streams[call.id] = (call.put, wanted)


def serve_lines(server: Server) -> None:
    """Serves `server` over standard streams, each request in a thread of its own."""
    writing = threading.Lock()

    def put(message: dict[str, Any]) -> None:
        with writing:
            print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)

    def answer(call: Call) -> None:
        put({"id": call.id, **server.handle(call)})

    if not server.modern:
        server.streams["all"] = (put, {})
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            server.take(message)
        elif server.modern and message["method"] == "subscriptions/listen":
            server.acknowledge(Call(server, message, put))
        else:
            threading.Thread(target=answer, args=(Call(server, message, put),), daemon=True).start()


def run(kind: type[Server], *options: str) -> None:
    """The program of a server: `--speak VERSION`, `--journal FILE`, `--http PORT`, and `options` that `kind` takes by name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--speak", choices=[OLD, NEW], required=True)
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--http", type=int)
    for option in options:
        parser.add_argument(f"--{option}", type=Path)
    given = vars(parser.parse_args())
    port = given.pop("http")
    server = kind(**given)
    if port is None:
        serve_lines(server)
    else:
        from http_wire import serve_http

        server.on_streams = False
        serve_http(server, port)
