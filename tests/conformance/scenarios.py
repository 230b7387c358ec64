"""What a client has to do in each of the suite's client scenarios that concern a gateway."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any

from client import Client, RpcError, ToolFailed

# A token of RFC 9110, which is what a header's name is.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
PRIMITIVE = {"string", "integer", "boolean"}


def initialize(client: Client, _: dict[str, Any]) -> None:
    client.list_tools()


def tools_call(client: Client, _: dict[str, Any]) -> None:
    client.list_tools()
    client.call("add_numbers", {"a": 5, "b": 3})


def reconnection(client: Client, _: dict[str, Any]) -> None:
    client.list_tools()
    client.call("test_reconnection")


def elicitation_defaults(client: Client, _: dict[str, Any]) -> None:
    client.list_tools()
    client.call("test_client_elicitation_defaults")


def request_state(client: Client, _: dict[str, Any]) -> None:
    client.list_tools()
    for name in ("test_mrtr_echo_state", "test_mrtr_unrelated", "test_mrtr_no_state", "test_mrtr_no_result_type"):
        client.call(name)


def standard_headers(client: Client, _: dict[str, Any]) -> None:
    for tool in client.list_tools():
        client.call(tool["name"])
    for resource in client.request("resources/list")["resources"]:
        client.request("resources/read", {"uri": resource["uri"]})
    for prompt in client.request("prompts/list")["prompts"]:
        client.request("prompts/get", {"name": prompt["name"]})


def custom_headers(client: Client, context: dict[str, Any]) -> None:
    client.list_tools()
    for call in context["toolCalls"]:
        arguments = call["arguments"]
        # One argument is null where the tool's schema says boolean. Remit refuses what does not fit the schema, so through
        # Remit it is left out, which the scenario takes for the same.
        if context.get("through"):
            arguments = {name: value for name, value in arguments.items() if value is not None}
        client.call(call["name"], arguments)


def invalid_tool_headers(client: Client, context: dict[str, Any]) -> None:
    for tool in client.list_tools():
        # Through Remit this client takes whatever it is offered: leaving out what is invalid is then Remit's part.
        if context.get("through") or has_valid_marks(tool):
            with contextlib.suppress(RpcError, ToolFailed):
                client.call(tool["name"], sample_arguments(tool))


def preserved_schema(client: Client, _: dict[str, Any]) -> None:
    schemas = {tool["name"]: tool["inputSchema"] for tool in client.list_tools()}
    client.call("json_schema_echo", {"schema": schemas["json_schema_2020_12_tool"]})


def has_valid_marks(tool: dict[str, Any]) -> bool:
    """Whether each `x-mcp-header` of a tool can be a header (SEP-2243)."""
    marked = [schema for schema in tool["inputSchema"].get("properties", {}).values() if "x-mcp-header" in schema]
    marks = [schema["x-mcp-header"].lower() for schema in marked]
    fit = all(TOKEN.fullmatch(schema["x-mcp-header"]) and schema.get("type") in PRIMITIVE for schema in marked)
    return fit and len(set(marks)) == len(marks)


def sample_arguments(tool: dict[str, Any]) -> dict[str, Any]:
    samples: dict[str, Any] = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "array": ["x"], "object": {}, "null": None}
    schema = tool["inputSchema"]
    return {name: samples[schema["properties"][name]["type"]] for name in schema.get("required", [])}


SCENARIOS: dict[str, Callable[[Client, dict[str, Any]], None]] = {
    "initialize": initialize,
    "tools_call": tools_call,
    "sse-retry": reconnection,
    "elicitation-sep1034-client-defaults": elicitation_defaults,
    "request-metadata": initialize,
    "sep-2322-client-request-state": request_state,
    "http-standard-headers": standard_headers,
    "http-custom-headers": custom_headers,
    "http-invalid-tool-headers": invalid_tool_headers,
    "json-schema-ref-no-deref": initialize,
    "json-schema-2020-12-preservation": preserved_schema,
}
