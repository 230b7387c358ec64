"""A small MCP client in both generations, on nothing but the standard library: what drives the suite's client scenarios."""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

STATELESS = "2026-07-28"
CLIENT = {"name": "remit-conformance-driver", "version": "1.0.0"}
CAPABILITIES: dict[str, Any] = {"elicitation": {}, "sampling": {}, "roots": {}}
OWN = "io.modelcontextprotocol/"
ROUNDS_MAX = 10
RECONNECTS_MAX = 5
SOCKET_SECONDS_MAX = 20
LISTEN_SECONDS_MAX = 2
NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


class RpcError(Exception):
    """The server answered with an error."""

    def __init__(self, document: dict[str, Any]):
        super().__init__(f"{document.get('code')}: {document.get('message')}")
        self.code = document.get("code")
        self.data = document.get("data")


class ToolFailed(Exception):
    """The tool, or who stands before it, answered that it failed."""


def accept_defaults(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Answers what a server asks as a person would who leaves every field as it is."""
    if method == "elicitation/create":
        fields = params.get("requestedSchema", {}).get("properties", {})
        return {"action": "accept", "content": {name: field["default"] for name, field in fields.items() if "default" in field}}
    if method == "sampling/createMessage":
        return {"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "none", "stopReason": "endTurn"}
    return {"roots": [{"uri": "file:///tmp", "name": "tmp"}]}


def for_header(value: Any) -> str:
    """A value as a header carries it: as it is where that is safe, else in base64."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    if text == text.strip() and all(" " <= letter <= "~" for letter in text):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


class Client:
    """One client of one server, at one revision of the protocol."""

    def __init__(self, url: str, revision: str, answer: Callable[[str, dict[str, Any]], dict[str, Any]] = accept_defaults):
        self.url = urlsplit(url)
        self.revision = revision
        self.answer = answer
        self.session: str | None = None
        self.ids = itertools.count(1)
        self.tools: dict[str, dict[str, Any]] = {}

    @property
    def is_stateless(self) -> bool:
        return self.revision == STATELESS

    def connect(self) -> dict[str, Any]:
        """Greets the server: a discovery, or the handshake."""
        if self.is_stateless:
            return self.request("server/discover")
        asked = {"protocolVersion": self.revision, "capabilities": CAPABILITIES, "clientInfo": CLIENT}
        greeting = self.request("initialize", asked)
        self.revision = greeting["protocolVersion"]
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"}).read()
        if self.session is not None:
            self._listen()
        return greeting

    def _listen(self) -> None:
        """Opens the session's own stream, where a server may ask too. One without it answers with an error, which is fine."""
        is_open = threading.Event()

        def read() -> None:
            # The stream ends with the session, or with the server.
            with contextlib.suppress(OSError, http.client.HTTPException):
                response = self._open("GET", {"Accept": "text/event-stream"})
                is_open.set()
                for event in events(response) if response.status == 200 else ():
                    if event.get("data"):
                        self._receive(json.loads(event["data"]))

        threading.Thread(target=read, daemon=True).start()
        is_open.wait(LISTEN_SECONDS_MAX)

    def close(self) -> None:
        if self.session is not None:
            self._open("DELETE", {}).read()

    def list_tools(self) -> list[dict[str, Any]]:
        listed = self.request("tools/list")["tools"]
        self.tools = {tool["name"]: tool for tool in listed}
        return listed

    def call(self, name: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Calls a tool. Raises `ToolFailed` where it says so itself."""
        result = self.request("tools/call", {"name": name, "arguments": arguments or {}})
        if result.get("isError"):
            raise ToolFailed(f"`{name}`: {json.dumps(result['content'], ensure_ascii=False)}")
        return result

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Sends a request, again with the answers as long as the server asks for something first. Raises `RpcError`."""
        params = dict(params or {})
        for _ in range(ROUNDS_MAX):
            result = self._exchange(method, params)
            if result.get("resultType") != "input_required":
                return result
            asked = result.get("inputRequests") or {}
            answers = {key: self.answer(one["method"], one.get("params", {})) for key, one in asked.items()}
            params = {name: value for name, value in params.items() if name != "requestState"} | {"inputResponses": answers}
            if "requestState" in result:
                params["requestState"] = result["requestState"]
        raise RuntimeError(f"`{method}` still asks after {ROUNDS_MAX} rounds")

    def _exchange(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._once(method, params)
        except RpcError as error:
            # Another version was asked for than the server has: once more with one that both have.
            if error.code == -32022 and self.revision in (error.data or {}).get("supported", []):
                return self._once(method, params)
            raise

    def _once(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        message = {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}
        headers = {}
        if self.is_stateless:
            own = {"protocolVersion": self.revision, "clientInfo": CLIENT, "clientCapabilities": CAPABILITIES}
            message["params"] = params | {"_meta": {OWN + name: value for name, value in own.items()}}
            headers = self._routing(method, params)
        answer = self._answer_to(message, headers)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def _routing(self, method: str, params: dict[str, Any]) -> dict[str, str]:
        headers = {"Mcp-Method": method}
        if method in NAMED_BY:
            headers["Mcp-Name"] = for_header(params[NAMED_BY[method]])
        if method == "tools/call":
            properties = self.tools.get(params["name"], {}).get("inputSchema", {}).get("properties", {})
            for name, schema in properties.items():
                value = params["arguments"].get(name)
                if "x-mcp-header" in schema and value is not None:
                    headers[f"Mcp-Param-{schema['x-mcp-header']}"] = for_header(value)
        return headers

    def _answer_to(self, message: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        response = self._send(message, headers)
        for _ in range(RECONNECTS_MAX):
            if not response.getheader("content-type", "").startswith("text/event-stream"):
                body = response.read()
                if not body:
                    raise RuntimeError(f"`{message['method']}` was answered with status {response.status} and nothing else")
                return json.loads(body)
            last, retry_milliseconds = None, 1000
            for event in events(response):
                last = event.get("id", last)
                retry_milliseconds = int(event.get("retry", retry_milliseconds))
                if not event.get("data"):
                    continue
                received = json.loads(event["data"])
                if received.get("id") == message["id"] and "method" not in received:
                    return received
                self._receive(received)
            if last is None:
                raise RuntimeError(f"the stream of `{message['method']}` ended without an answer")
            time.sleep(retry_milliseconds / 1000)
            response = self._open("GET", {"Accept": "text/event-stream", "Last-Event-ID": last})
        raise RuntimeError(f"`{message['method']}` was not answered after {RECONNECTS_MAX} connections")

    def _receive(self, received: dict[str, Any]) -> None:
        """Something that comes before the answer: a notification, or a question of the server."""
        if "method" in received and "id" in received:
            answer = {"jsonrpc": "2.0", "id": received["id"], "result": self.answer(received["method"], received.get("params", {}))}
            self._send(answer).read()

    def _send(self, message: dict[str, Any], headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
        own = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        greets = message.get("method") == "initialize"
        response = self._open("POST", own | (headers or {}), json.dumps(message), with_version=not greets)
        if greets:
            self.session = response.getheader("mcp-session-id")
        return response

    def _open(self, verb: str, headers: dict[str, str], body: str | None = None, with_version: bool = True) -> http.client.HTTPResponse:
        headers = dict(headers)
        if with_version:
            headers["MCP-Protocol-Version"] = self.revision
        if self.session is not None:
            headers["Mcp-Session-Id"] = self.session
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=SOCKET_SECONDS_MAX)
        connection.request(verb, self.url.path or "/", body.encode() if body is not None else None, headers)
        return connection.getresponse()


def events(response: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    """The events of a stream as their fields; one that only names an id or a time counts too."""
    fields: dict[str, str] = {}
    for line in response:
        text = line.decode().rstrip("\r\n")
        if not text:
            if fields:
                yield fields
            fields = {}
            continue
        name, _, value = text.partition(":")
        if name:
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name == "data" and "data" in fields else value
