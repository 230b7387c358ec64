"""Servers that misbehave during a call: each costs its own callers, is on record, and gets nothing that it may not have."""

import json
import time

import pytest

import upstreams
from conftest import running
from driving import Driver, refusal_of, text_of
from estate import Estate
from malicious_server import EVIL
from upstreams import wait_until
from villains import WAYS, Villain, tool

CALL_SECONDS_MAX = 6
SEEN_SECONDS_MAX = 20
WORDS_PER_CALL_MAX = 256
BEHAVIOUR = ["foretell", "cross", "twice", "flood", "huge", "hang", "die", "insist", "stall", "pry", "whisper"]
TOOLS = [tool(name) for name in [*BEHAVIOUR, "ordinary"]]
ANSWERS = ["--elicit", "accept"]


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    with running(tmp_path_factory.mktemp("unruly"), 10, call_seconds_max=CALL_SECONDS_MAX) as remit:
        yield Estate(remit, [upstreams.helpdesk("desk")])


@pytest.fixture(scope="module", params=WAYS)
def villain(request, realm):
    """One server that does all of it, everything approved but what it may ask."""
    villain = Villain(realm, f"unruly-{request.param}", request.param, realm.remit.directory)
    villain.change(tools=TOOLS)
    with villain.connected():
        villain.approve(*(tool["name"] for tool in TOOLS), "@logging")
        yield villain


@pytest.fixture
def met(villain):
    driver, task = villain.client()
    yield villain, driver, task
    driver.close()


def serves_on(villain, driver) -> None:
    """The next call of the same client gets its own answer, from the server and from another one."""
    wait_until(lambda: driver.call("ordinary")["is_error"] is False, SEEN_SECONDS_MAX, "the server serves again")
    assert text_of(driver.call("ordinary")) == "Done."


def is_prompt(villain) -> None:
    """Callers of other connectors notice nothing."""
    task = villain.estate.task("works beside it")
    driver = Driver("python", "2026-07-28", url=villain.estate.remit.mcp("desk"), token=task.token)
    began = time.monotonic()
    assert driver.call("show_order", order_id="O-5003")["is_error"] is False
    assert time.monotonic() - began < 5
    driver.close()


def test_answers_before_their_questions_are_nobodys(met):
    villain, driver, task = met
    for _ in range(3):
        assert text_of(driver.call("foretell")) == "Foretold."
        for _ in range(5):
            assert text_of(driver.call("ordinary")) == "Done."
    villain.estate.ends(task, f"{villain.name}/foretell", "ActionAllowed", "succeeded")


def test_a_call_is_answered_on_its_own_stream_only(met):
    villain, driver, task = met
    if villain.way.endswith("stdio"):
        # There is one stream, and the server may answer its calls as it likes.
        return
    other, other_task = villain.client()
    other.send({"call": "hang", "arguments": {}})
    wait_until(lambda: villain.calls()[-1:] == ["hang"], SEEN_SECONDS_MAX, "the other call is under way")
    assert text_of(driver.call("cross")) == "Crossed."
    assert refusal_of(other.read())["code"] == "outcome_unknown"
    other.close()
    villain.estate.ends(other_task, f"{villain.name}/hang", "ActionAllowed", "unknown")
    villain.estate.ends(task, f"{villain.name}/cross", "ActionAllowed", "succeeded")


def test_the_second_answer_is_none(met):
    villain, driver, task = met
    said = text_of(driver.call("twice"))
    assert said == "The first answer."
    serves_on(villain, driver)
    villain.estate.ends(task, f"{villain.name}/twice", "ActionAllowed", "succeeded")


def test_a_flood_of_notifications_ends_with_the_answer(met):
    villain, driver, task = met
    driver.send({"call": "flood", "arguments": {}, "progress": True, "timeout_seconds": 60})
    is_prompt(villain)
    said = driver.read()
    assert text_of(said) == "Flooded." and said["is_error"] is False
    # Its words did not come through beyond the bound; how far it is may.
    assert sum(event.get("message") is not None for event in said["progress"]) <= WORDS_PER_CALL_MAX
    serves_on(villain, driver)
    villain.estate.ends(task, f"{villain.name}/flood", "ActionAllowed", "succeeded")


def test_a_huge_result_does_not_pass(met):
    villain, driver, task = met
    said = driver.call("huge")
    assert refusal_of(said)["code"] == "outcome_unknown", said
    assert len(json.dumps(said)) < 10_000
    villain.estate.ends(task, f"{villain.name}/huge", "ActionAllowed", "unknown")
    serves_on(villain, driver)
    is_prompt(villain)


def test_a_server_that_hangs_costs_its_own_caller_some_time(met):
    villain, driver, task = met
    driver.send({"call": "hang", "arguments": {}})
    is_prompt(villain)
    began = time.monotonic()
    refusal = refusal_of(driver.read())
    assert refusal["code"] == "outcome_unknown" and f"{CALL_SECONDS_MAX} seconds" in refusal["sentence"]
    assert time.monotonic() - began < CALL_SECONDS_MAX + 5
    villain.estate.ends(task, f"{villain.name}/hang", "ActionAllowed", "unknown")
    serves_on(villain, driver)


def test_a_server_that_dies_leaves_an_unknown_outcome(met):
    villain, driver, task = met
    before = villain.calls().count("die")
    assert refusal_of(driver.call("die"))["code"] == "outcome_unknown"
    # Nobody runs it a second time because the first answer is missing.
    assert villain.calls().count("die") == before + 1
    villain.estate.ends(task, f"{villain.name}/die", "ActionAllowed", "unknown")
    serves_on(villain, driver)


def asking(villain):
    return villain.client(*ANSWERS)


def test_a_server_that_may_not_ask_is_refused(villain):
    """`@elicitation` is not approved here: the person never hears of it, and the attempt is on record."""
    driver, task = asking(villain)
    said = driver.call("pry")
    assert "elicitation" not in said, said
    if villain.way.startswith("new"):
        assert refusal_of(said)["code"] == "input_refused"
    else:
        assert said["error"]["message"] == "the client answered: the client may not be asked this", said
    driver.close()
    villain.estate.ends(task, f"{villain.name}/@elicitation", "ActionDenied")
    assert "ActionAllowed" not in villain.estate.story(task, f"{villain.name}/@elicitation")


def test_asking_for_input_again_and_again_comes_to_an_end(villain):
    """Approved this time. The client's own rounds, or Remit's, end it."""
    villain.approve("@elicitation")
    driver, task = asking(villain)
    driver.send({"call": "insist", "arguments": {}, "timeout_seconds": 60})
    asked, said = 0, driver.read()
    while "elicitation" in said:
        asked, said = asked + 1, driver.read()
    assert 1 <= asked <= 20, asked
    assert "error" in said or said["is_error"] is True, said
    driver.close()
    story = villain.estate.story(task, f"{villain.name}/@elicitation")
    assert story.count("ActionAllowed") >= asked


def test_wanting_to_be_asked_again_for_ever_comes_to_an_end(met):
    villain, driver, task = met
    began = time.monotonic()
    said = driver.step({"call": "stall", "arguments": {}, "timeout_seconds": 60})
    assert "error" in said or said["is_error"] is True, said
    assert time.monotonic() - began < 30
    if villain.way.startswith("new"):
        assert villain.estate.story(task, f"{villain.name}/stall").count("ActionAllowed") <= 11
    serves_on(villain, driver)


@pytest.mark.parametrize(("data", "passes"), [("D1", True), ("D2", False)])
def test_words_during_a_call_pass_only_if_they_are_on_record_first(villain, data, passes):
    villain.approve("whisper", data=data)
    driver, task = villain.client("--log-level", "info")
    said = driver.step({"call": "whisper", "arguments": {}, "progress": True})
    assert text_of(said) == "Nothing was said."
    heard = driver.step({"hear": "notifications/message", "seconds": 1})["heard"]
    driver.close()
    logged = [one for one in heard if one["method"] == "notifications/message"]
    assert [event["progress"] for event in said["progress"]] == [1]
    assert (EVIL in json.dumps(said["progress"]), EVIL in json.dumps(logged)) == (passes, passes), (said, heard)
    assert passes or EVIL not in json.dumps(heard)
    villain.estate.ends(task, f"{villain.name}/whisper", "ActionAllowed", "succeeded")
