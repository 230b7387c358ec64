"""Asking a person: no with a note, repeating the same call, presented approvals, and the end of the task."""

import json
import time

import httpx
import pytest

from browser import console
from driving import CLIENTS, OLD, Driver, refusal_of

AT = pytest.mark.parametrize(("language", "generation"), CLIENTS)
REFUND = {"order_id": "O-5011", "amount_cents": 5_101, "reason": "dead pixels"}


def connected(client, estate, task, language, generation) -> Driver:
    return client(language, generation, url=estate.remit.mcp("desk"), token=task.token)


def present(driver, approval: str, **changed) -> dict:
    """The refund, with an approval that the client names itself."""
    return driver.step({"call": "refund_order", "arguments": REFUND | changed, "meta": {"remit/approval": approval}})


def refunds(driver) -> int:
    return len(driver.call("list_refunds")["result"]["structuredContent"]["refunds"])


@AT
def test_a_no_reaches_the_client_with_its_note(client, estate, language, generation):
    task = estate.task()
    driver = connected(client, estate, task, language, generation)
    before = refunds(driver)
    driver.send({"call": "refund_order", "arguments": REFUND})
    approval = estate.question(task)
    estate.deny(approval, "ask for a photo first")
    refusal = refusal_of(driver.read())
    assert (refusal["code"], refusal["approval"]) == ("approval_denied", approval)
    assert "ask for a photo first" in refusal["sentence"]
    # The same call again finds the answer that was given; nobody is asked twice.
    assert refusal_of(driver.call("refund_order", **REFUND))["code"] == "approval_denied"
    assert refunds(driver) == before


@AT
def test_repeating_the_same_call_continues(client, impatient, language, generation):
    estate = impatient
    task = estate.task()
    driver = connected(client, estate, task, language, generation)
    before = refunds(driver)
    asked = refusal_of(driver.call("refund_order", **REFUND))
    approval = asked["approval"]
    assert asked["code"] == "approval_pending"
    assert approval in asked["sentence"]
    assert f"{console(estate)}/approvals/{approval}" in asked["help"]
    assert "repeat the same call to continue" in asked["help"]
    # Asking again while it waits asks nobody a second time.
    assert refusal_of(driver.call("refund_order", **REFUND))["approval"] == approval
    assert refunds(driver) == before
    estate.approve(approval)
    assert driver.call("refund_order", **REFUND)["is_error"] is False
    assert refunds(driver) == before + 1
    # Used up: the same call once more is another question.
    anew = refusal_of(driver.call("refund_order", **REFUND))
    assert anew["code"] == "approval_pending"
    assert anew["approval"] != approval
    assert refunds(driver) == before + 1


@AT
def test_a_presented_approval_is_for_one_action(client, impatient, language, generation):
    estate = impatient
    driver = connected(client, estate, estate.task(), language, generation)
    approval = refusal_of(driver.call("refund_order", **REFUND))["approval"]
    assert refusal_of(present(driver, approval))["code"] == "approval_pending"
    estate.approve(approval)
    assert refusal_of(present(driver, approval, amount_cents=5_102))["code"] == "approval_other_arguments"
    of_another = {"call": "show_order", "arguments": {"order_id": "O-5011"}, "meta": {"remit/approval": approval}}
    assert refusal_of(driver.step(of_another))["code"] == "approval_other_operation"
    assert refusal_of(present(driver, "apr_nonsense"))["code"] == "approval_unknown"
    before = refunds(driver)
    assert present(driver, approval)["is_error"] is False
    assert refusal_of(present(driver, approval))["code"] == "approval_used"
    assert refunds(driver) == before + 1


def test_an_approval_is_for_one_task(client, impatient):
    estate = impatient
    driver = connected(client, estate, estate.task("ticket 17"), "typescript", OLD)
    other = connected(client, estate, estate.task("ticket 18"), "typescript", OLD)
    approval = refusal_of(driver.call("refund_order", **REFUND))["approval"]
    estate.approve(approval)
    before = refunds(driver)
    assert refusal_of(present(other, approval))["code"] == "approval_other_task"
    # Nor does the same call of the other task find it by itself.
    assert refusal_of(other.call("refund_order", **REFUND))["approval"] != approval
    assert refunds(driver) == before


@AT
def test_the_end_of_the_task_ends_its_calls_at_once(client, estate, language, generation):
    task = estate.task()
    driver = connected(client, estate, task, language, generation)
    assert driver.call("show_order", order_id="O-5003")["is_error"] is False
    driver.send({"call": "refund_order", "arguments": REFUND})
    approval = estate.question(task)
    began = time.monotonic()
    estate.end(task)
    # The held call ends with its task, long before anybody answers or the time to hold it is over.
    assert refusal_of(driver.read())["code"] == "task_ended"
    assert time.monotonic() - began < 5
    assert refusal_of(driver.call("show_order", order_id="O-5003"))["code"] == "task_ended"
    assert "has ended" in json.dumps(driver.step({"list": {}})["error"])
    assert estate.shown(approval)["status"] == "void"


@AT
def test_nobody_is_not_connected(client, estate, language, generation):
    driver = client(language, generation, url=estate.remit.mcp("desk"), token="not-a-token")
    # Some clients put the reason into their message, some beside it; none loses it.
    assert "the task token cannot be read" in json.dumps(driver.opening["connect_error"])


def test_there_is_no_default_principal(estate):
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = httpx.post(estate.remit.mcp("desk"), json=listing, headers={"accept": "application/json, text/event-stream"})
    assert answer.status_code == 401
    assert "resource_metadata=" in answer.headers["www-authenticate"]
    assert answer.json()["error"]["data"]["remit/refusal"]["sentence"] in answer.json()["error"]["message"]


def test_people_who_may_not_answer_are_refused(client, estate):
    task = estate.task()
    driver = connected(client, estate, task, "python", OLD)
    driver.send({"call": "refund_order", "arguments": REFUND})
    approval = estate.question(task)
    digest = estate.shown(approval)["digest"]
    # ana started the task; mia is an administrator and leads no support.
    for person in ("ana", "mia", "root"):
        answer = estate.remit.run("approval", "approve", approval, "--digest", digest, by=person)
        assert answer.returncode == 1, answer
        assert answer.stderr.startswith("refused: "), answer.stderr
        assert answer.stdout == ""
    other_digest = "0" * len(digest)
    assert estate.remit.run("approval", "approve", approval, "--digest", other_digest, by="ben").returncode == 1
    # For people, the list and the page in the terminal.
    listed = estate.remit.run("approval", "list", by="ben")
    assert approval in listed.stdout and "desk/refund_order" in listed.stdout
    shown = estate.remit.run("approval", "show", approval, by="ben").stdout
    assert '"amount_cents": 5101' in shown and f"remit approval approve {approval} --digest {digest}" in shown
    estate.approve(approval)
    assert driver.read()["is_error"] is False
