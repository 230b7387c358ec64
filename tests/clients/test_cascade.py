"""One cause ends everything below it: at the gateway, at the authorization server, in the status list, and for outsiders.

What outsiders are told and given is read with libraries of others, or by hand.
"""

import json
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import oauth
import upstreams
from browser import Consent, query_of
from certificates import Answer, web
from conftest import HOLD_SECONDS, running
from driving import CLIENTS, refusal_of
from estate import Estate
from keys import Agent, Key, claims_of, decoded
from oauth import Server, call, done, entry, refusal
from upstreams import wait_until
from workloads import Workload

ORDER = {"order_id": "O-5007"}
REFUND = {"order_id": "O-5011", "amount_cents": 5_401, "reason": "dead pixels"}
SECONDS_MAX = 10
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
RISC = "https://schemas.openid.net/secevent/risc/event-type/"
TRANSMITTER = "https://people.example"
AUDIENCE = "https://remit.example/signals"
SECRET = "what-the-receiver-wants-to-see"
SECRETS = {"SIGNALS_SECRET": SECRET}
POINTS = {"decisions", "tokens", "gateway-streams", "workload-api", "caep", "upstream-grants"}


@pytest.fixture(scope="module")
def receiver():
    """Somebody outside who wants to know."""
    with web() as served:
        served.answers["/caep"] = Answer(status=202)
        yield served


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """The key of the directory of people, and where it is published."""
    key = Key()
    place = tmp_path_factory.mktemp("people") / "jwks.json"
    place.write_text(json.dumps({"keys": [key.public | {"kid": "people-1", "alg": "ES256", "use": "sig"}]}))
    return key, place


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with oauth.site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def realm(tmp_path_factory, site, receiver, people):
    signals = f"""
[[signals.receiver]]
url = "{receiver.url}/caep"
bearer_variable = "SIGNALS_SECRET"

[[signals.transmitter]]
issuer = "{TRANSMITTER}"
jwks_file = "{people[1]}"
audience = "{AUDIENCE}"
"""
    options = {"mtls": True, "more": site.configuration + signals, "variables": SECRETS}
    with running(tmp_path_factory.mktemp("cascade"), HOLD_SECONDS, **options) as remit:
        yield Estate(remit, [upstreams.helpdesk("desk")])


@pytest.fixture(scope="module")
def server(realm):
    return Server(realm.remit)


@pytest.fixture
def agent(realm, request):
    """An agent of this test alone, with a key and with the tools of the desk."""
    name = request.node.name.split("[")[0].removeprefix("test_").replace("_", "-")[:40].strip("-")
    realm.register(name)
    realm.grant("desk/show_order", "desk/refund_order", "desk/find_customer", agent=name)
    return Agent(realm.remit, name)


def token_of(server, agent, **form) -> str:
    return server.granted(agent.key, **agent.assertion(), grant_type="client_credentials", **form)["access_token"]


def looked_at(server, agent, token: str) -> dict:
    answer = server.post("introspection", **agent.assertion(), token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


def status(server, token: str) -> int:
    """What the status list says of a token: 0 is good (Token Status List, section 4). Decoded by hand."""
    reference = claims_of(token)["status"]["status_list"]
    answer = httpx.get(reference["uri"], headers={"accept": "application/statuslist+jwt"})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/statuslist+jwt", answer.headers
    said = server.verified(answer.text, "statuslist+jwt")
    assert said["sub"] == reference["uri"] and said["iat"] <= time.time() < said["exp"]
    bits, packed = said["status_list"]["bits"], decoded(said["status_list"]["lst"])
    listed = zlib.decompress(packed)
    assert len(listed) * 8 // bits >= 1 << 20, "nobody should find out who is meant by asking"
    place = reference["idx"] * bits
    return listed[place // 8] >> (place % 8) & ((1 << bits) - 1)


def receipt(realm, path) -> dict:
    """What a signed receipt says, verified by a library of others."""
    return Server(realm.remit).verified(path.read_text().strip(), "remit-receipt+jwt")


def events(receiver, server) -> list[dict]:
    """What the outsider was told so far, each a signed event."""
    found = []
    for request in receiver.requests("/caep"):
        assert request.headers["content-type"] == "application/secevent+jwt", request.headers
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        found.append(server.verified(request.body.decode(), "secevent+jwt"))
    return found


def told(receiver, server, about: str) -> dict:
    """The event that names `about`."""
    return wait_until(
        lambda: next((event for event in events(receiver, server) if about in json.dumps(event)), None),
        SECONDS_MAX,
        f"an event about `{about}`",
    )


# By a person


@pytest.mark.parametrize("cause", ["task end", "agent suspend", "agent decommission", "task revoke-run"])
def test_one_cause_ends_it_everywhere(client, realm, server, receiver, site, tmp_path, cause):
    name = f"ends-by-{cause.replace(' ', '-')}"
    realm.register(name)
    realm.grant("desk/show_order", "desk/refund_order", agent=name)
    agent = Agent(realm.remit, name)
    details = [entry(realm.remit, "desk", "show_order", "refund_order")]
    token = token_of(server, agent, authorization_details=json.dumps(details))
    claims, place = claims_of(token), realm.remit.mcp("desk")
    # Something under way: a call that waits for a person, in the same task.
    mine = realm.remit.cli("task", "show", claims["task"])
    assert mine["status"] == "live", mine
    assert done(call(place, token, "show_order", ORDER, agent.key))
    assert looked_at(server, agent, token)["active"] is True and status(server, token) == 0
    with ThreadPoolExecutor() as pool:
        held = pool.submit(call, place, token, "refund_order", REFUND, agent.key)
        realm.question(type("Held", (), {"id": claims["task"]}))
        file = tmp_path / "receipt.jwt"
        about = {"task end": [claims["task"], "--note", "over"], "task revoke-run": [claims["run"], "--reason", "over"]}
        command = [*cause.split(), *about.get(cause, [name, "--reason", "over"]), "--receipt", str(file)]
        began = time.time()
        realm.remit.cli(*command)
        assert refusal(held.result(SECONDS_MAX)) in ("task_ended", "agent_suspended", "agent_decommissioned")
    # At the gateway, in introspection, in the status list, for outsiders.
    assert refusal(call(place, token, "show_order", ORDER, agent.key)) in ("task_ended", "agent_suspended", "agent_decommissioned")
    other = Agent(realm.remit, "support")
    assert looked_at(server, other, token) == {"active": False}
    assert status(server, token) == 1
    event = told(receiver, server, agent.id if cause.startswith("agent") else claims["run"])
    assert all(kind.startswith((CAEP, RISC)) for kind in event["events"]), event
    # The receipt says what ended and when it was so at each door.
    said = receipt(realm, file)
    assert said["iss"] == server.issuer and began - 60 < said["iat"] < time.time() + 60
    assert claims["task"] in said["ended"]["task_ids"], said
    assert {point["point"] for point in said["took_effect"]} >= POINTS and said["pending"] == [], said
    assert said["accepted_after"] == 0, said


def test_streams_of_the_workload_api_end(realm, agent):
    workload = Workload.under(realm.remit, "python", agent.name)
    try:
        workload.ask({"watch": {}})
        assert len(workload.heard(SECONDS_MAX)["update"]) == 1
        realm.remit.cli("agent", "suspend", agent.name, "--reason", "looked at")
        assert workload.heard(SECONDS_MAX) == {"ended": "permissiondenied"}
    finally:
        workload.close()


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
def test_clients_of_every_kind_are_cut_off(client, realm, language, generation):
    name = f"cut-{language}-{generation}"
    realm.register(name)
    realm.grant("desk/show_order", "desk/refund_order", agent=name)
    task = realm.task("is cut off", agent=name)
    driver = client(language, generation, url=realm.remit.mcp("desk"), token=task.token)
    assert driver.call("show_order", **ORDER)["is_error"] is False
    driver.send({"call": "refund_order", "arguments": REFUND})
    realm.question(task)
    began = time.monotonic()
    realm.remit.cli("agent", "suspend", name, "--reason", "looked at")
    assert refusal_of(driver.read())["code"] in ("task_ended", "agent_suspended")
    assert time.monotonic() - began < 5
    assert driver.call("show_order", **ORDER).get("is_error") is not False


def test_no_call_is_accepted_after_the_commit(realm, server, agent):
    """Calls from eight sides while the agent is suspended: what the ledger allowed, it allowed before."""
    token, place = token_of(server, agent), realm.remit.mcp("desk")
    stop, said = [], []

    def hammer(_: int) -> None:
        while not stop:
            said.append(call(place, token, "show_order", ORDER, agent.key).status_code)

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(hammer, at) for at in range(8)]
        wait_until(lambda: len(said) > 40, 60, "calls are under way")
        realm.remit.cli("agent", "suspend", agent.name, "--reason", "looked at")
        time.sleep(0.5)
        stop.append(True)
        [one.result() for one in running]
    query = ["ledger", "query", "--agent", agent.name, "--limit", "500"]

    def seqs(kind: str) -> list[int]:
        items = realm.remit.cli(*query)["items"]
        return [item["seq"] for item in items if item["record"]["event"]["type"] == kind]

    suspended = wait_until(lambda: seqs("AgentSuspended"), SECONDS_MAX, "the cause is found")
    allowed = seqs("ActionAllowed")
    assert allowed and max(allowed) < suspended[0]


def test_a_revoked_key_ends_what_is_bound_to_it(realm, server, agent, tmp_path):
    token, place = token_of(server, agent), realm.remit.mcp("desk")
    file = tmp_path / "receipt.jwt"
    realm.remit.cli("agent", "revoke-key", agent.name, agent.key.thumbprint, "--receipt", str(file))
    assert call(place, token, "show_order", ORDER, agent.key).status_code in (200, 401)
    assert looked_at(server, Agent(realm.remit, "support"), token) == {"active": False}
    assert server.refused(agent.key, **agent.assertion(), grant_type="client_credentials") == "invalid_client"
    assert claims_of(token)["task"] in json.dumps(receipt(realm, file))


def test_a_person_who_leaves_takes_their_consents_with_them(realm, server, site, tmp_path):
    realm.remit.add_person("dora", "administrators")
    url, verifier = server.authorize(client_id := site.client(), resource=realm.remit.mcp("desk"))
    code = query_of(Consent(realm, url, "dora").allow("support"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": oauth.REDIRECT, "client_id": client_id}
    tokens = server.granted(**form, code_verifier=verifier)
    file = tmp_path / "receipt.jwt"
    realm.remit.cli("person", "remove", "dora", "--receipt", str(file))
    assert refusal(call(realm.remit.mcp("desk"), tokens["access_token"], "show_order", ORDER)) == "task_ended"
    renew = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client_id}
    assert server.refused(**renew) == "invalid_grant"
    assert claims_of(tokens["access_token"])["task"] in json.dumps(receipt(realm, file))


def test_a_receipt_can_be_had_later(realm, server, agent, tmp_path):
    token = token_of(server, agent)
    realm.remit.cli("task", "end", claims_of(token)["task"], "--note", "over")
    query = ["ledger", "query", "--task", claims_of(token)["task"], "--kind", "TaskEnded"]
    ended = wait_until(lambda: realm.remit.cli(*query)["items"], SECONDS_MAX, "the end is found")[0]
    headers = {"authorization": f"Bearer {realm.remit.sessions['mia']}"}
    answer = httpx.get(f"{realm.remit.control}/v1/receipts/{ended['seq']}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert claims_of(token)["task"] in json.dumps(server.verified(answer.json()["signed"], "remit-receipt+jwt"))
    assert httpx.get(f"{realm.remit.control}/v1/receipts/{ended['seq']}").status_code == 401


# By an event from outside


def send(realm, key, kind: str, typ: str = "secevent+jwt", **changed) -> httpx.Response:
    now = int(time.time())
    claims = {"iss": TRANSMITTER, "aud": AUDIENCE, "iat": now, "jti": f"{time.time_ns()}"}
    claims["events"] = {kind: {"event_timestamp": now}}
    signed = key.sign(typ, claims | changed, kid="people-1")
    headers = {"content-type": "application/secevent+jwt", "accept": "application/json"}
    return httpx.post(f"{realm.remit.control}/ssf/events", content=signed, headers=headers)


def about(subject: str) -> dict:
    return {"format": "iss_sub", "iss": TRANSMITTER, "sub": subject}


@pytest.fixture
def linked(realm, request):
    """A person whom the directory of people knows too, and an agent of theirs with a task."""
    name = f"p{abs(hash(request.node.name)) % 10**6}"
    realm.remit.add_person(name)
    realm.remit.cli("person", "link", name, "--issuer", TRANSMITTER, "--subject", f"u-{name}")
    profile = ["--owner", name, "--approver", "ben", "--purpose", "helps", "--class", "act", "--autonomy", "A3"]
    profile += ["--data-class", "D1,D2", "--environment", "production", "--review-in", "90d"]
    realm.remit.cli("agent", "register", f"of-{name}", *profile, "--activate")
    realm.grant("desk/show_order", agent=f"of-{name}")
    started = realm.remit.cli("task", "start", f"of-{name}", "--purpose", "helps", by=name)
    return name, started


@pytest.mark.parametrize(
    ("kind", "agent_ends"),
    [(f"{CAEP}session-revoked", False), (f"{RISC}account-disabled", True)],
    ids=["session", "account"],
)
def test_an_event_about_a_person_ends_their_tasks(realm, people, linked, kind, agent_ends):
    name, started = linked
    place = realm.remit.mcp("desk")
    assert done(call(place, started["token"], "show_order", ORDER))
    answer = send(realm, people[0], kind, sub_id=about(f"u-{name}"))
    assert answer.status_code == 202, answer.text
    wait_until(lambda: realm.remit.cli("task", "show", started["task"])["status"] == "ended", SECONDS_MAX, "the task ends")
    assert refusal(call(place, started["token"], "show_order", ORDER)) in ("task_ended", "agent_suspended")
    # The person's own session is over as well.
    session = httpx.get(f"{realm.remit.control}/v1/tasks", headers={"authorization": f"Bearer {realm.remit.sessions[name]}"})
    assert session.status_code == 401, session.text
    assert (realm.remit.cli("agent", "show", f"of-{name}")["status"] == "suspended") is agent_ends


@pytest.mark.parametrize(
    ("typ", "changed"),
    [
        ("secevent+jwt", {"iss": "https://elsewhere.example"}),
        ("secevent+jwt", {"aud": "https://elsewhere.example"}),
        ("JWT", {}),
        ("secevent+jwt", {"events": None}),
        ("secevent+jwt", {"jti": None}),
    ],
    ids=["issuer", "audience", "kind", "no events", "no name"],
)
def test_an_event_that_is_wrong_changes_nothing(realm, people, linked, typ, changed):
    name, started = linked
    answer = send(realm, people[0], f"{CAEP}session-revoked", typ, **({"sub_id": about(f"u-{name}")} | changed))
    assert answer.status_code == 400 and answer.json()["err"], answer.text
    assert realm.remit.cli("task", "show", started["task"])["status"] == "live"


def test_an_event_of_somebody_else_changes_nothing(realm, linked):
    name, started = linked
    answer = send(realm, Key(), f"{CAEP}session-revoked", sub_id=about(f"u-{name}"))
    assert answer.status_code == 400 and answer.json()["err"], answer.text
    assert realm.remit.cli("task", "show", started["task"])["status"] == "live"


# When the power fails


def test_a_cascade_that_is_cut_short_completes(tmp_path_factory, receiver):
    """Killed right after the cause: after the restart everything is ended, and the receipt says so."""
    signals = f'[[signals.receiver]]\nurl = "{receiver.url}/caep"\nbearer_variable = "SIGNALS_SECRET"\n'
    with running(tmp_path_factory.mktemp("power"), HOLD_SECONDS, more=signals, variables=SECRETS, stays=True) as remit:
        estate = Estate(remit, [upstreams.helpdesk("desk")])
        tasks = [estate.task(f"number {at}") for at in range(30)]
        assert call(remit.mcp("desk"), tasks[0].token, "show_order", ORDER).status_code == 200
        remit.cli("agent", "suspend", "support", "--reason", "looked at")
        remit.kill()
        remit.start()
        for task in tasks:
            assert remit.cli("task", "show", task.id)["status"] == "ended"
        assert refusal(call(remit.mcp("desk"), tasks[0].token, "show_order", ORDER)) in ("task_ended", "agent_suspended")
        query = ["ledger", "query", "--kind", "AgentSuspended"]
        cause = wait_until(lambda: remit.cli(*query)["items"], SECONDS_MAX, "the cause is found")[0]["seq"]
        headers = {"authorization": f"Bearer {remit.sessions['mia']}"}

        def complete() -> dict | None:
            answer = httpx.get(f"{remit.control}/v1/receipts/{cause}", headers=headers)
            assert answer.status_code == 200, answer.text
            said = answer.json()["receipt"]
            return said if {point["point"] for point in said["took_effect"]} >= POINTS else None

        said = wait_until(complete, 2 * SECONDS_MAX, "the cascade completes")
        assert {task.id for task in tasks} <= set(said["ended"]["task_ids"]) and said["pending"] == [], said
