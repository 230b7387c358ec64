"""The authorization server with clients of others: `oauth4webapi`, `openid-client`, Authlib, and plain requests."""

import json
import secrets
import time
from urllib.parse import urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT

import oauth
import upstreams
from browser import Consent, query_of, signed_in
from certificates import Answer
from conftest import HOLD_SECONDS, running
from estate import Estate
from keys import Agent, Key, base64url, claims_of
from oauth import ACCESS_TOKEN, EXCHANGE, LIBRARIES, MISSION, REDIRECT, SPIFFE_ASSERTION, Client, Server, call, done, entry, refusal
from workloads import Workload

ORDER = {"order_id": "O-5007"}
WITH_EACH = pytest.mark.parametrize("library", LIBRARIES)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with oauth.site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def realm(tmp_path_factory, site, everything_url):
    with running(tmp_path_factory.mktemp("oauth"), HOLD_SECONDS, more=site.configuration) as remit:
        yield Estate(remit, [upstreams.helpdesk("desk"), upstreams.everything("everything", everything_url)])


@pytest.fixture(scope="module")
def server(realm):
    return Server(realm.remit)


@pytest.fixture(scope="module")
def agent(realm):
    """`support` with a key of its own."""
    return Agent(realm.remit, "support")


@pytest.fixture
def client(library, server):
    client = Client(library, server.issuer)
    yield client
    client.close()


@pytest.fixture
def public(client, site):
    """A client that proves nothing but its code."""
    client.begin(site.client())
    return client


# What is published


@WITH_EACH
def test_a_library_discovers_the_server(client, server):
    said = client.metadata
    assert said["issuer"] == server.issuer
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    for promise in ("authorization_response_iss_parameter_supported", "client_id_metadata_document_supported"):
        assert said[promise] is True, said
    assert {"authorization_code", "client_credentials", "refresh_token", EXCHANGE} <= set(said["grant_types_supported"])
    assert MISSION in said["authorization_details_types_supported"]
    assert said["dpop_signing_alg_values_supported"] == ["ES256"]
    # Nobody registers here unless somebody allowed it.
    assert "registration_endpoint" not in said


def test_both_addresses_say_the_same(realm, server):
    other = httpx.get(f"{realm.remit.control}/.well-known/openid-configuration")
    assert other.json().items() >= {name: server.metadata[name] for name in ("issuer", "token_endpoint", "jwks_uri")}.items()
    assert len(server.keys().keys) >= 1


def test_the_gateway_says_who_gives_tokens_for_it(realm, server):
    for connector in (None, "desk"):
        place = realm.remit.mcp(connector)
        answer = httpx.post(place, json={"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}})
        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        told = challenge.split('resource_metadata="')[1].split('"')[0]
        said = httpx.get(told).json()
        assert (said["resource"], said["authorization_servers"]) == (place, [server.issuer]), said
        assert said["bearer_methods_supported"] == ["header"]
        # The address that a client would make up by itself.
        parts = urlsplit(place)
        guessed = f"{parts.scheme}://{parts.netloc}/.well-known/oauth-protected-resource{parts.path}"
        assert httpx.get(guessed).json() == said
    nowhere = f"{realm.remit.addresses['gateway']}/.well-known/oauth-protected-resource/mcp/nothing"
    assert httpx.get(nowhere).status_code == 404


# A person's consent


@WITH_EACH
@pytest.mark.parametrize("par", [True, False], ids=["pushed", "plain"])
def test_a_person_consents(realm, server, public, par):
    place = {"resource": realm.remit.mcp("desk")}
    tokens = public.tokens(realm, "ana", "support", par=par, at_token=place, **place)
    assert tokens["token_type"] == "bearer" and 0 < tokens["expires_in"] <= 3_600
    said = server.verified(tokens["access_token"])
    shown = realm.remit.cli("agent", "show", "support")
    assert (said["iss"], said["aud"]) == (server.issuer, realm.remit.mcp("desk"))
    assert said["sub"].startswith("prs_") and said["sub_profile"] == "user"
    assert said["act"]["sub"] == shown["spiffe_id"] and said["act"]["sub_profile"] == "ai_agent" and said["act"]["iss"]
    assert "act" not in said["act"]
    answer = public.call(realm.remit.mcp("desk"), tokens["access_token"], "show_order", ORDER)
    assert answer["status"] == 200 and answer["body"]["result"].get("isError") is not True, answer
    task = realm.remit.cli("task", "show", said["task"])
    assert task["purpose"] == "ticket 17", task


@pytest.mark.parametrize("library", ["oauth4webapi"])
def test_another_resource_server_understands_the_token(realm, public):
    tokens = public.tokens(realm, "ana", "support", resource=realm.remit.mcp())
    place = realm.remit.mcp()
    claims = public.ask({"validate": tokens["access_token"], "audience": place, "url": place})["claims"]
    assert claims["aud"] == place


@WITH_EACH
def test_the_page_shows_what_is_asked(realm, public):
    asked = {"redirect_uri": REDIRECT, "resource": realm.remit.mcp("desk"), "scope": "desk/show_order"}
    consent = Consent(realm, public.ask({"authorize": asked, "par": True})["authorize"], "ana")
    text = consent.page.text
    assert consent.page.status_code == 200, text
    assert "An application of others" in text and "support" in text and "desk/show_order" in text
    assert "localhost" in text, "a person sees where the client lives, since its name is its own word"
    assert "frame-ancestors 'none'" in consent.page.headers["content-security-policy"]


@WITH_EACH
def test_a_no_goes_back_to_the_client(realm, public, server):
    url = public.ask({"authorize": {"redirect_uri": REDIRECT, "resource": realm.remit.mcp()}, "par": True})["authorize"]
    back = query_of(Consent(realm, url, "ana").deny())
    assert (back["error"], back["iss"]) == ("access_denied", server.issuer), back


def test_who_is_not_signed_in_signs_in_first(realm, server, site):
    url, _ = server.authorize(site.client(), resource=realm.remit.mcp())
    with httpx.Client(base_url=realm.remit.control) as http:
        page = http.get(url)
        while page.status_code in (302, 303):
            page = http.get(page.headers["location"])
        assert urlsplit(str(page.url)).path == "/sign-in", page.url


def test_the_page_cannot_be_forged(realm, server, site):
    url, _ = server.authorize(site.client(), resource=realm.remit.mcp())
    consent = Consent(realm, url, "ana")
    action, fields = consent.form
    yes = fields | {"decision": "allow", "agent": "support", "purpose": "p"}
    sealed = next(name for name, value in fields.items() if name == "request")
    token = next(name for name in fields if name in ("csrf", "form_token"))
    for spoilt in ({token: ""}, {token: "A" * 43}, {sealed: fields[sealed][:-4] + "AAAA"}):
        answer = consent.http.post(action, data=yes | spoilt)
        assert 400 <= answer.status_code < 500, (spoilt, answer.status_code)
    foreign = consent.http.post(action, data=yes, headers={"origin": "https://elsewhere.example"})
    assert 400 <= foreign.status_code < 500
    # Whatever is no yes is a no.
    assert "code" not in query_of(consent.sent_back(consent.http.post(action, data=yes | {"decision": "maybe"})))
    # Another person, who is signed in, with ana's form.
    other = signed_in(realm, "mia").post(action, data=yes)
    assert 400 <= other.status_code < 500, other.status_code


def test_nobody_consents_for_an_agent_that_is_not_theirs(realm, server, site):
    url, _ = server.authorize(site.client(), resource=realm.remit.mcp())
    answer = Consent(realm, url, "carla").answer(decision="allow", agent="support", purpose="p")
    sent = query_of(answer.headers["location"]) if answer.status_code in (302, 303) else {}
    assert 400 <= answer.status_code < 500 or "error" in sent, (answer.status_code, sent)
    assert "code" not in sent


# What a request must be like


@pytest.fixture(scope="module")
def registered(realm):
    """A client that somebody here registered."""
    return realm.remit.cli("client", "add", "portal", "--redirect", REDIRECT)["id"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"resource": "https://elsewhere.example/mcp"}, "invalid_target"),
        ({"scope": "not an operation!"}, "invalid_scope"),
        ({"authorization_details": '[{"type": "payment"}]'}, "invalid_authorization_details"),
    ],
    ids=["no challenge", "plain challenge", "implicit", "elsewhere", "scope", "details"],
)
def test_a_request_that_is_wrong_is_told_so(realm, server, site, registered, changed, error):
    person = signed_in(realm, "ana")
    url, _ = server.authorize(registered, **({"resource": realm.remit.mcp()} | changed))
    answer = person.get(url)
    assert answer.status_code in (302, 303), answer.text
    back = query_of(answer.headers["location"])
    assert answer.headers["location"].startswith(REDIRECT)
    assert (back["error"], back["state"], back["iss"]) == (error, "s", server.issuer), back
    # Where a stranger's document sends people, nobody is sent without having said anything (RFC 9700 section 4.11.2).
    url, _ = server.authorize(site.client(), **({"resource": realm.remit.mcp()} | changed))
    answer = person.get(url)
    assert answer.status_code == 400 and "location" not in answer.headers, answer.headers
    assert answer.json()["error"] == error


ELSEWHERE = [REDIRECT + "/", "http://127.0.0.1:53682/other", "https://elsewhere.example/", None]


@pytest.mark.parametrize("redirect", ELSEWHERE)
def test_nobody_is_sent_where_the_client_never_said(realm, server, site, redirect):
    url, _ = server.authorize(site.client(), redirect_uri=redirect, resource=realm.remit.mcp())
    answer = signed_in(realm, "ana").get(url)
    # A client with one address may leave it out; whatever else it says is not followed.
    if redirect is None and answer.status_code in (302, 303):
        return
    assert 400 <= answer.status_code < 500 and "location" not in answer.headers, answer.headers


@pytest.mark.parametrize(
    "broken",
    [
        lambda site: site.client(client_id="https://localhost/other.json"),
        lambda site: site.client(client_secret="s"),
        lambda site: site.client(token_endpoint_auth_method="client_secret_basic"),
        lambda site: site.client("javascript:alert(1)"),
        lambda site: site.client() + "#fragment",
        lambda site: site.client().replace("https://", "http://"),
        lambda site: site.web.url + "/nowhere.json",
        lambda site: moved(site),
        lambda site: large(site),
    ],
    ids=["another id", "secret", "method", "script", "fragment", "plain http", "no document", "redirect", "too large"],
)
def test_a_client_whose_document_is_wrong_is_nobody(realm, server, site, broken):
    url, _ = server.authorize(broken(site), resource=realm.remit.mcp())
    answer = signed_in(realm, "ana").get(url)
    assert 400 <= answer.status_code < 500 and "location" not in answer.headers, (answer.status_code, answer.headers)


def moved(site) -> str:
    site.web.answers["/moved.json"] = Answer(status=302, headers={"location": urlsplit(site.client()).path})
    return site.web.url + "/moved.json"


def large(site) -> str:
    return site.client(logo_uri="https://elsewhere.example/" + "a" * 200_000)


def test_a_client_that_people_registered(realm, server):
    """Without a document of its own, and without a secret."""
    added = realm.remit.cli("client", "add", "desk-app", "--redirect", REDIRECT)
    assert added["id"].startswith("cli_")
    token = server.granted(**server.code(realm, added["id"], resource=realm.remit.mcp("desk")))["access_token"]
    assert server.verified(token)["client_id"] == added["id"]
    assert done(call(realm.remit.mcp("desk"), token, "show_order", ORDER))
    realm.remit.cli("client", "remove", "desk-app")
    assert refusal(call(realm.remit.mcp("desk"), token, "show_order", ORDER)) == "task_ended"
    url, _ = server.authorize(added["id"], resource=realm.remit.mcp())
    assert 400 <= signed_in(realm, "ana").get(url).status_code < 500


# Codes


def test_a_code_is_for_who_asked_for_it(realm, server, site):
    mine, other = site.client(), site.client()
    for spoilt in ({"client_id": other}, {"redirect_uri": REDIRECT + "2"}, {"code_verifier": "A" * 43}, {"code_verifier": None}):
        form = {name: value for name, value in (server.code(realm, mine) | spoilt).items() if value is not None}
        assert server.refused(**form) in ("invalid_grant", "invalid_request", "invalid_client"), spoilt


def test_a_code_that_is_used_again_ends_what_it_began(realm, server, site):
    form = server.code(realm, site.client(), resource=realm.remit.mcp("desk"))
    token = server.granted(**form)["access_token"]
    assert call(realm.remit.mcp("desk"), token, "show_order", ORDER).status_code == 200
    assert server.refused(**form) == "invalid_grant"
    task = realm.remit.cli("task", "show", claims_of(token)["task"])
    assert task["status"] == "ended", task
    answer = call(realm.remit.mcp("desk"), token, "show_order", ORDER)
    assert refusal(answer) == "task_ended", answer.text


# Tokens bound to a key


@WITH_EACH
def test_a_bound_token_needs_its_key(realm, server, client, site):
    key, place = Key(), realm.remit.mcp("desk")
    client.begin(site.client(), proof=key)
    tokens = client.tokens(realm, "ana", "support", resource=place)
    assert tokens["token_type"] == "dpop"
    token = tokens["access_token"]
    assert server.verified(token)["cnf"] == {"jkt": key.thumbprint}
    answer = client.call(place, token, "show_order", ORDER)
    assert answer.get("status") == 200 and answer["body"]["result"].get("isError") is not True, answer
    # Without its key, with another, for another address, with the proof of another token.
    assert call(place, token, "show_order", ORDER).status_code == 401
    assert call(place, token, "show_order", ORDER, Key()).status_code == 401
    assert call(place, token, "show_order", ORDER, key, htu=realm.remit.mcp("everything")).status_code == 401
    assert call(place, token, "show_order", ORDER, key, ath="A" * 43).status_code == 401
    assert call(place, token, "show_order", ORDER, key).status_code == 200


def test_a_code_bound_to_a_key_needs_it(realm, server, site):
    key = Key()
    form = server.code(realm, site.client(), resource=realm.remit.mcp(), dpop_jkt=key.thumbprint)
    assert server.refused(Key(), **form) in ("invalid_grant", "invalid_dpop_proof")
    form = server.code(realm, site.client(), resource=realm.remit.mcp(), dpop_jkt=key.thumbprint)
    assert server.granted(key, **form)["token_type"] == "DPoP"


# Renewal, looking, giving back


@WITH_EACH
def test_a_refresh_token_is_good_for_once(realm, server, public):
    first = public.tokens(realm, "ana", "support", resource=realm.remit.mcp("desk"))
    second = public.ask({"refresh": first["refresh_token"]})["tokens"]
    assert second["refresh_token"] != first["refresh_token"]
    one, two = server.verified(first["access_token"]), server.verified(second["access_token"])
    assert (one["task"], one["aud"]) == (two["task"], two["aud"]) and one["jti"] != two["jti"]
    # Whoever has the old one stole it, or lost it to a thief: neither goes on.
    assert public.refused({"refresh": first["refresh_token"]}) == "invalid_grant"
    assert public.refused({"refresh": second["refresh_token"]}) == "invalid_grant"
    answer = call(realm.remit.mcp("desk"), second["access_token"], "show_order", ORDER)
    assert refusal(answer) == "task_ended", answer.text


@WITH_EACH
def test_a_token_is_looked_at_and_given_back(realm, server, client, site):
    key = Key()
    client.begin(site.keyed(key), key)
    tokens = client.tokens(realm, "ana", "support", resource=realm.remit.mcp("desk"))
    token = tokens["access_token"]
    said = client.ask({"introspect": token})["introspection"]
    claims = server.verified(token)
    assert said["active"] is True
    for name in ("iss", "sub", "aud", "exp", "iat", "jti", "client_id", "act", "task"):
        assert said[name] == claims[name], name
    client.ask({"revoke": token})
    assert client.ask({"introspect": token})["introspection"] == {"active": False}
    assert call(realm.remit.mcp("desk"), token, "show_order", ORDER).status_code == 401
    # Giving back the grant ends the task, and what is unknown is given back in silence (RFC 7009 section 2.2).
    client.ask({"revoke": tokens["refresh_token"]})
    assert client.refused({"refresh": tokens["refresh_token"]}) == "invalid_grant"
    assert client.ask({"revoke": "nothing"}) == {"revoked": True}
    assert realm.remit.cli("task", "show", claims["task"])["status"] == "ended"


def test_a_stranger_learns_nothing_about_a_token(realm, server, site):
    token = server.granted(**server.code(realm, site.client(), resource=realm.remit.mcp("desk")))["access_token"]
    answer = server.post("introspection", token=token)
    assert answer.status_code in (400, 401), answer.text
    key = Key()
    stranger = key.assertion(site.keyed(key), server.issuer)
    answer = server.post("introspection", **stranger, token=token)
    assert answer.json() == {"active": False} or answer.status_code in (400, 401, 403), answer.text
    key = Key()
    stranger = key.assertion(site.keyed(key), server.issuer)
    server.post("revocation", **stranger, token=token)
    assert call(realm.remit.mcp("desk"), token, "show_order", ORDER).status_code == 200


# Resources and authority


def test_a_token_for_one_place_is_for_no_other(realm, server, site):
    token = server.granted(**server.code(realm, site.client(), resource=realm.remit.mcp("desk")))["access_token"]
    assert call(realm.remit.mcp("desk"), token, "show_order", ORDER).status_code == 200
    for elsewhere in (realm.remit.mcp("everything"), realm.remit.mcp()):
        assert call(elsewhere, token, "echo", {"message": "m"}).status_code == 401, elsewhere
    form = server.code(realm, site.client(), resource=realm.remit.mcp("desk"))
    assert server.refused(**form, resource=realm.remit.mcp("everything")) in ("invalid_target", "invalid_grant")
    form = server.code(realm, site.client(), resource=realm.remit.mcp("desk"))
    assert server.refused(**form, resource=[realm.remit.mcp("desk"), realm.remit.mcp("everything")]) == "invalid_target"


@WITH_EACH
def test_what_was_granted_is_said_and_holds(realm, server, public):
    """Rich authorization: fewer tools, with a bound on an argument."""
    asked = [entry(realm.remit, "desk", "show_order"), entry(realm.remit, "desk", "refund_order", max_amount_cents=1_000)]
    details = json.dumps(asked)
    tokens = public.tokens(realm, "ana", "support", resource=realm.remit.mcp("desk"), authorization_details=details)
    said = server.verified(tokens["access_token"])
    assert tokens["authorization_details"] == said["authorization_details"]
    assert [one["actions"] for one in said["authorization_details"]] == [["show_order"], ["refund_order"]]
    assert said["authorization_details"][1]["constraints"] == {"max_amount_cents": 1_000}
    place, token = realm.remit.mcp("desk"), tokens["access_token"]
    refund = {"order_id": "O-5011", "reason": "dead pixels"}
    assert done(call(place, token, "show_order", ORDER))
    assert done(call(place, token, "refund_order", refund | {"amount_cents": 900}))
    assert refusal(call(place, token, "refund_order", refund | {"amount_cents": 1_001})) == "constraint_broken"
    assert refusal(call(place, token, "find_customer", {"query": "ada"})) == "out_of_scope"


@WITH_EACH
def test_a_scope_narrows(realm, server, public):
    tokens = public.tokens(realm, "ana", "support", resource=realm.remit.mcp(), scope="desk/show_order")
    assert tokens["scope"] == "desk/show_order" == server.verified(tokens["access_token"])["scope"]
    answer = call(realm.remit.mcp("desk"), tokens["access_token"], "find_customer", {"query": "ada"})
    # A client can ask for more (RFC 6750 section 3.1), and a model can read why it was refused.
    if answer.status_code == 403:
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert refusal(answer) == "out_of_scope"


# Agents that are their own clients


@WITH_EACH
@pytest.mark.parametrize("bound", [True, False], ids=["bound", "bearer"])
def test_an_agent_gets_a_token_with_its_own_key(realm, server, client, agent, bound):
    client.begin(agent.id, agent.key, agent.key if bound else None)
    tokens = client.ask({"grant": "client_credentials", "parameters": {"resource": realm.remit.mcp("desk")}})["tokens"]
    assert "refresh_token" not in tokens
    said = server.verified(tokens["access_token"])
    assert (said["sub"], said["client_id"], said["aud"]) == (agent.id, agent.id, realm.remit.mcp("desk"))
    assert said["sub_profile"] == "ai_agent" and "act" not in said
    assert said.get("cnf") == ({"jkt": agent.key.thumbprint} if bound else None)
    answer = client.call(realm.remit.mcp("desk"), tokens["access_token"], "show_order", ORDER)
    assert answer["status"] == 200 and answer["body"]["result"].get("isError") is not True, answer


def test_an_assertion_is_for_the_issuer_alone_and_for_once(server, agent):
    ask = {"grant_type": "client_credentials"}
    endpoint = server.metadata["token_endpoint"]
    for audience in (endpoint, [server.issuer, endpoint], [server.issuer, server.issuer], "https://elsewhere.example"):
        assert server.refused(**ask, **agent.assertion(audience=audience)) == "invalid_client", audience
    other = "spiffe://remit.local/agent/other/production"
    for changed in ({"exp": 1}, {"iat": 9_999_999_999, "exp": 9_999_999_999}, {"sub": other}):
        assert server.refused(**ask, **agent.assertion(**changed)) == "invalid_client", changed
    assert server.refused(**ask, **Key().assertion(agent.id, server.issuer)) == "invalid_client"
    once = agent.assertion()
    server.granted(**ask, **once)
    assert server.refused(**ask, **once) == "invalid_client"


def test_an_assertion_with_no_algorithm_is_none(server, agent):
    signed = agent.assertion()["client_assertion"]
    header = base64url(json.dumps({"alg": "none", "typ": "client-authentication+jwt"}).encode())
    unsigned = f"{header}.{signed.split('.')[1]}."
    form = agent.assertion() | {"client_assertion": unsigned}
    assert server.refused(grant_type="client_credentials", **form) == "invalid_client"


def test_a_run_narrows_its_token_with_its_svid(realm, server):
    """A JWT-SVID for the issuer is who the client is (draft-ietf-oauth-spiffe-client-auth). A run begins nothing new by it."""
    workload = Workload.under(realm.remit, "python", "support")
    try:
        svid, other = (workload.ask({"jwt": audience})["token"] for audience in (server.issuer, server.metadata["token_endpoint"]))
        token = workload.ask({"variable": "REMIT_TASK_TOKEN"})["variable"]
        proves = {"client_assertion_type": SPIFFE_ASSERTION, "client_assertion": svid}
        form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "scope": "desk/show_order"}
        narrowed = server.granted(**form, **proves)["access_token"]
        said, had = server.verified(narrowed), server.verified(token)
        assert said["run"] == had["run"] and said["task"] != had["task"]
        assert call(realm.remit.mcp("desk"), narrowed, "show_order", ORDER).status_code == 200
        assert refusal(call(realm.remit.mcp("desk"), narrowed, "find_customer", {"query": "ada"})) == "out_of_scope"
        assert server.refused(**form, **(proves | {"client_assertion": other})) == "invalid_client"
        of_another = {"client_id": "spiffe://remit.local/agent/other/production"}
        assert server.refused(**form, **proves, **of_another) == "invalid_client"
        assert server.refused(grant_type="client_credentials", **proves) == "unauthorized_client"
    finally:
        workload.close()


# Authlib


def authlib(server, client_id: str, key: Key | None = None) -> OAuth2Client:
    """A client of Authlib that, like the update of RFC 7523 asks, names the issuer and nothing else."""
    if key is None:
        return OAuth2Client(client_id, redirect_uri=REDIRECT, token_endpoint_auth_method="none", code_challenge_method="S256")
    client = OAuth2Client(client_id, key.key, redirect_uri=REDIRECT, token_endpoint_auth_method="private_key_jwt")
    claims, headers = {"exp": int(time.time()) + 60}, {"kid": key.thumbprint}
    client.register_client_auth_method(PrivateKeyJWT(server.issuer, claims, headers, alg="ES256"))
    return client


def test_authlib_signs_a_person_in(realm, server, site):
    client_id, verifier = site.client(), secrets.token_urlsafe(48)
    with authlib(server, client_id) as client:
        endpoint = server.metadata["authorization_endpoint"]
        url, state = client.create_authorization_url(endpoint, code_verifier=verifier, resource=realm.remit.mcp("desk"))
        back = Consent(realm, url, "ana").allow("support")
        redeems = {"authorization_response": back, "state": state, "code_verifier": verifier}
        tokens = client.fetch_token(server.metadata["token_endpoint"], **redeems)
        assert call(realm.remit.mcp("desk"), tokens["access_token"], "show_order", ORDER).status_code == 200
        renewed = client.refresh_token(server.metadata["token_endpoint"], tokens["refresh_token"])
        assert renewed["access_token"] != tokens["access_token"]
        client.revoke_token(server.metadata["revocation_endpoint"], renewed["refresh_token"])
        assert refusal(call(realm.remit.mcp("desk"), renewed["access_token"], "show_order", ORDER)) == "task_ended"


def test_authlib_signs_an_agent_in(realm, server, agent):
    with authlib(server, agent.id, agent.key) as client:
        asks = {"grant_type": "client_credentials", "resource": realm.remit.mcp("desk")}
        tokens = client.fetch_token(server.metadata["token_endpoint"], **asks)
        assert done(call(realm.remit.mcp("desk"), tokens["access_token"], "show_order", ORDER))
    # The library writes the name of its first assertion into the next ones, and each is good for one use.
    with authlib(server, agent.id, agent.key) as client:
        client.token = tokens
        said = client.introspect_token(server.metadata["introspection_endpoint"], tokens["access_token"]).json()
        assert said["active"] is True and said["client_id"] == agent.id
