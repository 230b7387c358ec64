"""Calls over TLS with an X.509-SVID on each side, with the TLS of Python's own library."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography import x509

NEW = "2026-07-28"
OWN = "io.modelcontextprotocol/"
SECONDS_MAX = 20


def pem(der: str, kind: str) -> str:
    lines = [der[at : at + 64] for at in range(0, len(der), 64)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def context(directory: str, said: dict[str, Any] | None, authorities: list[str]) -> ssl.SSLContext:
    """TLS that trusts `authorities` alone, and shows the first SVID of what a workload said, if any."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # A SPIFFE ID is no host name: who the server is, is checked after the handshake.
    made.check_hostname = False
    made.load_verify_locations(cadata="".join(pem(one, "CERTIFICATE") for one in authorities))
    if said is not None:
        svid = said["svids"][0]
        place = Path(directory) / "svid.pem"
        chain = "".join(pem(one, "CERTIFICATE") for one in svid["chain"])
        place.write_text(chain + pem(svid["key"], "PRIVATE KEY"))
        made.load_cert_chain(place)
    return made


def identity(connection: HTTPSConnection) -> str:
    """The SPIFFE ID in the server's certificate."""
    certificate = x509.load_der_x509_certificate(connection.sock.getpeercert(binary_form=True))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = names.get_values_for_type(x509.UniformResourceIdentifier)
    assert len(found) == 1, found
    return found[0]


def tool_call(name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A call as the newest generation says it, and its headers."""
    own = {"protocolVersion": NEW, "clientInfo": {"name": "by-certificate", "version": "1"}, "clientCapabilities": {}}
    params = {"name": name, "arguments": arguments, "_meta": {f"{OWN}{member}": value for member, value in own.items()}}
    headers = {"mcp-protocol-version": NEW, "mcp-method": "tools/call", "mcp-name": name}
    headers |= {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers


def post(
    directory: str, said: dict[str, Any], url: str, body: str, headers: dict[str, str], door: str = "gateway"
) -> dict[str, Any]:
    """One request. Who answers must be that door of Remit."""
    place = urlsplit(url)
    domain, authorities = next(iter(said["bundles"].items()))
    connection = HTTPSConnection(
        place.hostname, place.port, context=context(directory, said, authorities), timeout=SECONDS_MAX
    )
    connection.connect()
    try:
        server = identity(connection)
        assert server == f"spiffe://{domain}/remit/{door}", server
        connection.request("POST", place.path, body, headers)
        answer = connection.getresponse()
        return {"status": answer.status, "body": json.loads(answer.read())}
    finally:
        connection.close()


def call(
    directory: str, said: dict[str, Any], url: str, name: str, arguments: dict[str, Any], token: str | None = None
) -> dict[str, Any]:
    """One tool call."""
    message, headers = tool_call(name, arguments)
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return post(directory, said, url, json.dumps(message), headers)


def ask(directory: str, said: dict[str, Any], url: str, form: dict[str, str]) -> dict[str, Any]:
    """One request to the authorization server."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return post(directory, said, url, urlencode(form), headers, "control")
