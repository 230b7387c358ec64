"""Keys that agents and clients make for themselves, and what they sign with them. Nothing of it is Remit's own code."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import uuid
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

ALGORITHMS = ["ES256"]


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, without looking at its signature."""
    return json.loads(decoded(token.split(".")[1]))


def header_of(token: str) -> dict[str, Any]:
    return json.loads(decoded(token.split(".")[0]))


class Key:
    """A P-256 key of somebody's own."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256")

    @property
    def public(self) -> dict[str, str]:
        members = self.key.as_dict(private=False)
        return {name: members[name] for name in ("kty", "crv", "x", "y")}

    @property
    def private(self) -> dict[str, str]:
        return self.public | {"d": self.key.as_dict(private=True)["d"]}

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    def sign(self, typ: str, claims: dict[str, Any], **header: Any) -> str:
        """A JWS. A member of `claims` or `header` that is None is left out."""
        header = {"alg": "ES256", "typ": typ} | header
        said = {name: value for name, value in claims.items() if value is not None}
        return jws.serialize_compact(header, json.dumps(said), self.key, algorithms=ALGORITHMS)

    def proof(self, method: str, url: str, token: str | None = None, **changed: Any) -> str:
        """A DPoP proof (RFC 9449); `changed` replaces what it says."""
        claims = {"jti": uuid.uuid4().hex, "htm": method, "htu": url, "iat": int(time.time())}
        if token is not None:
            claims["ath"] = base64url(hashlib.sha256(token.encode()).digest())
        return self.sign("dpop+jwt", claims | changed, jwk=self.public)

    def assertion(self, client: str, audience: str | list[str], **changed: Any) -> dict[str, str]:
        """The form fields by which a client proves itself (`private_key_jwt`); `changed` replaces what they say."""
        now = int(time.time())
        claims = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 60, "jti": uuid.uuid4().hex}
        signed = self.sign("client-authentication+jwt", claims | changed, kid=self.thumbprint)
        return {
            "client_id": client,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed,
        }

    def enrolment(self, issuer: str, agent: str, code: str) -> dict[str, str]:
        """What an agent's machine sends to make this key known."""
        code_hash = base64url(hashlib.sha256(code.encode()).digest())
        claims = {"aud": issuer, "code_hash": code_hash, "agent": agent, "iat": int(time.time()), "jti": uuid.uuid4().hex}
        return {"agent": agent, "code": code, "proof": self.sign("remit-enrolment+jwt", claims, jwk=self.public)}


class Agent:
    """An agent with an enrolled key of its own."""

    def __init__(self, remit, name: str):
        self.remit = remit
        self.name = name
        self.key = Key()
        offer = remit.cli("agent", "enrol", name)
        issuer = offer["issuer"]
        answer = httpx.post(f"{remit.control}/v1/enrol", json=self.key.enrolment(issuer, name, offer["code"]))
        assert answer.status_code == 200, answer.text
        self.id: str = answer.json()["spiffe_id"]
        assert answer.json()["key"] == self.key.thumbprint
        self.issuer = issuer

    def assertion(self, **changed: Any) -> dict[str, str]:
        return self.key.assertion(self.id, changed.pop("audience", self.issuer), **changed)
