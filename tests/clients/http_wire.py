"""The Streamable HTTP of `wires.py`: sessions and streams at 2025-11-25, one POST for each request at 2026-07-28."""

from __future__ import annotations

import json
import select
import socket
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from wires import NEW, Call, Server

BEAT_SECONDS = 0.2
STATUS = {-32601: 404, -32020: 400, -32022: 400}
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class Place(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: Web

    def log_message(self, *_: Any) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.streaming = False
        self.writing = threading.Lock()

    def alive(self) -> bool:
        """Whether the client is still connected."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return not readable or self.connection.recv(1, socket.MSG_PEEK) != b""
        except OSError:
            return False

    def document(self, status: int, document: dict[str, Any] | None = None, **headers: str) -> None:
        body = json.dumps(document).encode() if document is not None else b""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if document is not None:
            self.send_header("content-type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def put(self, message: dict[str, Any]) -> None:
        """Puts a message onto the stream that answers this request, which begins with it."""
        with self.writing:
            if not self.streaming:
                self.streaming = self.close_connection = True
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("connection", "close")
                self.end_headers()
            event = json.dumps({"jsonrpc": "2.0", **message})
            self.wfile.write(f"event: message\ndata: {event}\n\n".encode())

    def keep(self) -> None:
        """Leaves the stream open as long as the client is there."""
        while self.alive():
            threading.Event().wait(BEAT_SECONDS)

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server.mcp
        if "id" not in message or "method" not in message:
            server.take(message)
            return self.document(202)
        if fault := self.server.fault(self.headers, message):
            return self.document(400, {"jsonrpc": "2.0", "id": message["id"], "error": fault})
        call = Call(server, message, self.put)
        # Who leaves the stream gives up at 2026-07-28, and has to say so before.
        if server.modern:
            call.alive = self.alive
        if server.modern and call.method == "subscriptions/listen":
            server.acknowledge(call)
            self.keep()
            return server.streams.pop(call.id, None)
        said = server.handle(call)
        try:
            self.finish_call(call, said)
        except OSError:
            self.close_connection = True

    def finish_call(self, call: Call, said: dict[str, Any]) -> None:
        if self.streaming:
            return self.put({"id": call.id, **said})
        status = STATUS.get(said.get("error", {}).get("code"), 200) if self.server.mcp.modern else 200
        session = {"mcp_session_id": self.server.session} if call.method == "initialize" else {}
        self.document(status, {"jsonrpc": "2.0", "id": call.id, **said}, **session)

    def do_GET(self) -> None:
        if self.server.mcp.modern or self.headers.get("mcp-session-id") != self.server.session:
            return self.document(405, allow="POST")
        stream = uuid.uuid4().hex
        self.put({"method": "notifications/message", "params": {"level": "debug", "data": "listening"}})
        self.server.mcp.streams[stream] = (self.put, {})
        self.keep()
        self.server.mcp.streams.pop(stream, None)

    def do_DELETE(self) -> None:
        self.document(200)


class Web(ThreadingHTTPServer):
    """A server at `http://127.0.0.1:PORT/mcp`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, mcp: Server, port: int):
        super().__init__(("127.0.0.1", port), Place)
        self.mcp = mcp
        self.session = uuid.uuid4().hex

    def fault(self, headers: Any, message: dict[str, Any]) -> dict[str, Any] | None:
        """What is wrong with a request's headers, as a server of its generation sees it."""
        method, params = message["method"], message.get("params", {})
        if not self.mcp.modern:
            known = method == "initialize" or headers.get("mcp-session-id") == self.session
            return None if known else {"code": -32000, "message": "Bad Request: Server not initialized"}
        if headers.get("mcp-protocol-version") != NEW:
            return {"code": -32022, "message": "Unsupported protocol version", "data": {"supported": [NEW]}}
        named = NAMED_BY.get(method)
        same = headers.get("mcp-method") == method and (named is None or headers.get("mcp-name") == params.get(named))
        return None if same else {"code": -32020, "message": "the headers do not say what the body says"}


def serve_http(server: Server, port: int) -> None:
    Web(server, port).serve_forever()
