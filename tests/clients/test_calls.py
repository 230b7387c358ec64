"""Every client through Remit to every upstream: what it sees, what it gets, what it is refused."""

import uuid

import pytest

from driving import CLIENTS, NEW, Driver, outcome_of, refusal_of

UPSTREAMS = ["desk", "desk-http", "everything", "everything-http", "files", "git"]


@pytest.fixture(scope="module")
def direct(servers):
    """What each upstream says to each language's client with nothing in between; asked once."""
    found = {}
    by_name = {upstream.name: upstream for upstream in servers}

    def ask(language, name):
        if (language, name) not in found:
            place = by_name[name].direct(NEW)
            driver = Driver(language, place.pop("generation"), **place)
            results = [outcome_of(driver.call(tool, **arguments)) for tool, arguments in by_name[name].calls]
            found[language, name] = driver.definitions(), results
            driver.close()
        return found[language, name]

    return ask


@pytest.fixture(
    scope="module",
    params=[(name, *client) for name in UPSTREAMS for client in CLIENTS],
    ids=lambda param: "-".join(param),
)
def at(request, estate):
    """One client, connected to one upstream through Remit: its language, the upstream, the task and the client."""
    name, language, generation = request.param
    task = estate.task(f"calls of {name}")
    driver = Driver(language, generation, url=estate.remit.mcp(name), token=task.token)
    assert driver.opening.get("protocol") == generation, driver.opening
    yield language, estate.upstreams[name], task, driver
    driver.close()


def test_exactly_what_is_granted_is_listed_as_it_was_approved(at, direct):
    language, upstream, _, driver = at
    listed = driver.definitions()
    assert set(listed) == upstream.granted
    offered, _ = direct(language, upstream.name)
    for name, definition in listed.items():
        for member in ("title", "inputSchema", "outputSchema", "annotations"):
            assert definition.get(member) == offered[name].get(member), (name, member)
        # What Remit knows of the call's conditions follows the server's own words.
        own, said = offered[name].get("description") or "", definition.get("description") or ""
        assert said == own or said.startswith(f"{own}\n\n"), name


def test_a_granted_call_says_what_the_upstream_says(at, direct):
    language, upstream, _, driver = at
    _, expected = direct(language, upstream.name)
    assert [outcome_of(driver.call(tool, **arguments)) for tool, arguments in upstream.calls] == expected


def test_what_is_approved_and_not_granted_is_denied(at, estate):
    _, upstream, task, driver = at
    tool, arguments = upstream.not_granted
    refusal = refusal_of(driver.call(tool, **arguments))
    assert refusal["code"] == "denied_by_policy"
    assert f"remit grant request support {upstream.name}/{tool}" in refusal["help"]
    assert len(estate.records(task, "ActionDenied", refusal["decision_id"])) == 1


def test_a_tool_that_nobody_approved_is_refused(at):
    _, _, _, driver = at
    assert refusal_of(driver.call("no_such_tool"))["code"] == "operation_unknown"


def test_arguments_that_the_schema_does_not_allow_are_refused(at):
    _, upstream, _, driver = at
    tool, arguments, wrong = upstream.wrong
    refusal = refusal_of(driver.call(tool, **arguments))
    assert f"`{wrong}`" in refusal["sentence"], refusal


def test_an_asked_call_is_held_and_finishes_with_the_yes(at, estate):
    _, upstream, task, driver = at
    tool, arguments = upstream.asked(uuid.uuid4().hex[:8])
    driver.send({"call": tool, "arguments": arguments})
    approval = estate.question(task)
    shown = estate.shown(approval)
    assert (shown["operation"], shown["arguments"]) == (f"{upstream.name}/{tool}", arguments)
    assert (shown["agent"]["name"], shown["acting_for"]["name"], shown["started_by"]["name"]) == ("support", "carla", "ana")
    assert shown["asks"]["policies"] == [f"{upstream.name}-asks"]
    estate.approve(approval)
    said = driver.read()
    assert said["is_error"] is False, said
    assert estate.shown(approval)["status"] == "used"
    assert len(estate.records(task, "ActionAllowed", approval)) == 1
