"""Clients of one generation with servers that speak only the other, over standard streams and HTTP; and each with its own.

What each test says of a client it says of the ledger too: what was decided, and how it ended.
"""

import pytest

import bridge as bridging
from bridge import SERVERS
from bridge_server import PIXEL, SHARED
from conftest import HOLD_SECONDS, running
from driving import CLIENTS, NEW, OLD, Driver, text_of
from upstreams import wait_until

ANSWERS = ["--elicit", "accept", "--content", '{"name": "Ada"}', "--sample", "Roses are red.", "--log-level", "info"]
UPDATED = "notifications/resources/updated"
PROMPTS_CHANGED = "notifications/prompts/list_changed"
RESOURCES_CHANGED = "notifications/resources/list_changed"
# A client is told in some seconds, or never; a silence that is looked at is this long.
HEAR_SECONDS_MAX = 15
SILENCE_SECONDS = 1
ROUNDS = [(client, server) for client in CLIENTS for server in SERVERS]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory):
    with running(tmp_path_factory.mktemp("bridge"), HOLD_SECONDS) as remit, bridging.bridges(remit) as bridge:
        yield bridge


@pytest.fixture(scope="module", params=ROUNDS, ids=lambda param: "-".join([*param[0], param[1]]))
def at(request, bridge):
    """One client at one server, through Remit; its task, and the server's name."""
    client, server = request.param
    task = bridge.estate.task(f"{client} at {server}")
    driver = Driver(*client, *ANSWERS, url=bridge.remit.mcp(server), token=task.token)
    assert driver.opening["protocol"] == client[1], driver.opening
    yield driver, server, task
    driver.close()


def methods(said) -> list[str]:
    return [one["method"] for one in said["heard"]]


def test_structured_content_arrives_as_it_is(at, bridge):
    driver, server, task = at
    definition = driver.definitions()["weather"]
    assert definition["outputSchema"]["required"] == ["city", "degrees"]
    said = driver.call("weather", city="Oban")
    assert said["result"]["structuredContent"] == {"city": "Oban", "degrees": 4.5}
    assert text_of(said) == "It is 4.5 degrees in Oban."
    bridge.estate.ends(task, f"{server}/weather", "ActionAllowed", "succeeded")


def test_progress_with_its_words(at, bridge):
    driver, server, task = at
    said = driver.step({"call": "count", "arguments": {}, "progress": True})
    assert [event["progress"] for event in said["progress"]] == [1, 2, 3], said
    assert [event["message"] for event in said["progress"]] == ["step 1", "step 2", "step 3"]
    assert text_of(said) == "Counted."
    bridge.estate.ends(task, f"{server}/count", "ActionAllowed", "succeeded")


def test_a_call_that_is_given_up_is_given_up_at_the_server(at, bridge):
    driver, server, task = at
    before = len(bridge.heard(server, given_up="linger"))
    said = driver.step({"call": "linger", "arguments": {}, "timeout_seconds": 1})
    assert "timed out" in said["error"]["message"].lower(), said
    wait_until(lambda: len(bridge.heard(server, given_up="linger")) == before + 1, HEAR_SECONDS_MAX, "the server hears of it")
    bridge.estate.ends(task, f"{server}/linger", "ActionAllowed", "unknown")
    # The connection to the server serves the next call.
    assert text_of(driver.call("weather", city="Oban")) == "It is 4.5 degrees in Oban."


def test_resources_of_every_kind(at, bridge):
    driver, server, task = at
    listed = driver.step({"resources": {}})["resources"]
    assert [resource["uri"] for resource in listed] == ["note://greeting", "note://pixel", SHARED]
    assert listed[1]["mimeType"] == "image/png"
    templates = driver.step({"templates": {}})["templates"]
    assert [template["uriTemplate"] for template in templates] == ["note://by-id/{id}"]
    greeting = {"uri": "note://greeting", "mimeType": "text/plain", "text": "This is greeting."}
    assert driver.step({"read": "note://greeting"})["contents"] == [greeting]
    pixel = {"uri": "note://pixel", "mimeType": "image/png", "blob": PIXEL}
    assert driver.step({"read": "note://pixel"})["contents"] == [pixel]
    assert driver.step({"read": "note://by-id/7"})["contents"][0]["text"] == "This is by-id/7."
    bridge.estate.ends(task, f"{server}/@resources", *["ActionAllowed", "succeeded"] * 5)


def test_a_resource_that_is_not_there_is_the_servers_own_answer(at, bridge):
    driver, server, task = at
    assert driver.step({"read": "other://place"})["error"]["message"] == "there is no such resource"
    bridge.estate.ends(task, f"{server}/@resources", "ActionAllowed", "failed")


def test_prompts_and_completion(at, bridge):
    driver, server, task = at
    assert [prompt["name"] for prompt in driver.step({"prompts": {}})["prompts"]] == ["review"]
    typed = {"complete": "review", "argument": {"name": "topic", "value": "pr"}}
    assert driver.step(typed)["values"] == ["prose", "programs"]
    filled = driver.step({"prompt": "review", "arguments": {"topic": "prose"}})["messages"]
    assert filled[0]["content"]["text"] == "Review some prose."
    bridge.estate.ends(task, f"{server}/@prompts", *["ActionAllowed", "succeeded"] * 2)
    bridge.estate.ends(task, f"{server}/@completions", "ActionAllowed", "succeeded")


def test_a_server_asks_the_person_and_then_the_model(at, bridge):
    driver, server, task = at
    driver.send({"call": "greet", "arguments": {}})
    asked = driver.read()["elicitation"]
    assert asked["message"] == "Who is it?" and asked["requestedSchema"]["required"] == ["name"]
    assert driver.read()["sampling"]["messages"][0]["content"]["text"] == "A poem about somebody."
    assert text_of(driver.read()) == "Ada: Roses are red."
    bridge.estate.ends(task, f"{server}/@elicitation", "ActionAllowed", "succeeded")
    bridge.estate.ends(task, f"{server}/@sampling", "ActionAllowed", "succeeded")
    bridge.estate.ends(task, f"{server}/greet", "ActionAllowed", "succeeded")


def test_log_messages_from_the_level_that_was_asked_for(at, bridge):
    driver, server, task = at
    driver.step({"hear": "nothing", "seconds": 0})
    assert text_of(driver.call("talk")) == "Said."
    said = driver.step({"hear": "notifications/message", "seconds": HEAR_SECONDS_MAX})["heard"]
    logged = [one["params"] for one in said if one["method"] == "notifications/message"]
    assert [(one["level"], one["data"]) for one in logged] == [("info", "this is info"), ("warning", "this is warning")]
    bridge.estate.ends(task, f"{server}/talk", "ActionAllowed", "succeeded")


def test_news_of_what_is_followed_and_of_nothing_else(at, bridge):
    driver, server, task = at
    driver.step({"listen": {"prompts": True, "resources": True, "uris": [SHARED]}})
    bridge.estate.ends(task, f"{server}/@resources", "ActionAllowed", "succeeded")
    driver.step({"hear": "nothing", "seconds": 0})
    assert text_of(driver.call("edit")) == "Changed."
    said = driver.step({"hear": UPDATED, "seconds": HEAR_SECONDS_MAX})
    assert [one["params"]["uri"] for one in said["heard"] if one["method"] == UPDATED] == [SHARED], said
    assert text_of(driver.call("publish")) == "Published."
    said = driver.step({"hear": RESOURCES_CHANGED, "seconds": HEAR_SECONDS_MAX})
    assert {PROMPTS_CHANGED, RESOURCES_CHANGED} <= set(methods(said)), said
    if driver.opening["protocol"] == OLD:
        driver.step({"unsubscribe": SHARED})
        driver.step({"hear": "nothing", "seconds": 0})
        driver.call("edit")
        assert UPDATED not in methods(driver.step({"hear": UPDATED, "seconds": SILENCE_SECONDS}))


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
@pytest.mark.parametrize("server", SERVERS)
def test_a_client_that_cannot_be_asked_is_not_asked(client, bridge, language, generation, server):
    task = bridge.estate.task("asks nobody")
    driver = client(language, generation, url=bridge.remit.mcp(server), token=task.token)
    said = driver.call("greet")
    assert "cannot be asked" in str(said) or "does not answer" in str(said), said
    assert bridge.estate.story(task, f"{server}/@elicitation") == []


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
def test_a_no_of_the_person_is_a_no_at_the_server(client, bridge, language, generation):
    for server in SERVERS:
        task = bridge.estate.task("says no")
        driver = client(language, generation, "--elicit", "decline", url=bridge.remit.mcp(server), token=task.token)
        driver.send({"call": "greet", "arguments": {}})
        assert driver.read()["elicitation"]["message"] == "Who is it?"
        assert text_of(driver.read()) == "Nobody (decline)."
        bridge.estate.ends(task, f"{server}/@elicitation", "ActionAllowed", "succeeded")


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
def test_joined_lists_have_everything_of_everybody(client, bridge, language, generation):
    driver = client(language, generation, url=bridge.remit.mcp(), token=bridge.estate.task("all").token)
    listed = driver.step({"resources": {}})["resources"]
    greetings = [resource["uri"] for resource in listed if resource["name"] == "Greeting"]
    assert len(set(greetings)) == len(SERVERS), listed
    for uri in greetings:
        contents = driver.step({"read": uri})["contents"]
        assert contents[0]["text"] == "This is greeting."
    prompts = [prompt["name"] for prompt in driver.step({"prompts": {}})["prompts"]]
    assert prompts == sorted(f"{server}__review" for server in SERVERS)
    for prompt in prompts:
        filled = driver.step({"prompt": prompt, "arguments": {"topic": "prose"}})["messages"]
        assert filled[0]["content"]["text"] == "Review some prose."
        typed = {"complete": prompt, "argument": {"name": "topic", "value": "pa"}}
        assert driver.step(typed)["values"] == ["paintings"]


def test_what_is_read_has_the_address_that_was_asked_for(client, bridge):
    driver = client("python", NEW, url=bridge.remit.mcp(), token=bridge.estate.task("all").token)
    assert driver.step({"read": "new-http+note://greeting"})["contents"][0]["uri"] == "new-http+note://greeting"


def test_servers_hear_their_own_generation_only(bridge):
    """After all of the above: nothing of one generation reached a server of the other, except the first question."""
    for server in SERVERS:
        requests = [line for line in bridge.heard(server) if line.get("request", "server/discover") != "server/discover"]
        asked = {line["request"] for line in requests}
        if server.startswith("old"):
            assert "subscriptions/listen" not in asked
            members = {name for line in requests for name in line["params"].get("_meta", {})}
            assert not any(name.startswith("io.modelcontextprotocol/") for name in members)
        else:
            assert not {"initialize", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"} & asked
