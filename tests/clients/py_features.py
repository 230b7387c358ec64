"""What the Python client does besides calling tools: resources, prompts, completion, news, and answering a server."""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import mcp_types as types
from mcp import Client

NEW = "2026-07-28"


def plain(model: Any) -> dict[str, Any]:
    return model.model_dump(by_alias=True, mode="json", exclude_none=True)


class Ears:
    """What the server said without being asked, in order."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.more = asyncio.Event()

    async def hear(self, message: Any) -> None:
        if isinstance(message, Exception):
            return
        self.heard.append(plain(message))
        self.more.set()

    async def wait(self, method: str, seconds: float) -> dict[str, Any]:
        """All that was said since the last time, as soon as `method` is among it, or after `seconds`."""
        end = asyncio.get_running_loop().time() + seconds
        while all(one["method"] != method for one in self.heard):
            self.more.clear()
            try:
                await asyncio.wait_for(self.more.wait(), end - asyncio.get_running_loop().time())
            except TimeoutError:
                break
        said, self.heard = self.heard, []
        return {"heard": said}


def answers(arguments: argparse.Namespace, emit: Any) -> dict[str, Any]:
    """The callbacks with which the client declares what it can be asked. Each prints what it was asked."""

    async def elicit(_context: Any, params: Any) -> types.ElicitResult:
        emit({"elicitation": plain(params)})
        content = json.loads(arguments.content) if arguments.elicit == "accept" and params.mode == "form" else None
        return types.ElicitResult(action=arguments.elicit, content=content)

    async def sample(_context: Any, params: Any) -> types.CreateMessageResult:
        emit({"sampling": plain(params)})
        text = types.TextContent(type="text", text=arguments.sample)
        return types.CreateMessageResult(role="assistant", content=text, model="remit-tests")

    async def roots(_context: Any) -> types.ListRootsResult:
        emit({"roots": {}})
        return types.ListRootsResult(roots=[types.Root(uri=arguments.root)])

    return {
        "elicitation_callback": None if arguments.elicit == "none" else elicit,
        "sampling_callback": sample if arguments.sample else None,
        "list_roots_callback": roots if arguments.root else None,
    }


async def listen(client: Client, stack: AsyncExitStack, step: dict[str, Any]) -> dict[str, Any]:
    """Follows lists and resources: by one stream at 2026-07-28, by asking for each resource before that."""
    wanted = step["listen"]
    uris = wanted.get("uris", [])
    if client.protocol_version != NEW:
        for uri in uris:
            await client.subscribe_resource(uri)
        return {"listening": {"uris": uris}}
    kinds = {f"{kind}_list_changed": bool(wanted.get(kind)) for kind in ("tools", "prompts", "resources")}
    stream = await stack.enter_async_context(client.listen(**kinds, resource_subscriptions=uris))
    return {"listening": plain(stream.honored)}


async def pages(listed: Any, member: str) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        page = await listed(cursor=cursor, cache_mode="bypass")
        found += [plain(one) for one in getattr(page, member)]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def perform(client: Client, ears: Ears, stack: AsyncExitStack, step: dict[str, Any]) -> dict[str, Any] | None:
    """One step that is no call; nothing if it is not one of these."""
    match step:
        case {"resources": _}:
            return {"resources": await pages(client.list_resources, "resources")}
        case {"templates": _}:
            return {"templates": await pages(client.list_resource_templates, "resource_templates")}
        case {"read": uri}:
            return {"contents": plain(await client.read_resource(uri, cache_mode="bypass"))["contents"]}
        case {"prompts": _}:
            return {"prompts": await pages(client.list_prompts, "prompts")}
        case {"prompt": name}:
            return {"messages": plain(await client.get_prompt(name, step.get("arguments", {})))["messages"]}
        case {"complete": name}:
            prompt = types.PromptReference(type="ref/prompt", name=name)
            return {"values": (await client.complete(prompt, step["argument"])).completion.values}
        case {"listen": _}:
            return await listen(client, stack, step)
        case {"unsubscribe": uri}:
            await client.unsubscribe_resource(uri)
            return {"unsubscribed": uri}
        case {"hear": method}:
            return await ears.wait(method, step["seconds"])
    return None
