"""Agents that pass work on to other agents: what a delegate gets, and each way to get more than that.

The traps are those of public bugs in token exchange, and of the drafts on delegation; each is a test of its own.
"""

import datetime
import json
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

import oauth
import upstreams
from conftest import HOLD_SECONDS, running
from estate import Estate
from keys import Agent, Key, claims_of, header_of
from oauth import ACCESS_TOKEN, EXCHANGE, LIBRARIES, Client, Server, call, done, entry, refusal

ORDER = {"order_id": "O-5007"}
REFUND = {"order_id": "O-5011", "reason": "dead pixels"}
TRIES = 50
TYPES = "urn:ietf:params:oauth:token-type:"
ANYBODY = [{"sub_profile": "ai_agent"}]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with oauth.site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def realm(tmp_path_factory, site, everything_url):
    with running(tmp_path_factory.mktemp("delegation"), HOLD_SECONDS, more=site.configuration) as remit:
        estate = Estate(remit, [upstreams.helpdesk("desk"), upstreams.everything("everything", everything_url)])
        for name in ("research", "archive", "courier"):
            estate.register(name)
            estate.grant("desk/show_order", "desk/find_customer", "desk/refund_order", "everything/echo", agent=name)
        yield estate


@pytest.fixture(scope="module")
def server(realm):
    return Server(realm.remit)


@pytest.fixture(scope="module")
def agents(realm):
    """Each with a key of its own: who begins, and who is asked to help."""
    return {name: Agent(realm.remit, name) for name in ("support", "research", "archive", "courier")}


def delegation(depth: int = 3, *names: str, agents=None) -> dict:
    delegates = [{"sub": agents[name].id} for name in names] if names else ANYBODY
    return {"max_depth": depth, "allowed_delegates": delegates}


def begins(server, agent, *entries, key: Key | None = None, **form) -> str:
    """A token of the agent's own, for a task that it may pass on as the entries say."""
    details = {"authorization_details": json.dumps(entries)} if entries else {}
    ask = {"grant_type": "client_credentials"} | details | form
    return server.granted(key or agent.key, **agent.assertion(), **ask)["access_token"]


def exchange(agent, token: str, *entries, **form) -> dict[str, str]:
    """The form by which `agent` asks for a part of what `token` may do."""
    details = {"authorization_details": json.dumps(entries)} if entries else {}
    asked = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return agent.assertion() | asked | details | form


@pytest.fixture
def desk(realm, server, agents):
    """support's token for orders and for refunds of up to 10 euros, to be passed on to anybody, three deep."""
    orders = entry(realm.remit, "desk", "show_order", delegation=delegation(3))
    refunds = entry(realm.remit, "desk", "refund_order", delegation=delegation(3), max_amount_cents=1_000)
    return begins(server, agents["support"], orders, refunds)


def part(realm, *actions: str, **bounds) -> dict:
    """What a delegate asks for."""
    return entry(realm.remit, "desk", *(actions or ("show_order",)), **bounds)


def ends(claims: dict) -> float:
    """When the task of a token ends that began it all, in seconds since 1970."""
    return datetime.datetime.fromisoformat(claims["mission"]["expires_at"]).timestamp()


# What a delegate gets


def test_a_delegate_gets_a_part_bound_to_its_own_key(realm, server, agents, desk):
    research = agents["research"]
    answer = server.granted(research.key, **exchange(research, desk, part(realm, "refund_order", max_amount_cents=500)))
    assert (answer["issued_token_type"], answer["token_type"]) == (ACCESS_TOKEN, "DPoP"), answer
    token, parent = server.verified(answer["access_token"]), server.verified(desk)
    assert token["sub"] == parent["sub"] == agents["support"].id
    assert token["act"] == {"sub": research.id, "iss": token["act"]["iss"], "sub_profile": "ai_agent"}
    assert token["client_id"] == research.id
    assert token["cnf"] == {"jkt": research.key.thumbprint} != parent["cnf"]
    assert token["task"] != parent["task"] and token["run"] != parent["run"]
    assert token["exp"] <= ends(parent)
    assert token["mission"]["id"] == parent["mission"]["id"]
    place, key = realm.remit.mcp("desk"), research.key
    had = answer["access_token"]
    assert done(call(place, had, "refund_order", REFUND | {"amount_cents": 499}, key))
    assert refusal(call(place, had, "refund_order", REFUND | {"amount_cents": 501}, key)) == "constraint_broken"
    assert refusal(call(place, had, "show_order", ORDER, key)) == "out_of_scope"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_exchanges(realm, server, agents, desk, library):
    research = agents["research"]
    client = Client(library, server.issuer)
    try:
        client.begin(research.id, research.key, research.key)
        asked = {"subject_token": desk, "subject_token_type": ACCESS_TOKEN}
        asked["authorization_details"] = json.dumps([part(realm)])
        tokens = client.ask({"grant": EXCHANGE, "parameters": asked})["tokens"]
        answer = client.call(realm.remit.mcp("desk"), tokens["access_token"], "show_order", ORDER)
        assert answer["status"] == 200 and answer["body"]["result"].get("isError") is not True, answer
        said = client.ask({"introspect": tokens["access_token"]})["introspection"]
        assert said["active"] is True and said["act"]["sub"] == research.id
    finally:
        client.close()


def test_the_whole_chain_is_in_the_token_and_in_introspection(realm, server, agents, desk):
    """Each node with its issuer and its profile, outermost first; inner nodes as they came (Keycloak forgot them in one place)."""
    token = desk
    for depth, name in enumerate(("research", "archive")):
        remaining = delegation(2 - depth) if depth == 0 else None
        asked = exchange(agents[name], token, part(realm, delegation=remaining))
        token = server.granted(agents[name].key, **asked)["access_token"]
    said = server.verified(token)
    chain, node = [], said
    while node := node.get("act"):
        chain.append(node["sub"])
        assert node["sub_profile"] == "ai_agent" and node["iss"] and "cnf" not in node, node
    assert (said["sub"], chain) == (agents["support"].id, [agents["archive"].id, agents["research"].id])
    looked = server.post("introspection", **agents["archive"].assertion(), token=token).json()
    assert looked["act"] == said["act"]
    assert call(realm.remit.mcp("desk"), token, "show_order", ORDER, agents["archive"].key).status_code == 200


def test_a_person_stays_who_it_is_for(realm, server, agents, site):
    """A person consents to a client; the agent passes a part on: the subject is the person all the way."""
    asked = entry(realm.remit, "desk", "show_order", delegation=delegation(2))
    parent = server.granted(**server.code(realm, site.client(), authorization_details=json.dumps([asked])))["access_token"]
    research = agents["research"]
    asked = entry(realm.remit, "desk", "show_order")
    child = server.verified(server.granted(research.key, **exchange(research, parent, asked))["access_token"])
    assert child["sub"] == claims_of(parent)["sub"] and child["sub_profile"] == "user"
    assert child["act"]["sub"] == research.id and child["act"]["act"]["sub"] == agents["support"].id


def test_what_is_passed_on_ends_with_what_it_came_from(realm, server, agents, desk):
    token = desk
    keys = []
    for depth, name in enumerate(("research", "archive")):
        asked = part(realm, delegation=delegation(2) if depth == 0 else None)
        token = server.granted(agents[name].key, **exchange(agents[name], token, asked))["access_token"]
        keys.append((token, agents[name].key))
    place = realm.remit.mcp("desk")
    assert all(call(place, token, "show_order", ORDER, key).status_code == 200 for token, key in keys)
    realm.remit.cli("task", "end", claims_of(desk)["task"], "--note", "done")
    for token, key in keys:
        assert refusal(call(place, token, "show_order", ORDER, key)) == "task_ended"
        looked = server.post("introspection", **agents["archive"].assertion(), token=token).json()
        assert looked == {"active": False}
    assert server.refused(agents["courier"].key, **exchange(agents["courier"], desk, part(realm))) == "invalid_grant"


# Wider than the parent


def refuses(server, agent, token: str, *entries, key: Key | None = None, **form) -> dict[str, str]:
    return server.refusal(key or agent.key, **exchange(agent, token, *entries, **form))


def test_trap_missing_constraint_key(realm, server, agents, desk):
    """A bound that is left out is as wide as can be."""
    said = refuses(server, agents["research"], desk, entry(realm.remit, "desk", "refund_order"))
    assert said["code"] == "wider_than_parent", said
    said = refuses(server, agents["research"], desk, entry(realm.remit, "desk", "refund_order", min_amount_cents=1))
    assert said["code"] == "wider_than_parent", said


@pytest.mark.parametrize("bound", [1_001, "1001", 1e9, {"amount": "1", "currency": "EUR"}, None, [1_000]], ids=str)
def test_trap_wider_constraint(realm, server, agents, desk, bound):
    said = refuses(server, agents["research"], desk, part(realm, "refund_order", max_amount_cents=bound))
    assert said["error"] in ("invalid_scope", "invalid_authorization_details"), said


def test_trap_wider_prefix(realm, server, agents, desk):
    """One connector of the gateway is no other, and not all of them; a name that begins alike is another name."""
    gateway = realm.remit.mcp()
    for place, match in [
        (gateway, "prefix"),
        (gateway, None),
        (f"{gateway}/des", "prefix"),
        (f"{gateway}/desk-http", None),
        (f"{gateway}/desk/../everything", None),
        (f"{gateway}/desk/%2e%2e/everything", None),
        (f"{gateway}/everything", None),
    ]:
        asked = part(realm) | {"resource": place} | ({"resource_match": match} if match else {})
        said = refuses(server, agents["research"], desk, asked)
        assert said["error"] in ("invalid_scope", "invalid_authorization_details", "invalid_target"), (place, said)


WIDER = [["*"], ["find_customer"], ["show_order", "find_customer"], ["show_*"], ["show_order.*"]]


@pytest.mark.parametrize("actions", WIDER, ids=str)
def test_trap_wider_actions(realm, server, agents, desk, actions):
    said = refuses(server, agents["research"], desk, part(realm, *actions))
    assert said["error"] in ("invalid_scope", "invalid_authorization_details"), said


def test_trap_wider_scope(realm, server, agents):
    orders = entry(realm.remit, "desk", "show_order", "find_customer", delegation=delegation(1))
    parent = begins(server, agents["support"], orders, scope="desk/show_order")
    for scope in ("desk/*", "desk/find_customer", "desk/show_order desk/find_customer", "everything/echo"):
        said = refuses(server, agents["research"], parent, entry(realm.remit, "desk", "show_order"), scope=scope)
        assert said["error"] == "invalid_scope" or said["code"] == "wider_than_parent", said
    # What no scope names is bounded by the parent's all the same.
    research = agents["research"]
    wide = entry(realm.remit, "desk", "show_order", "find_customer")
    token = server.granted(research.key, **exchange(research, parent, wide))["access_token"]
    place = realm.remit.mcp("desk")
    assert done(call(place, token, "show_order", ORDER, research.key))
    assert refusal(call(place, token, "find_customer", {"query": "ada"}, research.key)) == "out_of_scope"


def test_trap_nothing_named_is_not_everything(realm, server, agents):
    """Who names no authority gets no more than the parent has, with all of its bounds."""
    whole = entry(realm.remit, "desk", "refund_order", delegation=delegation(1), max_amount_cents=1_000)
    parent = begins(server, agents["support"], whole)
    research = agents["research"]
    answer = server.token(research.key, **exchange(research, parent))
    if answer.status_code != 200:
        return
    token, place = answer.json()["access_token"], realm.remit.mcp("desk")
    assert refusal(call(place, token, "refund_order", REFUND | {"amount_cents": 1_001}, research.key)) == "constraint_broken"
    assert refusal(call(place, token, "find_customer", {"query": "ada"}, research.key)) == "out_of_scope"


def test_trap_longer_than_the_parent(realm, server, agents):
    """However often it is renewed, a delegate's token ends with the parent's task."""
    whole = entry(realm.remit, "desk", "show_order", delegation=delegation(1))
    parent = begins(server, agents["support"], whole)
    research = agents["research"]
    for asked in ({}, {"expires_in": "86400"}, {"requested_token_lifetime": "86400"}):
        answer = server.token(research.key, **exchange(research, parent, entry(realm.remit, "desk", "show_order"), **asked))
        if answer.status_code == 200:
            assert claims_of(answer.json()["access_token"])["exp"] <= ends(claims_of(parent))


def test_trap_more_calls_than_the_parent(realm, server, agents):
    """The calls of a delegate are calls of the task that it helps with."""
    task = realm.task("few calls", "--calls", "3", "--key", agents["support"].key.thumbprint)
    said = claims_of(task.token)
    assert said["budget"] == {"calls_max": 3}, said


# Keys


def test_trap_the_parents_key(realm, server, agents, desk):
    """The delegate proves its own key; who shows the parent's is the parent."""
    said = refuses(server, agents["research"], desk, part(realm), key=agents["support"].key)
    assert said["error"] in ("invalid_dpop_proof", "invalid_grant", "invalid_request"), said


def test_trap_no_key_at_all(realm, server, agents, desk):
    answer = server.token(None, **exchange(agents["research"], desk, part(realm)))
    assert answer.status_code == 400 and answer.json()["error"] in ("invalid_dpop_proof", "invalid_request"), answer.text


def test_trap_the_old_key_is_not_asked_for(realm, server, agents, desk):
    """The delegate never has the parent's key, so nothing may ask for it (Keycloak's deadlock)."""
    research = agents["research"]
    answer = server.granted(research.key, **exchange(research, desk, part(realm)))
    assert claims_of(answer["access_token"])["cnf"] == {"jkt": research.key.thumbprint}


def test_trap_a_token_used_with_another_key(realm, server, agents, desk):
    research, place = agents["research"], realm.remit.mcp("desk")
    token = server.granted(research.key, **exchange(research, desk, part(realm)))["access_token"]
    for key in (agents["support"].key, agents["archive"].key, Key(), None):
        assert call(place, token, "show_order", ORDER, key).status_code == 401
    assert call(place, token, "show_order", ORDER, research.key).status_code == 200


def test_trap_another_agents_name(realm, server, agents, desk):
    """The assertion says who asks, whatever else the request says."""
    research = agents["research"]
    for spoilt in ({"client_id": agents["archive"].id}, {"client_id": agents["support"].id}):
        assert server.refused(research.key, **(exchange(research, desk, part(realm)) | spoilt)) == "invalid_client"
    form = exchange(research, desk, part(realm))
    unnamed = {name: value for name, value in form.items() if not name.startswith("client_")}
    assert server.refused(research.key, **unnamed) in ("invalid_client", "invalid_request")


# Depth and chain


def test_trap_too_deep(realm, server, agents):
    whole = entry(realm.remit, "desk", "show_order", delegation=delegation(1))
    parent = begins(server, agents["support"], whole)
    research, archive = agents["research"], agents["archive"]
    asked = entry(realm.remit, "desk", "show_order")
    child = server.granted(research.key, **exchange(research, parent, asked))["access_token"]
    said = refuses(server, archive, child, asked)
    assert said["code"] in ("too_deep", "actor_unauthorized"), said
    # Nor does asking for depth give it.
    said = refuses(server, research, parent, entry(realm.remit, "desk", "show_order", delegation=delegation(1)))
    assert said["error"] in ("invalid_scope", "invalid_authorization_details", "invalid_request"), said


def test_trap_nothing_to_pass_on(realm, server, agents):
    """Without a word about delegation, nothing is passed on."""
    parent = begins(server, agents["support"], entry(realm.remit, "desk", "show_order"))
    said = refuses(server, agents["research"], parent, entry(realm.remit, "desk", "show_order"))
    assert said["error"] == "actor_unauthorized" or said["code"] in ("too_deep", "actor_unauthorized"), said


def test_trap_truncated_chain(realm, server, agents, desk):
    """A chain that was cut, made longer or changed does not verify; no part of it can be dropped by asking."""
    research, archive = agents["research"], agents["archive"]
    child = server.granted(research.key, **exchange(research, desk, part(realm, delegation=delegation(2))))["access_token"]
    header, _, signature = child.split(".")
    claims = claims_of(child)
    for changed in (
        {name: value for name, value in claims.items() if name != "act"},
        claims | {"act": claims["act"] | {"sub": archive.id}},
        claims | {"sub": archive.id},
    ):
        own = archive.key.sign("at+jwt", changed, kid=header_of(child)["kid"])
        spliced = f"{header}.{own.split('.')[1]}.{signature}"
        for forged in (own, spliced):
            assert server.refused(archive.key, **exchange(archive, forged, part(realm))) in ("invalid_grant", "invalid_request")
    grandchild = server.granted(archive.key, **exchange(archive, child, part(realm)))["access_token"]
    said = server.verified(grandchild)
    assert said["act"]["act"]["sub"] == research.id and said["sub"] == agents["support"].id


def test_trap_may_act(realm, server, agents):
    """Where one delegate is named, nobody else is one (Keycloak wrote `may_act` and did not look at it)."""
    only = delegation(2, "research", agents=agents)
    parent = begins(server, agents["support"], entry(realm.remit, "desk", "show_order", delegation=only))
    assert server.verified(parent)["may_act"] == {"sub": agents["research"].id}
    asked = entry(realm.remit, "desk", "show_order")
    said = refuses(server, agents["archive"], parent, asked)
    assert (said["error"], said["code"]) == ("actor_unauthorized", "actor_unauthorized"), said
    assert server.granted(agents["research"].key, **exchange(agents["research"], parent, asked))


def test_trap_actor_token_of_another(realm, server, agents, desk):
    """An actor token that names somebody else than who asks is not believed."""
    research, archive = agents["research"], agents["archive"]
    other = begins(server, archive, entry(realm.remit, "desk", "show_order"))
    form = exchange(research, desk, part(realm), actor_token=other, actor_token_type=ACCESS_TOKEN)
    answer = server.token(research.key, **form)
    assert 400 <= answer.status_code < 500, answer.text
    assert "access_token" not in answer.text


# Proofs, audiences and times


def test_trap_replayed_proof(realm, server, agents, desk):
    research, place = agents["research"], realm.remit.mcp("desk")
    endpoint = server.metadata["token_endpoint"]
    proof = {"dpop": research.key.proof("POST", endpoint)}
    answer = server.post("token", proof, **exchange(research, desk, part(realm)))
    assert answer.status_code == 200, answer.text
    again = server.post("token", proof, **exchange(research, desk, part(realm)))
    assert again.status_code == 400 and again.json()["error"] == "invalid_dpop_proof", again.text
    token, jti = answer.json()["access_token"], uuid.uuid4().hex
    assert call(place, token, "show_order", ORDER, research.key, jti=jti).status_code == 200
    assert call(place, token, "show_order", ORDER, research.key, jti=jti).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "GET"},
        {"htu": "https://elsewhere.example/oauth/token"},
        {"iat": 9_999_999_999},
        {"iat": 1},
        {"iat": None},
        {"jti": None},
    ],
    ids=["method", "address", "future", "past", "no time", "no name"],
)
def test_trap_a_proof_for_something_else(realm, server, agents, desk, changed):
    research = agents["research"]
    proof = {"dpop": research.key.proof("POST", server.metadata["token_endpoint"], **changed)}
    answer = server.post("token", proof, **exchange(research, desk, part(realm)))
    assert answer.status_code == 400 and answer.json()["error"] == "invalid_dpop_proof", answer.text
    place = realm.remit.mcp("desk")
    token = server.granted(research.key, **exchange(research, desk, part(realm)))["access_token"]
    assert call(place, token, "show_order", ORDER, research.key, **changed).status_code == 401


def test_trap_wrong_audience(realm, server, agents):
    """What is for one connector is exchanged for nothing at another, and for nothing elsewhere."""
    research = agents["research"]
    orders = entry(realm.remit, "desk", "show_order", delegation=delegation(1))
    desk = begins(server, agents["support"], orders, resource=realm.remit.mcp("desk"))
    for place in (realm.remit.mcp("everything"), realm.remit.mcp(), "https://elsewhere.example/mcp", server.issuer):
        for name in ("resource", "audience"):
            said = refuses(server, research, desk, part(realm), **{name: place})
            assert said["error"] in ("invalid_target", "invalid_scope", "invalid_authorization_details"), (name, place, said)
    one = server.granted(research.key, **exchange(research, desk, part(realm), resource=realm.remit.mcp("desk")))["access_token"]
    assert claims_of(one)["aud"] == realm.remit.mcp("desk")
    assert call(realm.remit.mcp("everything"), one, "echo", {"message": "m"}, research.key).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [{"iat": 3_600, "exp": 3_660}, {"exp": 86_400}, {"nbf": 3_600}],
    ids=["made", "ends too late", "begins"],
)
def test_trap_an_assertion_from_the_future(server, agents, desk, realm, changed):
    research, now = agents["research"], int(time.time())
    assertion = research.assertion(**{name: now + seconds for name, seconds in changed.items()})
    assert server.refused(research.key, **(exchange(research, desk, part(realm)) | assertion)) == "invalid_client"


@pytest.mark.parametrize("kind", [f"{TYPES}id_token", f"{TYPES}saml2", "nothing"])
def test_trap_a_token_of_another_kind(realm, server, agents, desk, kind):
    form = exchange(agents["research"], desk, part(realm)) | {"subject_token_type": kind}
    assert server.refused(agents["research"].key, **form) == "invalid_request"


def test_trap_what_is_no_token_of_ours(realm, server, agents):
    """An assertion, a proof, a status list, an enrolment: signed documents, none of which is a token."""
    research = agents["research"]
    signed = [research.assertion()["client_assertion"], research.key.proof("POST", "https://elsewhere.example")]
    for other in (*signed, "x.y.z", "nothing"):
        assert server.refused(research.key, **exchange(research, other, part(realm))) in ("invalid_grant", "invalid_request")


# Things that are good for once, fifty at a time


def at_once(ask) -> list[httpx.Response]:
    with ThreadPoolExecutor(TRIES) as pool:
        return list(pool.map(ask, range(TRIES)))


def begun(realm) -> list[dict]:
    return realm.remit.cli("task", "list", "--agent", "support", "--status", "all")["items"]


def at_most_one(answers: list[httpx.Response]) -> None:
    """One got it, or nobody; the others were told that there is nothing to be had."""
    counted = Counter(answer.status_code for answer in answers)
    assert counted[200] <= 1 and counted[200] + counted[400] == TRIES, counted
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


def test_trap_a_code_under_parallel_tries(realm, server, site):
    form = server.code(realm, site.client(), resource=realm.remit.mcp("desk"))
    before = begun(realm)
    answers = at_once(lambda _: server.token(**form))
    # Used twice, so it was stolen or badly kept: what the first got, if it got it before the others came, is worth nothing.
    at_most_one(answers)
    for answer in answers:
        if answer.status_code == 200:
            token = answer.json()["access_token"]
            assert refusal(call(realm.remit.mcp("desk"), token, "show_order", ORDER)) == "task_ended"
    new = [task for task in begun(realm) if task["id"] not in {one["id"] for one in before}]
    assert [task["status"] for task in new] == ["ended"], new


def test_trap_an_enrolment_ticket_under_parallel_tries(realm):
    """Join tickets that are looked up and then deleted let two machines in (SPIRE's join token)."""
    realm.register("joining")
    offer = realm.remit.cli("agent", "enrol", "joining")
    sent = [Key().enrolment(offer["issuer"], "joining", offer["code"]) for _ in range(TRIES)]
    answers = at_once(lambda at: httpx.post(f"{realm.remit.control}/v1/enrol", json=sent[at], timeout=30))
    assert Counter(answer.status_code == 200 for answer in answers) == {True: 1, False: TRIES - 1}
    keys = realm.remit.cli("agent", "keys", "joining")["items"]
    assert len(keys) == 1, keys


def test_trap_a_refresh_token_under_parallel_tries(realm, server, site):
    form = server.code(realm, site.client(), resource=realm.remit.mcp("desk"))
    first = server.granted(**form)
    renew = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": form["client_id"]}
    at_most_one(at_once(lambda _: server.token(**renew)))
    assert refusal(call(realm.remit.mcp("desk"), first["access_token"], "show_order", ORDER)) == "task_ended"


def test_trap_an_assertion_under_parallel_tries(realm, server, agents):
    form = agents["research"].assertion() | {"grant_type": "client_credentials"}
    answers = at_once(lambda _: server.token(**form))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: TRIES - 1}
