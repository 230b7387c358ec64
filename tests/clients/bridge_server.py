"""An MCP server with something of everything, which speaks one generation and nothing else.

    python bridge_server.py --speak 2025-11-25|2026-07-28 [--http PORT] [--journal FILE]

What reaches it is in the journal, a line each; so is every call that was given up.
"""

from __future__ import annotations

from typing import Any

from wires import Call, Refused, Server, run

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
SHARED = "note://shared"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
DEGREES = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "number"}},
    "required": ["city", "degrees"],
}
NOTHING = {"type": "object", "properties": {}}
TOOLS = [
    {"name": "weather", "description": "Says how warm it is.", "inputSchema": CITY, "outputSchema": DEGREES},
    {"name": "count", "description": "Counts to three.", "inputSchema": NOTHING},
    {"name": "linger", "description": "Takes half a minute.", "inputSchema": NOTHING},
    {"name": "greet", "description": "Asks for a name and a poem.", "inputSchema": NOTHING},
    {"name": "talk", "description": "Logs while it works.", "inputSchema": NOTHING},
    {"name": "edit", "description": "Changes the shared note.", "inputSchema": NOTHING},
    {"name": "publish", "description": "Adds a prompt and a resource.", "inputSchema": NOTHING},
]
RESOURCES = [
    {"uri": "note://greeting", "name": "Greeting", "mimeType": "text/plain"},
    {"uri": "note://pixel", "name": "Pixel", "mimeType": "image/png"},
    {"uri": SHARED, "name": "Shared", "mimeType": "text/plain"},
]
TEMPLATES = [{"uriTemplate": "note://by-id/{id}", "name": "By id", "mimeType": "text/plain"}]
REVIEW = {
    "name": "review",
    "description": "Asks for a review.",
    "arguments": [{"name": "topic", "description": "Of what.", "required": True}],
}
FORM = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
TOPICS = ["prose", "programs", "paintings"]


def text(words: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}]}


class Bridge(Server):
    name = "bridge"
    capabilities = {
        "tools": {"listChanged": True},
        "prompts": {"listChanged": True},
        "resources": {"listChanged": True, "subscribe": True},
        "completions": {},
        "logging": {},
    }

    def answer(self, call: Call) -> dict[str, Any]:
        match call.method:
            case "tools/list":
                return {"tools": TOOLS}
            case "tools/call":
                return getattr(self, call.params["name"])(call)
            case "resources/list":
                return {"resources": RESOURCES}
            case "resources/templates/list":
                return {"resourceTemplates": TEMPLATES}
            case "resources/read":
                return {"contents": [self.read(call.params["uri"])]}
            case "prompts/list":
                return {"prompts": [REVIEW]}
            case "prompts/get":
                words = f"Review some {call.arguments['topic']}."
                return {"messages": [{"role": "user", "content": {"type": "text", "text": words}}]}
            case "completion/complete":
                begun = call.params["argument"]["value"]
                values = [topic for topic in TOPICS if topic.startswith(begun)]
                return {"completion": {"values": values, "total": len(values), "hasMore": False}}
        raise Refused(-32601, f"`{call.method}` is not a method of this server")

    def read(self, uri: str) -> dict[str, Any]:
        if uri == "note://pixel":
            return {"uri": uri, "mimeType": "image/png", "blob": PIXEL}
        if uri in ("note://greeting", SHARED) or uri.startswith("note://by-id/"):
            return {"uri": uri, "mimeType": "text/plain", "text": f"This is {uri.removeprefix('note://')}."}
        raise Refused(-32602, "there is no such resource")

    def weather(self, call: Call) -> dict[str, Any]:
        city = call.arguments["city"]
        return text(f"It is 4.5 degrees in {city}.") | {"structuredContent": {"city": city, "degrees": 4.5}}

    def count(self, call: Call) -> dict[str, Any]:
        for done in (1, 2, 3):
            call.progress(done, 3, f"step {done}")
            # Some clients lose what arrives together with the answer.
            call.gave_up(0.1)
        return text("Counted.")

    def linger(self, call: Call) -> dict[str, Any]:
        if call.gave_up(30):
            self.note(given_up=call.params["name"])
        return text("Here at last.")

    def greet(self, call: Call) -> dict[str, Any]:
        form = {"mode": "form", "message": "Who is it?", "requestedSchema": FORM}
        person = call.ask("person", "elicitation/create", form)
        if person["action"] != "accept":
            return text(f"Nobody ({person['action']}).")
        message = {"role": "user", "content": {"type": "text", "text": "A poem about somebody."}}
        poem = call.ask("poem", "sampling/createMessage", {"messages": [message], "maxTokens": 100})
        return text(f"{person['content']['name']}: {poem['content']['text']}")

    def talk(self, call: Call) -> dict[str, Any]:
        for level in ("debug", "info", "warning"):
            call.log(level, f"this is {level}")
        return text("Said.")

    def edit(self, call: Call) -> dict[str, Any]:
        self.announce("notifications/resources/updated", {"uri": SHARED})
        self.announce("notifications/resources/updated", {"uri": "note://greeting"})
        return text("Changed.")

    def publish(self, call: Call) -> dict[str, Any]:
        self.announce("notifications/prompts/list_changed")
        self.announce("notifications/resources/list_changed")
        return text("Published.")


if __name__ == "__main__":
    run(Bridge)
