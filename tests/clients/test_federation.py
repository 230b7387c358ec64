"""Workloads that others vouch for: another Remit as a foreign trust domain, and an issuer of OpenID Connect tokens."""

import json
import sys
import time
import uuid

import httpx
import pytest

import mtls
import upstreams
from conftest import HOLD_SECONDS, running
from estate import Estate
from keys import Key
from oauth import SPIFFE_ASSERTION, Server, call, done
from workloads import Workload, local, node

ORDER = {"order_id": "O-5007"}
PARTNER, NEIGHBOUR = "partner.example", "neighbour.example"
BUILDS = "https://builds.example"
HERE = "https://remit.example"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SECONDS_MAX = 10


def foreign(directory, trust_domain: str):
    return running(directory, HOLD_SECONDS, realm=f'trust_domain = "{trust_domain}"', mtls=True)


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    """Another realm, whose bundle is a file here."""
    with foreign(tmp_path_factory.mktemp("partner"), PARTNER) as remit:
        estate = Estate(remit, [])
        estate.register("visitor")
        estate.register("stranger")
        # Two programs of this machine: that of the tests, and Node.js.
        local(estate, "visitor", sys.executable)
        local(estate, "stranger", node())
        yield estate


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory):
    """A third one, whose bundle is at its address."""
    with foreign(tmp_path_factory.mktemp("neighbour"), NEIGHBOUR) as remit:
        estate = Estate(remit, [])
        estate.register("visitor")
        local(estate, "visitor", sys.executable)
        yield estate


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """The key of a build service, and where it is published."""
    key, place = Key(), tmp_path_factory.mktemp("builds") / "jwks.json"
    place.write_text(json.dumps({"keys": [key.public | {"kid": "builds-1", "alg": "ES256", "use": "sig"}]}))
    return key, place


@pytest.fixture(scope="module")
def realm(tmp_path_factory, partner, neighbour, builds):
    bundle = tmp_path_factory.mktemp("bundles") / "partner.json"
    bundle.write_text(httpx.get(f"{partner.remit.control}/.well-known/spiffe-bundle").text)
    more = f"""
[[identity.federation]]
trust_domain = "{PARTNER}"
bundle_file = "{bundle}"

[[identity.federation]]
trust_domain = "{NEIGHBOUR}"
bundle_url = "{neighbour.remit.control}/.well-known/spiffe-bundle"

[[identity.oidc]]
issuer = "{BUILDS}"
jwks_file = "{builds[1]}"
audience = "{HERE}"
claims = {{ repository = "shop/refunds" }}
"""
    with running(tmp_path_factory.mktemp("home"), HOLD_SECONDS, mtls=True, more=more) as remit:
        estate = Estate(remit, [upstreams.helpdesk("desk")])
        # A name of another realm is not one of ours: it is bound to an agent by people.
        for domain in (PARTNER, NEIGHBOUR):
            estate.register(f"from-{domain.split('.')[0]}")
            estate.grant("desk/show_order", agent=f"from-{domain.split('.')[0]}")
        bind(estate, "from-partner", f"spiffe://{PARTNER}", id_of(partner, "visitor"))
        bind(estate, "from-neighbour", f"spiffe://{NEIGHBOUR}", id_of(neighbour, "visitor"))
        yield estate


@pytest.fixture(scope="module")
def server(realm):
    return Server(realm.remit)


def id_of(estate, agent: str) -> str:
    return estate.remit.cli("agent", "show", agent)["spiffe_id"]


def bind(estate, agent: str, issuer: str, subject: str) -> None:
    estate.remit.cli("workload", "bind", agent, "--issuer", issuer, "--subject", subject)


def ask(estate, step: dict, language: str = "python") -> dict:
    """What a program of this machine is told that it is, which nobody started: as people said by its file."""
    workload = Workload(estate.remit, language)
    try:
        return workload.ask(step)
    finally:
        workload.close()


def asks(server, assertion: str, **form) -> httpx.Response:
    return server.token(grant_type="client_credentials", client_assertion_type=SPIFFE_ASSERTION, client_assertion=assertion, **form)


def quarantined(realm) -> list[dict]:
    return [agent for agent in realm.remit.cli("agent", "list")["items"] if agent["status"] == "quarantined"]


def shown(realm, agent: dict) -> str:
    return json.dumps(realm.remit.cli("agent", "show", agent["name"]))


# Another trust domain


@pytest.mark.parametrize("name", ["partner", "neighbour"])
def test_a_visitor_gets_a_token(realm, server, partner, neighbour, name):
    """By a bundle in a file, and by one at an address."""
    theirs = {"partner": partner, "neighbour": neighbour}[name]
    svid = ask(theirs, {"jwt": server.issuer})
    assert svid["spiffe_id"] == id_of(theirs, "visitor")
    answer = asks(server, svid["token"], resource=realm.remit.mcp("desk"))
    assert answer.status_code == 200, answer.text
    said = server.verified(answer.json()["access_token"])
    assert said["sub"] == id_of(realm, f"from-{name}"), said
    assert done(call(realm.remit.mcp("desk"), answer.json()["access_token"], "show_order", ORDER))


def test_a_visitor_comes_with_a_certificate(realm, partner, tmp_path):
    said = ask(partner, {"x509": {}})
    home = httpx.get(f"{realm.remit.control}/.well-known/spiffe-bundle").json()
    domain = id_of(realm, "support").split("/")[2]
    ours = {domain: [key["x5c"][0] for key in home["keys"] if key["use"] == "x509-svid"]}
    place = f"{realm.remit.addresses['gateway_mtls']}/mcp/desk"
    answer = mtls.call(str(tmp_path), {"svids": said["svids"], "bundles": ours}, place, "show_order", ORDER)
    assert answer["status"] == 200 and answer["body"]["result"].get("isError") is not True, answer


def test_an_unknown_visitor_arrives_in_quarantine(realm, server, partner):
    """Well authenticated and nobody's: it is there to be seen, once, and can do nothing."""
    for _ in range(2):
        answer = asks(server, ask(partner, {"jwt": server.issuer}, "node")["token"])
        assert answer.status_code == 400 and "access_token" not in answer.text, answer.text
        assert answer.json()["code"] == "agent_quarantined", answer.text
    arrived = [agent for agent in quarantined(realm) if "stranger" in shown(realm, agent)]
    assert len(arrived) == 1 and arrived[0]["name"].startswith("arrived-"), arrived
    assert not arrived[0].get("owner"), arrived
    with pytest.raises(Exception) as refused:
        realm.remit.cli("task", "start", arrived[0]["name"], "--purpose", "works anyway")
    assert "quarantine" in str(refused.value)


def test_a_domain_that_nobody_configured_is_nobody(realm, server, builds):
    key = Key()
    claims = {"sub": "spiffe://elsewhere.example/agent/visitor/production", "aud": server.issuer, "exp": int(time.time()) + 60}
    before = len(quarantined(realm))
    assert asks(server, key.sign("JWT", claims, kid="x")).json()["error"] == "invalid_client"
    # The configured name with a key of somebody else, and our own name.
    for domain in (PARTNER, id_of(realm, "support").split("/")[2]):
        claims["sub"] = f"spiffe://{domain}/agent/support/production"
        assert asks(server, key.sign("JWT", claims, kid="x")).json()["error"] == "invalid_client"
    assert len(quarantined(realm)) == before


def test_a_partner_speaks_for_its_own_domain_only(realm, server, partner):
    """What one domain signs is no identity of another, ours included."""
    token = ask(partner, {"jwt": server.issuer})["token"]
    other = ask(partner, {"jwt": "https://elsewhere.example"})["token"]
    assert asks(server, other).json()["error"] == "invalid_client"
    assert asks(server, token, client_id=id_of(realm, "support")).json()["error"] == "invalid_client"


# OpenID Connect


def build(key: Key, **changed) -> str:
    now = int(time.time())
    claims = {"iss": BUILDS, "sub": "repo:shop/refunds:ref:main", "aud": HERE, "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}
    return key.sign("JWT", claims | {"repository": "shop/refunds"} | changed, kid="builds-1")


def test_a_build_gets_a_token(realm, server, builds):
    realm.register("builder")
    realm.grant("desk/show_order", agent="builder")
    bind(realm, "builder", BUILDS, "repo:shop/refunds:ref:main")
    answer = server.granted(grant_type=BEARER, assertion=build(builds[0]), resource=realm.remit.mcp("desk"))
    assert server.verified(answer["access_token"])["sub"] == id_of(realm, "builder")
    assert done(call(realm.remit.mcp("desk"), answer["access_token"], "show_order", ORDER))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "https://elsewhere.example"},
        {"aud": [HERE, "https://elsewhere.example"]},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"repository": "shop/others"},
        {"repository": None},
        {"iat": int(time.time()) + 3_600, "exp": int(time.time()) + 3_660},
    ],
    ids=["audience", "audiences", "issuer", "expired", "claim", "no claim", "future"],
)
def test_a_build_that_does_not_fit_is_nobody(realm, server, builds, changed):
    before = len(quarantined(realm))
    assert server.refused(grant_type=BEARER, assertion=build(builds[0], **changed)) in ("invalid_grant", "invalid_client")
    assert server.refused(grant_type=BEARER, assertion=build(Key())) in ("invalid_grant", "invalid_client")
    assert len(quarantined(realm)) == before


def test_an_unknown_build_arrives_in_quarantine(realm, server, builds):
    subject = "repo:shop/refunds:ref:experiment"
    said = server.refusal(grant_type=BEARER, assertion=build(builds[0], sub=subject))
    assert said["code"] == "agent_quarantined", said
    found = [agent for agent in quarantined(realm) if subject in shown(realm, agent)]
    assert len(found) == 1, found
    again = server.refusal(grant_type=BEARER, assertion=build(builds[0], sub=subject))
    assert again["code"] == "agent_quarantined"
    assert len([agent for agent in quarantined(realm) if subject in shown(realm, agent)]) == 1
    # It is on record that somebody came.
    query = ["ledger", "query", "--kind", "WorkloadArrived"]
    arrived = upstreams.wait_until(lambda: realm.remit.cli(*query)["items"], SECONDS_MAX, "the arrival is found")
    assert any(subject in json.dumps(item) for item in arrived), arrived
