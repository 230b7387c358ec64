"""Drives the official Python MCP client through a list of steps, one JSON line of output for each.

    python py_client.py --url URL [--token T] --generation 2026-07-28|2025-11-25|auto SCRIPT.json
    python py_client.py --url URL --sign-in REDIRECT_URI [--client-metadata URL] ... -      see py_sign_in.py
    python py_client.py --stdio --generation auto SCRIPT.json -- COMMAND ARGS...

SCRIPT.json holds a list of steps; `-` reads steps from standard input, one JSON object a line, and answers each at once.

    {"list": {}}                                              -> {"tools": [names], "definitions": [...]}
    {"call": NAME, "arguments": {...}, "meta": {...}}         -> {"result": {...}, "is_error": bool}
        optional: "timeout_seconds", "progress": true (adds "progress": [...]),
                  "input_responses" and "request_state" (resumes an exchange; see --manual)
    {"sleep_seconds": N}                                      -> {"slept": N}
    {"resources": {}} · {"templates": {}} · {"prompts": {}}   -> {"resources" | "templates" | "prompts": [...]}
    {"read": URI}                                             -> {"contents": [...]}
    {"prompt": NAME, "arguments": {...}}                      -> {"messages": [...]}
    {"complete": PROMPT, "argument": {"name", "value"}}       -> {"values": [...]}
    {"listen": {"tools", "prompts", "resources", "uris"}}     -> {"listening": {...}}
    {"unsubscribe": URI}                                      -> {"unsubscribed": URI}
    {"hear": METHOD, "seconds": N}                            -> {"heard": [notifications since the last time]}

A refused call prints {"error": {"code", "message", "data"}}. The first line is {"protocol": VERSION, "server": NAME},
or {"connect_error": {...}} and exit status 3. `--manual` prints {"input_required": {...}} instead of letting the SDK
answer it; otherwise `--elicit accept|decline` (with `--content` for forms), `--sample TEXT` and `--root URI` declare what
the client can be asked; it prints {"elicitation" | "sampling" | "roots": {...}} before it answers. `--log-level` asks
for log messages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

import py_features
import py_sign_in
from py_features import Ears, plain

OLD, NEW = "2025-11-25", "2026-07-28"


def emit(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def described(error: BaseException) -> dict[str, Any]:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, MCPError):
        return {"code": error.error.code, "message": error.error.message, "data": error.error.data}
    return {"code": None, "message": str(error), "data": None, "kind": type(error).__name__}


async def call(client: Client, step: dict[str, Any], arguments: argparse.Namespace) -> dict[str, Any]:
    progress: list[dict[str, Any]] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        progress.append({"progress": done, "total": total, "message": message})

    responses = step.get("input_responses")
    if responses is not None:
        responses = {key: types.ElicitResult.model_validate(value) for key, value in responses.items()}
    options = {
        "read_timeout_seconds": step.get("timeout_seconds", arguments.timeout_seconds),
        "progress_callback": on_progress if step.get("progress") else None,
        "input_responses": responses,
        "request_state": step.get("request_state"),
        "meta": step.get("meta"),
    }
    name, given = step["call"], step.get("arguments", {})
    if arguments.manual:
        result = await client.session.call_tool(name, given, allow_input_required=True, **options)
    else:
        result = await client.call_tool(name, given, **options)
    if isinstance(result, types.InputRequiredResult):
        return {"input_required": plain(result)}
    line = {"result": plain(result), "is_error": bool(result.is_error)}
    return line | {"progress": progress} if step.get("progress") else line


async def perform(
    client: Client, ears: Ears, stack: AsyncExitStack, step: dict[str, Any], arguments: argparse.Namespace
) -> dict[str, Any]:
    if (said := await py_features.perform(client, ears, stack, step)) is not None:
        return said
    if "list" in step:
        # Bypass the SDK's cache: each step must show what the server says now.
        tools, cursor = [], None
        while True:
            page = await client.list_tools(cursor=cursor, cache_mode="bypass")
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return {"tools": [tool.name for tool in tools], "definitions": [plain(tool) for tool in tools]}
    if "call" in step:
        return await call(client, step, arguments)
    if "sleep_seconds" in step:
        await asyncio.sleep(step["sleep_seconds"])
        return {"slept": step["sleep_seconds"]}
    raise ValueError(f"{step!r} is not a step")


async def steps(script: str):
    if script != "-":
        with open(script, encoding="utf-8") as file:
            for step in json.load(file):
                yield step
        return
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            yield json.loads(line)


async def connect(stack: AsyncExitStack, ears: Ears, arguments: argparse.Namespace) -> Client:
    if arguments.stdio:
        server = StdioServerParameters(command=arguments.command[0], args=arguments.command[1:])
    else:
        headers = {"Authorization": f"Bearer {arguments.token}"} if arguments.token else {}
        timeout = httpx2.Timeout(30, read=300)
        auth = py_sign_in.provider(arguments, emit) if arguments.sign_in else None
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth))
        server = streamable_http_client(arguments.url, http_client=http)

    client = Client(
        server,
        mode="legacy" if arguments.generation == OLD else "auto",
        client_info=types.Implementation(name="remit-tests-python", version="1"),
        message_handler=ears.hear,
        log_level=arguments.log_level if arguments.generation != OLD else None,
        **py_features.answers(arguments, emit),
    )
    client = await stack.enter_async_context(client)
    if arguments.generation != "auto" and client.protocol_version != arguments.generation:
        raise RuntimeError(f"negotiated `{client.protocol_version}`, wanted `{arguments.generation}`")
    if arguments.log_level and client.protocol_version != NEW:
        await client.set_logging_level(arguments.log_level)
    return client


async def run(arguments: argparse.Namespace) -> int:
    ears = Ears()
    async with AsyncExitStack() as stack:
        try:
            client = await connect(stack, ears, arguments)
        except Exception as error:
            emit({"connect_error": described(error)})
            return 3
        server = client.server_info
        emit({"protocol": client.protocol_version, "server": server.name if server else None})
        async for step in steps(arguments.script):
            try:
                emit(await perform(client, ears, stack, step, arguments))
            except Exception as error:
                emit({"error": described(error)})
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url")
    parser.add_argument("--stdio", action="store_true", help="start COMMAND and speak over its standard streams")
    parser.add_argument("--token")
    parser.add_argument("--sign-in", metavar="REDIRECT_URI", help="find out how to sign in, and do it")
    parser.add_argument("--client-metadata", metavar="URL", help="where the client says what it is")
    parser.add_argument("--generation", choices=[NEW, OLD, "auto"], default="auto")
    parser.add_argument("--timeout-seconds", type=float, default=60)
    parser.add_argument("--elicit", choices=["none", "accept", "decline"], default="none")
    parser.add_argument("--content", default="{}", help="what a form is filled in with, as JSON")
    parser.add_argument("--sample", help="what the client's model writes")
    parser.add_argument("--root", help="the directory that the client works in")
    parser.add_argument("--log-level")
    parser.add_argument("--manual", action="store_true")
    parser.add_argument("script")
    # argparse would take every `--` away, also those of the command itself.
    given, command = sys.argv[1:], []
    if "--" in given:
        end = given.index("--")
        given, command = given[:end], given[end + 1 :]
    arguments = parser.parse_args(given, argparse.Namespace(command=command))
    if arguments.stdio != bool(arguments.command) or arguments.stdio == bool(arguments.url):
        parser.error("give either --url, or --stdio and a command after `--`")
    return asyncio.run(run(arguments))


if __name__ == "__main__":
    sys.exit(main())
