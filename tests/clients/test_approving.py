"""An approval in the protocol's own ways: the person led to the page, waiting, a handle for later; and a no with its note."""

import json
import time
from typing import Any

import httpx
import pytest

from browser import console
from driving import CLIENTS, NEW, OLD, REFUSAL, Driver, refusal_of

AT = pytest.mark.parametrize(("language", "generation"), CLIENTS)
LANGUAGES = pytest.mark.parametrize("language", ["python", "typescript"])
COMPLETE = "notifications/elicitation/complete"
TASKS = "io.modelcontextprotocol/tasks"
OWN = "io.modelcontextprotocol/"
SECONDS_MAX = 15


def refund(reason: str) -> dict[str, Any]:
    return {"order_id": "O-5011", "amount_cents": 5_301, "reason": reason}


def refunds(driver: Driver) -> int:
    return len(driver.call("list_refunds")["result"]["structuredContent"]["refunds"])


def leading(client, estate, task, language: str, generation: str, action: str) -> Driver:
    """A client that can lead its person to an address, and whose person does `action`."""
    return client(language, generation, "--elicit", action, url=estate.remit.mcp("desk"), token=task.token)


@AT
def test_the_person_is_led_to_the_page_and_the_call_goes_on(client, estate, language, generation):
    task = estate.task()
    driver = leading(client, estate, task, language, generation, "accept")
    before = refunds(driver)
    driver.send({"call": "refund_order", "arguments": refund(f"led {language}")})
    asked = driver.read()["elicitation"]
    approval = estate.question(task)
    assert (asked["mode"], asked["url"]) == ("url", f"{console(estate)}/approvals/{approval}")
    # A name for the question, so that its end can be told, is of the generation before only.
    assert asked.get("elicitationId") == (approval if generation == OLD else None)
    estate.approve(approval)
    assert driver.read()["is_error"] is False
    assert refunds(driver) == before + 1
    if generation == OLD:
        said = driver.step({"hear": COMPLETE, "seconds": SECONDS_MAX})["heard"]
        assert [one["params"]["elicitationId"] for one in said if one["method"] == COMPLETE] == [approval]
    assert estate.shown(approval)["status"] == "used"
    assert len(estate.records(task, "ActionAllowed", approval)) == 1


@AT
def test_a_no_with_its_note_reaches_a_client_that_led_its_person(client, estate, language, generation):
    task = estate.task()
    driver = leading(client, estate, task, language, generation, "accept")
    before = refunds(driver)
    driver.send({"call": "refund_order", "arguments": refund(f"refused {language}")})
    assert driver.read()["elicitation"]["mode"] == "url"
    estate.deny(estate.question(task), "ask for a photo first")
    refusal = refusal_of(driver.read())
    assert refusal["code"] == "approval_denied"
    assert "ask for a photo first" in refusal["sentence"]
    assert refunds(driver) == before
    assert estate.story(task, "desk/refund_order").count("ActionAllowed") == 0


@AT
def test_a_person_who_does_not_want_to_open_the_page_ends_the_call(client, estate, language, generation):
    task = estate.task()
    driver = leading(client, estate, task, language, generation, "decline")
    before = refunds(driver)
    driver.send({"call": "refund_order", "arguments": refund(f"unwanted {language}")})
    assert driver.read()["elicitation"]["mode"] == "url"
    assert refusal_of(driver.read())["code"] == "approval_declined"
    assert refunds(driver) == before
    assert estate.story(task, "desk/refund_order").count("ActionAllowed") == 0


@LANGUAGES
def test_a_client_that_leads_nobody_waits_by_itself(client, impatient, language):
    """Where a call is held for a second, a client of the newest generation repeats it, and its model hears nothing of it."""
    estate = impatient
    task = estate.task()
    driver = client(language, NEW, url=estate.remit.mcp("desk"), token=task.token)
    before = refunds(driver)
    driver.send({"call": "refund_order", "arguments": refund(f"waited {language}")})
    approval = estate.question(task)
    time.sleep(2.5)
    estate.approve(approval)
    assert driver.read()["is_error"] is False
    assert refunds(driver) == before + 1
    assert estate.story(task, "desk/refund_order")[-2:] == ["ActionAllowed", "succeeded"]
    assert len(estate.records(task, "ApprovalRequested", approval)) == 1


@LANGUAGES
def test_a_no_meets_a_client_that_waits_by_itself(client, impatient, language):
    estate = impatient
    task = estate.task()
    driver = client(language, NEW, url=estate.remit.mcp("desk"), token=task.token)
    driver.send({"call": "refund_order", "arguments": refund(f"waited in vain {language}")})
    approval = estate.question(task)
    time.sleep(1.5)
    estate.deny(approval, "too much")
    refusal = refusal_of(driver.read())
    assert refusal["code"] == "approval_denied" and "too much" in refusal["sentence"]


class Later:
    """A client of the newest generation that takes a handle for an answer. No SDK of these does, so it is plain HTTP."""

    def __init__(self, url: str, token: str):
        self.url = url
        self.headers = {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
        self.sent = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        self.sent += 1
        own = {"protocolVersion": NEW, "clientInfo": {"name": "later", "version": "1"}}
        own["clientCapabilities"] = {"extensions": {TASKS: {}}}
        params["_meta"] = {f"{OWN}{name}": value for name, value in own.items()}
        headers = {"mcp-protocol-version": NEW, "mcp-method": method}
        if name := params.get("name", params.get("taskId")):
            headers["mcp-name"] = name
        message = {"jsonrpc": "2.0", "id": self.sent, "method": method, "params": params}
        answer = httpx.post(self.url, json=message, headers=self.headers | headers, timeout=30)
        assert answer.headers["content-type"] == "application/json", answer.text
        return answer.json()

    def until(self, handle: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            shown = self.ask("tasks/get", taskId=handle)["result"]
            if shown["status"] == status:
                return shown
            assert time.monotonic() < deadline, shown
            time.sleep(0.1)


def begun(estate, reason: str) -> tuple[Later, Any, str]:
    """A refund that a person is asked about, and for which there is a handle."""
    task = estate.task()
    later = Later(estate.remit.mcp("desk"), task.token)
    assert TASKS in later.ask("server/discover")["result"]["capabilities"]["extensions"]
    began = time.monotonic()
    result = later.ask("tools/call", name="refund_order", arguments=refund(reason))["result"]
    assert time.monotonic() - began < 5, "a handle comes at once"
    assert (result["resultType"], result["status"]) == ("task", "working"), result
    assert "/approvals/" in result["statusMessage"]
    return later, task, result["taskId"]


def test_a_handle_for_an_answer_that_takes_a_person(estate):
    later, task, handle = begun(estate, "handled")
    estate.approve(estate.question(task))
    result = later.until(handle, "completed")["result"]
    assert result.get("isError") is not True and result["resultType"] == "complete", result
    # Whoever asks again is told the same, and nothing runs twice.
    assert later.ask("tasks/get", taskId=handle)["result"]["result"] == result
    estate.ends(task, "desk/refund_order", "ActionAllowed", "succeeded")
    assert estate.story(task, "desk/refund_order").count("ActionAllowed") == 1


def test_a_handle_says_where_it_can_be_approved_as_long_as_it_waits(estate):
    later, task, handle = begun(estate, "handled and shown")
    approval = estate.question(task)
    assert f"/approvals/{approval}" in later.ask("tasks/get", taskId=handle)["result"]["statusMessage"]


def test_a_no_reaches_whoever_has_the_handle(estate):
    later, task, handle = begun(estate, "handled and refused")
    estate.deny(estate.question(task), "ask for a photo first")
    result = later.until(handle, "completed")["result"]
    assert result["isError"] is True
    refusal = result["_meta"][REFUSAL]
    assert refusal["code"] == "approval_denied" and "ask for a photo first" in json.dumps(result["content"])


def test_a_handle_that_is_cancelled_runs_nothing(estate):
    later, task, handle = begun(estate, "handled and cancelled")
    approval = estate.question(task)
    assert "result" in later.ask("tasks/cancel", taskId=handle)
    assert later.ask("tasks/get", taskId=handle)["result"]["status"] == "cancelled"
    estate.approve(approval)
    time.sleep(1)
    assert estate.story(task, "desk/refund_order").count("ActionAllowed") == 0


def test_a_handle_is_of_one_task(estate):
    _, _, handle = begun(estate, "handled by one")
    other = Later(estate.remit.mcp("desk"), estate.task("ticket 18").token)
    for method in ("tasks/get", "tasks/cancel"):
        assert other.ask(method, taskId=handle)["error"]["code"] == -32602
