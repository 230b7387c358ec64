"""A realm at work: people, an agent, connectors with approved tools, rules and grants, and tasks under them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service import Remit
from upstreams import Upstream, wait_until

AGENT = "support"
QUESTION_SECONDS_MAX = 10
INDEX_SECONDS_MAX = 15


class Task:
    """One task of the agent: its id, its token, and where its tools are."""

    def __init__(self, started: dict[str, Any]):
        self.id: str = started["task"]
        self.token: str = started["token"]


class Estate:
    """What a test finds ready. ana owns the agent, ben leads support and answers, mia is the second administrator and reads contents."""

    def __init__(self, remit: Remit, upstreams: list[Upstream]):
        self.remit = remit
        self.upstreams = {upstream.name: upstream for upstream in upstreams}
        remit.add_person("ana")
        remit.add_person("ben", "support-leads")
        remit.add_person("mia", "administrators", "content-readers")
        remit.cli("person", "add", "carla")
        self.register(AGENT)
        for upstream in upstreams:
            self.connect(upstream.name, upstream.approved, command=upstream.command, url=upstream.url)
        if upstreams:
            self.activate(remit.directory / "clients.cedar", "".join(upstream.rule() for upstream in upstreams))
            self.grant(*(f"{upstream.name}/{tool}" for upstream in upstreams for tool in sorted(upstream.granted)))

    def register(self, agent: str) -> None:
        profile = ["--owner", "ana", "--approver", "ben", "--purpose", "answers customers", "--class", "act"]
        profile += ["--autonomy", "A3", "--data-class", "D1,D2", "--environment", "production", "--review-in", "90d"]
        self.remit.cli("agent", "register", agent, *profile, "--activate")

    def add(self, name: str, *, command: list[str] | None = None, url: str | None = None) -> None:
        """Adds a connector, of which nothing is approved."""
        self.remit.agreed("connector", "add", name, *(["--http", url] if url else ["--stdio", "--", *command]))

    def connect(self, name: str, tools: frozenset[str], *, command: list[str] | None = None, url: str | None = None) -> None:
        """Adds a connector and approves some of its tools, so harmless that only grants and the tests' own rules decide."""
        self.add(name, command=command, url=url)
        named = [part for tool in sorted(tools) for part in ("--tool", tool)]
        self.remit.agreed("connector", "approve-tools", name, *named, "--risk", "1", "--data-class", "D1", "--external", "false")

    def activate(self, path: Path, rules: str) -> None:
        path.write_text(rules)
        change = self.remit.cli("policy", "propose", str(path), "--reason", "real clients need a person sometimes")
        self.remit.cli("policy", "activate", change["id"], by="mia")

    def grant(self, *operations: str, agent: str = AGENT) -> str:
        """Gives the agent a grant; returns its id."""
        asked = self.remit.cli("grant", "request", agent, *operations, "--reason", "first line", "--for", "30d", by="ana")
        self.remit.cli("grant", "approve", asked["id"], by="ben")
        return asked["id"]

    def task(self, purpose: str = "ticket 17", *options: str, agent: str = AGENT) -> Task:
        return Task(self.remit.cli("task", "start", agent, "--purpose", purpose, "--for", "carla", *options, by="ana"))

    def end(self, task: Task) -> None:
        self.remit.cli("task", "end", task.id, "--note", "done", by="ana")

    def question(self, task: Task) -> str:
        """The id of the approval that waits for an answer about `task`, as ben finds it in his list."""
        waiting = lambda: [one["id"] for one in self.remit.cli("approval", "list", by="ben")["items"] if one["task"] == task.id]
        found = wait_until(waiting, QUESTION_SECONDS_MAX, "somebody is asked")
        assert len(found) == 1, found
        return found[0]

    def shown(self, approval: str) -> dict[str, Any]:
        return self.remit.cli("approval", "show", approval, by="ben")

    def approve(self, approval: str) -> None:
        """ben says yes to what he was shown."""
        shown = self.shown(approval)
        seen = ["--digest", shown["digest"], "--shown", shown["shown_commitment"]]
        self.remit.cli("approval", "approve", approval, *seen, by="ben")

    def deny(self, approval: str, note: str) -> None:
        self.remit.cli("approval", "deny", approval, "--note", note, by="ben")

    def story(self, task: Task, operation: str) -> list[str]:
        """What the ledger says about an operation in a task, oldest first: decisions by their kind, outcomes by their name."""
        query = ["ledger", "query", "--task", task.id, "--operation", operation, "--limit", "500"]
        events = [item["record"]["event"] for item in reversed(self.remit.cli(*query)["items"])]
        return [event.get("outcome", {}).get("kind") or event["type"] for event in events]

    def ends(self, task: Task, operation: str, *story: str) -> None:
        """The last that the ledger says about an operation in a task; the search index follows the ledger."""
        try:
            wait_until(lambda: self.story(task, operation)[-len(story) :] == [*story], INDEX_SECONDS_MAX, operation)
        except TimeoutError:
            assert self.story(task, operation)[-len(story) :] == [*story]

    def records(self, task: Task, kind: str, about: str) -> list[dict[str, Any]]:
        """The records of one kind that name `about`, once there is one: the search index follows the ledger."""

        def found() -> list[dict[str, Any]]:
            items = self.remit.cli("ledger", "query", "--task", task.id, "--kind", kind)["items"]
            return [item for item in items if about in json.dumps(item)]

        return wait_until(found, INDEX_SECONDS_MAX, f"`{kind}` about `{about}` is found")
