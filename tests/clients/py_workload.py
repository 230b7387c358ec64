"""A workload with the official Python SPIFFE client, driven by steps; each is a JSON line and is answered by one.

    {"x509": {}}                              -> {"svids": [{"spiffe_id", "chain", "key"}], "bundles": {DOMAIN: [...]}}
    {"jwt": AUDIENCE}                         -> {"spiffe_id", "token"}
    {"jwt_bundles": {}}                       -> {"bundles": {DOMAIN: [key ids]}}
    {"validate": TOKEN, "audience": AUDIENCE} -> {"spiffe_id"}
    {"watch": {}}                             -> {"watching": true}; from now on the X.509 stream is open
    {"heard": SECONDS}                        -> {"update": [ids]} | {"ended": CODE} | {"nothing": true}
    {"variable": NAME}                        -> {"variable": its value}
    {"tool": URL, "call": NAME, ...}          -> {"status", "body"}; by certificate, of this client only
    {"form": {...}, "at": URL}                -> {"status", "body"}; by certificate, of this client only

Certificates and keys are DER in base64. What fails is {"error": message}. It outlives a SIGTERM, to see what comes after
the end of its task, and ends with its standard input.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import signal
import sys
import tempfile
import warnings
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from spiffe import JwtSource, WorkloadApiClient, X509Source

import mtls

SECONDS_MAX = 15
HEARD: queue.Queue[dict[str, Any]] = queue.Queue()
KEPT: dict[str, Any] = {}


def der(certificates: Any) -> list[str]:
    return [base64.b64encode(one.public_bytes(Encoding.DER)).decode() for one in certificates]


def described(context: Any) -> dict[str, Any]:
    private = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    svids = [
        {
            "spiffe_id": str(svid.spiffe_id),
            "chain": der(svid.cert_chain),
            "key": base64.b64encode(svid.private_key.private_bytes(*private)).decode(),
        }
        for svid in context.x509_svids
    ]
    bundles = {str(one.trust_domain): der(one.x509_authorities) for one in context.x509_bundle_set.bundles}
    return {"svids": svids, "bundles": bundles}


def kept(name: str, kind: Any) -> Any:
    """A source that stays, as programs have them."""
    if name not in KEPT:
        KEPT[name] = kind(timeout_in_seconds=SECONDS_MAX)
    return KEPT[name]


def client() -> WorkloadApiClient:
    if "client" not in KEPT:
        KEPT["client"] = WorkloadApiClient(default_timeout=SECONDS_MAX)
    return KEPT["client"]


def perform(step: dict[str, Any]) -> dict[str, Any]:
    match step:
        case {"x509": _}:
            return described(kept("x509", X509Source).get_x509_context())
        case {"fetch": _}:
            return described(client().fetch_x509_context())
        case {"jwt": audience}:
            svid = kept("jwt", JwtSource).fetch_svid({audience}, timeout=SECONDS_MAX)
            return {"spiffe_id": str(svid.spiffe_id), "token": svid.token}
        case {"jwt_bundles": _}:
            bundles = kept("jwt", JwtSource).bundles
            return {"bundles": {str(one.trust_domain): sorted(one.jwt_authorities) for one in bundles}}
        case {"validate": token, "audience": audience}:
            return {"spiffe_id": str(client().validate_jwt_svid(token, audience).spiffe_id)}
        case {"watch": _}:
            update = lambda context: HEARD.put({"update": [str(svid.spiffe_id) for svid in context.x509_svids]})
            ended = lambda error: HEARD.put({"ended": str(error).rsplit(".", 1)[-1]})
            KEPT["watch"] = client().stream_x509_contexts(update, ended, retry_connect=False)
            return {"watching": True}
        case {"heard": seconds}:
            try:
                return HEARD.get(timeout=seconds)
            except queue.Empty:
                return {"nothing": True}
        case {"variable": name}:
            return {"variable": os.environ.get(name)}
        case {"tool": url, "call": name}:
            said = described(kept("x509", X509Source).get_x509_context())
            with tempfile.TemporaryDirectory() as directory:
                return mtls.call(directory, said, url, name, step.get("arguments", {}), step.get("token"))
        case {"form": form, "at": url}:
            said = described(kept("x509", X509Source).get_x509_context())
            with tempfile.TemporaryDirectory() as directory:
                return mtls.ask(directory, said, url, form)
    raise ValueError(f"{step!r} is not a step")


def main() -> None:
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGTERM, lambda *_: None)
    for line in sys.stdin:
        try:
            said = perform(json.loads(line))
        except Exception as error:
            said = {"error": str(error)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
