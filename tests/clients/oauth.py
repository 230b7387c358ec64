"""The authorization server as clients of others meet it: the clients, who they say they are, and plain requests."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import Consent, query_of
from certificates import Authority, Web, web
from driving import HERE, Lines
from keys import Key, base64url
from mtls import tool_call

LIBRARIES = ["oauth4webapi", "openid-client"]
# Nobody listens there: the tests read where a browser would be sent.
REDIRECT = "http://127.0.0.1:53682/callback"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
SPIFFE_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
MISSION = "mission_resource_access"


class Site:
    """A web site with the documents of clients."""

    def __init__(self, served: Web, authority: Authority):
        self.web = served
        self.authority = authority
        self.roots = authority.roots

    def client(self, *redirects: str, path: str | None = None, **changed: Any) -> str:
        """Publishes what a client says about itself; gives its `client_id`."""
        path = path or f"/clients/{uuid.uuid4().hex}.json"
        document = {
            "client_id": self.web.url + path,
            "client_name": "An application of others",
            "redirect_uris": list(redirects or (REDIRECT,)),
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return self.web.put(path, **(document | changed))

    def keyed(self, key: Key, **changed: Any) -> str:
        """The same for a client that proves itself with a key."""
        keys = {"keys": [key.public | {"kid": key.thumbprint, "alg": "ES256", "use": "sig"}]}
        return self.client(token_endpoint_auth_method="private_key_jwt", jwks=keys, **changed)

    @property
    def configuration(self) -> str:
        """What lets Remit fetch these documents, which lie on this machine."""
        return f'[oauth]\nmetadata_networks = ["127.0.0.0/8", "::1/128"]\nmetadata_roots = "{self.roots}"\n'


@contextmanager
def site(directory: Path) -> Iterator[Site]:
    authority = Authority(directory)
    with web(authority) as served:
        yield Site(served, authority)


class Client(Lines):
    """An OAuth client of a library; see `ts_oauth.mjs`."""

    def __init__(self, library: str, issuer: str):
        super().__init__(["node", str(HERE / "ts_oauth.mjs"), library])
        self.metadata = self.ask({"discover": issuer})["metadata"]

    def ask(self, step: dict[str, Any]) -> dict[str, Any]:
        """What a step answered, which is no error."""
        said = self.step(step)
        assert "error" not in said and "broken" not in said, said
        return said

    def refused(self, step: dict[str, Any]) -> str:
        """The code by which the server refused a step."""
        said = self.step(step)
        assert "error" in said, said
        return said["error"]

    def begin(self, client_id: str, key: Key | None = None, proof: Key | None = None) -> None:
        """From now on it is this client, with this key to prove itself and that one to bind its tokens to."""
        keys = {"jwk": key and key.private, "dpop": proof and proof.private}
        self.ask({"client": client_id} | {name: value for name, value in keys.items() if value})

    def consented(self, estate, by: str, agent: str, *, par: bool = True, **parameters: Any) -> str:
        """A person's yes; gives where their browser is sent back to."""
        asked = {"redirect_uri": REDIRECT} | parameters
        url = self.ask({"authorize": asked, "par": par})["authorize"]
        return Consent(estate, url, by).allow(agent)

    def tokens(self, estate, by: str, agent: str, *, at_token: dict[str, str] | None = None, **parameters: Any) -> dict[str, Any]:
        """The whole way to tokens."""
        back = self.consented(estate, by, agent, **parameters)
        assert query_of(back)["iss"] == self.metadata["issuer"], back
        return self.ask({"callback": back, "parameters": at_token or {}})["tokens"]

    def call(self, url: str, token: str, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A tool call as the library sends requests to a resource."""
        body, headers = tool_call(tool, arguments)
        return self.step({"resource": url, "token": token, "body": body, "headers": headers})


class Server:
    """The authorization server, asked without any library."""

    def __init__(self, remit):
        self.remit = remit
        answer = httpx.get(f"{remit.control}/.well-known/oauth-authorization-server")
        assert answer.status_code == 200, answer.text
        self.metadata: dict[str, Any] = answer.json()
        self.issuer: str = self.metadata["issuer"]

    def post(self, endpoint: str, headers: dict[str, str] | None = None, /, **form: Any) -> httpx.Response:
        """A form to one of the endpoints, by its name in the metadata."""
        return httpx.post(self.metadata[f"{endpoint}_endpoint"], data=form, headers=headers or {}, timeout=30)

    def token(self, /, proof: Key | None = None, **form: Any) -> httpx.Response:
        headers = {"dpop": proof.proof("POST", self.metadata["token_endpoint"])} if proof else {}
        return self.post("token", headers, **form)

    def granted(self, /, proof: Key | None = None, **form: Any) -> dict[str, Any]:
        answer = self.token(proof, **form)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store", answer.headers
        return answer.json()

    def refused(self, /, proof: Key | None = None, **form: Any) -> str:
        """The standard's word by which a request for a token was refused."""
        return self.refusal(proof, **form)["error"]

    def refusal(self, /, proof: Key | None = None, **form: Any) -> dict[str, str]:
        """What was said to a request for a token that was refused: the standard's word and Remit's own code."""
        answer = self.token(proof, **form)
        assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
        assert "access_token" not in answer.text
        return answer.json()

    def authorize(self, client_id: str, **changed: Any) -> tuple[str, str]:
        """The address of an authorization request, and the verifier of its challenge. What is None is left out."""
        verifier = secrets.token_urlsafe(48)
        parameters = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": REDIRECT,
            "state": "s",
            "code_challenge": base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        } | changed
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.metadata['authorization_endpoint']}?{urlencode(given)}", verifier

    def code(self, estate, client_id: str, agent: str = "support", **changed: Any) -> dict[str, str]:
        """A code that ana gave, as the form that redeems it."""
        url, verifier = self.authorize(client_id, **changed)
        answer = query_of(Consent(estate, url, "ana").allow(agent))
        assert (answer["state"], answer["iss"]) == ("s", self.issuer), answer
        redeems = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": REDIRECT}
        return redeems | {"client_id": client_id, "code_verifier": verifier}

    def keys(self) -> KeySet:
        published = httpx.get(self.metadata["jwks_uri"]).json()
        assert not any("d" in key for key in published["keys"])
        return KeySet.import_key_set(published)

    def verified(self, token: str, typ: str = "at+jwt") -> dict[str, Any]:
        """What a token says, after a library of others has verified its signature."""
        read = jwt.decode(token, self.keys(), algorithms=["ES256"])
        assert read.header["typ"] == typ, read.header
        return read.claims


def call(url: str, token: str, tool: str, arguments: dict[str, Any], key: Key | None = None, **proof: Any) -> httpx.Response:
    """A tool call with a token and, if it is bound to a key, a proof of it."""
    body, headers = tool_call(tool, arguments)
    headers["authorization"] = f"{'DPoP' if key else 'Bearer'} {token}"
    if key:
        headers["dpop"] = key.proof("POST", url, token, **proof)
    return httpx.post(url, json=body, headers=headers, timeout=30)


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """The answer to a call: alone, or the last event of a stream, where there was something to say before."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return answer.json()
    events = [line.removeprefix("data:") for line in answer.text.splitlines() if line.startswith("data:")]
    return json.loads(events[-1])


def done(answer: httpx.Response) -> bool:
    """Whether a call was made, and went well."""
    return answer.status_code == 200 and body_of(answer)["result"].get("isError") is not True


def refusal(answer: httpx.Response) -> str:
    """The code of Remit's own refusal, wherever the protocol puts it."""
    body = body_of(answer)
    found = body.get("result", {}).get("_meta", {}) or body.get("error", {}).get("data", {})
    return found["remit/refusal"]["code"]


def entry(remit, connector: str, *actions: str, delegation: dict[str, Any] | None = None, **constraints: Any) -> dict[str, Any]:
    """What a task may do, as Mission-Bound Authorization says it."""
    made: dict[str, Any] = {"type": MISSION, "resource": remit.mcp(connector), "actions": list(actions)}
    if constraints:
        made["constraints"] = constraints
    return made | ({"delegation": delegation} if delegation else {})
