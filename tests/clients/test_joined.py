"""All connectors at one address: tools are named `connector__tool`. Long calls and large results go through it too."""

import pytest

from driving import CLIENTS, NEW, Driver, outcome_of, refusal_of, text_of

LINES = "0123456789abcdef\n" * 65_536
LONG = "everything__trigger-long-running-operation"


@pytest.fixture(scope="module", params=CLIENTS, ids=lambda param: "-".join(param))
def joined(request, estate):
    """One client at the joined address, and its task."""
    task = estate.task("everything at once")
    driver = Driver(*request.param, url=estate.remit.mcp(), token=task.token)
    yield driver, task
    driver.close()


def test_every_granted_tool_is_listed_by_its_connector(joined, estate):
    driver, _ = joined
    granted = {f"{name}__{tool}" for name, upstream in estate.upstreams.items() for tool in upstream.granted}
    # Other tests add connectors of their own.
    assert {tool for tool in driver.tools() if tool.split("__")[0] in estate.upstreams} == granted


def test_two_connectors_answer_at_one_address(joined):
    driver, _ = joined
    assert "headphones" in text_of(driver.call("desk__show_order", order_id="O-5003"))
    assert text_of(driver.call("everything-http__echo", message="both")) == "Echo: both"
    assert refusal_of(driver.call("desk__close_account", customer_id="C-1002"))["code"] == "denied_by_policy"
    assert refusal_of(driver.call("show_order", order_id="O-5003"))["code"] == "operation_unknown"


def test_an_asked_call_finishes(joined, estate):
    driver, task = joined
    refund = {"order_id": "O-5011", "amount_cents": 5_201, "reason": "joined"}
    driver.send({"call": "desk__refund_order", "arguments": refund})
    estate.approve(estate.question(task))
    assert driver.read()["is_error"] is False


@pytest.mark.parametrize("connector", ["everything", "everything-http"])
def test_progress_reaches_the_client(joined, connector):
    driver, _ = joined
    tool = f"{connector}__trigger-long-running-operation"
    said = driver.step({"call": tool, "arguments": {"duration": 0.4, "steps": 2}, "progress": True})
    assert [event["progress"] for event in said["progress"]] == [1, 2]
    assert said["is_error"] is False


def test_large_results_arrive_whole_or_not_at_all(joined, estate):
    driver, _ = joined
    directory = estate.upstreams["files"].command[-1]
    said = outcome_of(driver.call("files__read_text_file", path=f"{directory}/large.txt"))
    assert (said["content"][0]["text"], said["structuredContent"]) == (LINES, {"content": LINES})
    refusal = refusal_of(driver.call("files__read_text_file", path=f"{directory}/too-large.txt"))
    assert refusal["code"] == "upstream_failed"
    assert "bytes" in refusal["sentence"]
    assert driver.call("files__read_text_file", path=f"{directory}/note.txt")["is_error"] is False


def test_a_call_that_the_client_gives_up_leaves_a_record(joined, estate):
    driver, task = joined
    slow = {"call": LONG, "arguments": {"duration": 30, "steps": 1}, "timeout_seconds": 0.5}
    assert "timed out" in driver.step(slow)["error"]["message"].lower()
    assert len(estate.records(task, "OutcomeRecorded", '"unknown"')) == 1
    assert text_of(driver.call("everything__echo", message="still here")) == "Echo: still here"


def test_a_task_reaches_no_further_than_its_scope(client, estate):
    task = estate.task("both", "--scope", "desk/*", "--scope", "everything-http/echo")
    driver = client("python", NEW, url=estate.remit.mcp(), token=task.token)
    desk = {f"desk__{tool}" for tool in estate.upstreams["desk"].granted}
    assert set(driver.tools()) == desk | {"everything-http__echo", "remit__request_access"}
    assert refusal_of(driver.call("everything-http__get-sum", a=1, b=2))["code"] == "out_of_scope"
