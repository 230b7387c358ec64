"""An agent asks in band for what its task lacks: who may give it, for what it counts, and when it ends."""

import json

import httpx
import pytest

from driving import CLIENTS, Driver, outcome_of, refusal_of
from estate import Task
from service import Refused

ASK = "remit__request_access"
TOOL, ARGUMENTS = "desk__find_customer", {"query": "ada"}
OPERATION = "desk/find_customer"
CHANGED = "notifications/tools/list_changed"
AT = pytest.mark.parametrize(("language", "generation"), CLIENTS)


@pytest.fixture(scope="module")
def clerk(estate):
    """An agent that may show orders and no more; ben and mia approve for it, ana owns it."""
    named = ["--owner", "ana", "--approver", "ben", "--approver", "mia", "--purpose", "answers customers", "--class", "act"]
    described = ["--autonomy", "A3", "--data-class", "D1,D2", "--environment", "production", "--review-in", "90d"]
    estate.remit.cli("agent", "register", "clerk", *named, *described, "--activate")
    estate.grant("desk/show_order", agent="clerk")
    return "clerk"


def joined(client, estate, task, language: str, generation: str) -> Driver:
    return client(language, generation, url=estate.remit.mcp(), token=task.token)


def ask(driver: Driver, reason: str = "the order does not say who placed it", **more) -> dict:
    return driver.call(ASK, operations=[TOOL], reason=reason, **more)


def asked(driver: Driver) -> dict:
    """Where the request stands, as the tool says it."""
    return outcome_of(ask(driver))["structuredContent"]


def refused_by(estate, person: str, grant: str) -> str:
    with pytest.raises(Refused) as refused:
        estate.remit.cli("grant", "approve", grant, by=person)
    return refused.value.code


@AT
def test_refused_asked_given_called_and_over_with_the_task(client, estate, clerk, language, generation):
    # For ben, and started by ana: neither may answer, so mia does.
    task = Task(estate.remit.cli("task", "start", clerk, "--purpose", "find out who placed an order", "--for", "ben", by="ana"))
    driver, other = (joined(client, estate, one, language, generation) for one in (task, estate.task("another", agent=clerk)))
    assert ASK in driver.tools() and TOOL not in driver.tools()

    refusal = refusal_of(driver.call(TOOL, **ARGUMENTS))
    assert refusal["code"] == "denied_by_policy" and ASK in refusal["help"], refusal
    said = asked(driver)
    grant = said["request"]
    assert (said["status"], said["operations"], said["answered_by"]) == ("waiting", [OPERATION], ["mia"])
    assert asked(driver)["request"] == grant, "asked again, it is the same"
    assert refusal_of(driver.call(TOOL, **ARGUMENTS))["code"] == "denied_by_policy"

    assert refused_by(estate, "ben", grant) == "approver_is_acted_for"
    assert refused_by(estate, "ana", grant) == "self_approval"
    shown = [one for one in estate.remit.cli("grant", "list", by="mia")["items"] if one["id"] == grant]
    assert [(one["status"], one["task"], one["requested_by"]) for one in shown] == [("requested", task.id, None)]
    estate.remit.cli("grant", "approve", grant, by="mia")

    assert asked(driver)["status"] == "given" and TOOL in driver.tools()
    assert driver.call(TOOL, **ARGUMENTS)["is_error"] is False
    assert TOOL not in other.tools()
    assert refusal_of(other.call(TOOL, **ARGUMENTS))["code"] == "denied_by_policy"
    assert clerk not in json.dumps(estate.remit.cli("who", "can", "call", OPERATION)), "in general it cannot"

    ended = estate.remit.cli("task", "end", task.id, "--note", "done", by="ana")
    assert grant not in json.dumps(estate.remit.cli("grant", "list", by="mia"))
    session = {"Authorization": f"Bearer {estate.remit.sessions['ana']}"}
    receipt = httpx.get(f"{estate.remit.control}/v1/receipts/{ended['seq']}", headers=session).json()["receipt"]
    assert (receipt["ended"]["tasks"], receipt["ended"]["grants"]) == (1, 1), receipt


@AT
def test_a_no_reaches_the_agent_and_stays(client, estate, clerk, language, generation):
    driver = joined(client, estate, estate.task("asks too much", agent=clerk), language, generation)
    estate.remit.cli("grant", "deny", asked(driver)["request"], "--note", "write to them instead", by="ben")
    refusal = refusal_of(ask(driver))
    assert refusal["code"] == "access_denied" and "write to them instead" in refusal["sentence"]
    assert ASK not in refusal_of(driver.call(TOOL, **ARGUMENTS))["help"]


def test_whoever_listens_hears_of_it(client, estate, clerk):
    task = estate.task("listens", agent=clerk)
    driver = joined(client, estate, task, "python", "2026-07-28")
    driver.step({"listen": {"tools": True}})
    grant = asked(driver)["request"]
    driver.step({"hear": "nothing", "seconds": 0})
    estate.remit.cli("grant", "approve", grant, by="ben")
    heard = driver.step({"hear": CHANGED, "seconds": 15})["heard"]
    assert any(one["method"] == CHANGED for one in heard)


def test_no_request_widens_what_a_task_was_started_for(client, estate, clerk):
    task = estate.task("only orders", "--scope", "desk/show_order", agent=clerk)
    driver = joined(client, estate, task, "python", "2026-07-28")
    assert refusal_of(ask(driver))["code"] == "out_of_scope"
    wide = driver.call(ASK, operations=["desk/*"], reason="everything")
    assert refusal_of(wide)["code"] == "grant_too_wide"


def test_over_http_with_the_tasks_token(estate, clerk):
    task, other = estate.task("over HTTP", agent=clerk), estate.task("another", agent=clerk)
    place = f"{estate.remit.control}/v1/access-requests"
    of = lambda one: {"Authorization": f"Bearer {one.token}"}
    body = {"operations": [OPERATION], "reason": "the order does not say who placed it", "ttl_seconds": 60}
    made = httpx.post(place, json=body, headers=of(task))
    assert (made.status_code, made.json()["status"]) == (200, "waiting"), made.text
    address = f"{place}/{made.json()['id']}"
    assert httpx.get(address, headers=of(other)).status_code == 404, "another task is not told"
    assert httpx.get(address).status_code == 401
    assert httpx.post(place, json=body, headers={"Authorization": f"Bearer {estate.remit.sessions['ana']}"}).status_code == 401
    estate.remit.cli("grant", "approve", made.json()["id"], by="mia")
    assert httpx.get(address, headers=of(task)).json()["status"] == "given"
