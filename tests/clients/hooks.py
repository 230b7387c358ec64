"""Gateways of others as they ask for decisions: Envoy by the messages that its makers publish, agentgateway by our description of its protocol."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2, external_auth_pb2_grpc
from google.protobuf.json_format import ParseDict
from grpc_tools import protoc

from service import ROOT

PROTOCOL = ROOT / "crates" / "gateway" / "proto" / "agentgateway"
SECONDS_MAX = 15


def generate(directory: Path) -> tuple[ModuleType, ModuleType]:
    """The messages and the client of `ext_mcp.proto`, made in `directory`."""
    own = Path(protoc.__file__).parent / "_proto"
    done = protoc.main(
        ["protoc", f"-I{PROTOCOL}", f"-I{own}", f"--python_out={directory}", f"--grpc_python_out={directory}", "ext_mcp.proto"]
    )
    assert done == 0, "the protocol's description cannot be compiled"
    sys.path.insert(0, str(directory))
    try:
        return importlib.import_module("ext_mcp_pb2"), importlib.import_module("ext_mcp_pb2_grpc")
    finally:
        sys.path.remove(str(directory))


class Checked:
    """An answer to Envoy: what Envoy does with it."""

    def __init__(self, answer: external_auth_pb2.CheckResponse):
        self.allowed = answer.status.code == 0
        assert answer.HasField("ok_response") == self.allowed
        said = answer.ok_response if self.allowed else answer.denied_response
        self.headers = {option.header.key: option.header.value for option in said.headers}
        self.removed = [] if not self.allowed else [*said.headers_to_remove, *said.query_parameters_to_remove]
        self.status = 200 if self.allowed else int(said.status.code)
        self.problem: dict[str, Any] = {} if self.allowed else json.loads(said.body)

    @property
    def code(self) -> str | None:
        return self.problem.get("code")


class Envoy:
    """Asks as the HTTP filter `ext_authz` does, with whole bodies."""

    def __init__(self, channel: grpc.Channel, token: str | None):
        self.stub = external_auth_pb2_grpc.AuthorizationStub(channel)
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def check(
        self,
        method: str,
        path: str,
        *,
        host: str = "orders.internal:8080",
        body: Any = None,
        headers: dict[str, str] | None = None,
        extensions: dict[str, str] | None = None,
        principal: str = "",
        partial: bool = False,
        protocol: str = "HTTP/1.1",
        text: bool = False,
    ) -> Checked:
        raw = b"" if body is None else json.dumps(body).encode()
        # As Envoy writes it, with its pseudo-headers.
        told = {":method": method, ":path": path, ":authority": host, "x-request-id": "7"} | (headers or {})
        if body is not None:
            told |= {"content-type": "application/json", "x-envoy-auth-partial-body": str(partial).lower()}
        http = attribute_context_pb2.AttributeContext.HttpRequest(
            id="1", method=method, path=path, host=host, scheme="https", protocol=protocol, size=len(raw), headers=told
        )
        if text:
            # As without `pack_as_bytes`.
            http.body = raw.decode()
        else:
            http.raw_body = raw
        attributes = attribute_context_pb2.AttributeContext(context_extensions=extensions or {})
        attributes.request.http.CopyFrom(http)
        attributes.source.principal = principal
        attributes.source.address.socket_address.address = "127.0.0.1"
        attributes.source.address.socket_address.port_value = 4711
        asked = external_auth_pb2.CheckRequest(attributes=attributes)
        return Checked(self.stub.Check(asked, metadata=self.metadata, timeout=SECONDS_MAX))

    def calls(self, tool: str, arguments: dict[str, Any], **said: Any) -> Checked:
        """A client's `tools/call`, on its way to an MCP server behind Envoy."""
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        return self.check("POST", "/mcp", body=body, **said)


class Agentgateway:
    """Asks as a processor of MCP guardrails is asked."""

    def __init__(self, channel: grpc.Channel, token: str, generated: tuple[ModuleType, ModuleType]):
        self.messages, self.clients = generated
        self.stub = self.clients.ExtMcpStub(channel)
        self.metadata = [("authorization", f"Bearer {token}")]

    def request(
        self, method: str, params: Any, *services: str, client: str | None = None, headers: dict[str, str] | None = None, **context: str
    ) -> Any:
        asked = self.messages.McpRequest(service_names=services, method=method)
        if params is not None:
            asked.mcp_request = json.dumps(params).encode()
        ParseDict(context, asked.metadata_context)
        # It passes on pseudo-headers too.
        said = {":method": "POST", ":path": "/mcp", ":authority": "tools.internal", ":scheme": "https"} | (headers or {})
        if client:
            said["authorization"] = f"Bearer {client}"
        for name, value in said.items():
            asked.headers.add(key=name, value=value.encode())
        return self.stub.CheckRequest(asked, metadata=self.metadata, timeout=SECONDS_MAX)

    def response(self, method: str, result: Any, *services: str, **context: str) -> Any:
        asked = self.messages.McpResponse(service_names=services, method=method, mcp_response=json.dumps(result).encode())
        ParseDict(context, asked.metadata_context)
        return self.stub.CheckResponse(asked, metadata=self.metadata, timeout=SECONDS_MAX)
