"""A certificate authority and a web server of others, on this machine: https that Remit has been told to trust."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USAGES = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
USAGES += ["key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
DAY = datetime.timedelta(days=1)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """A certificate authority that issues to servers of this machine."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        ca = x509.BasicConstraints(ca=True, path_length=0)
        names = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        signs = {name: name in ("key_cert_sign", "crl_sign") for name in USAGES}
        builder = self.builder("An authority of others", self.key).add_extension(ca, critical=True)
        builder = builder.add_extension(x509.KeyUsage(**signs), critical=True).add_extension(names, critical=False)
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.roots = directory / "roots.pem"
        self.roots.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def builder(self, subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named("An authority of others"))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - DAY).not_valid_after(now + DAY)

    def issue(self, name: str = "localhost") -> tuple[Path, Path]:
        """A server's certificate and its key, as PEM files."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = self.builder(name, key).add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        certificate, private = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        certificate.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, private


@dataclass
class Heard:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What a server says to a request."""

    body: bytes | dict[str, Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Web:
    """A web server with answers by path, and what it heard."""

    url: str
    answers: dict[str, Answer | Callable[[Heard], Answer]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    def put(self, path: str, **document: Any) -> str:
        """Puts a JSON document at a path; gives its address."""
        self.answers[path] = Answer(document)
        return self.url + path

    def requests(self, path: str) -> list[Heard]:
        return [request for request in self.heard if request.path == path]


@contextmanager
def web(authority: Authority | None = None) -> Iterator[Web]:
    """A web server of this machine; with an authority it speaks https."""

    class Place(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            request = Heard(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            served.heard.append(request)
            answer = served.answers.get(self.path, Answer(status=404))
            answer = answer(request) if callable(answer) else answer
            document = isinstance(answer.body, dict)
            text = json.dumps(answer.body).encode() if document else answer.body
            self.send_response(answer.status)
            headers = ({"content-type": "application/json"} if document else {}) | answer.headers
            for name, value in (headers | {"content-length": str(len(text))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = handle_one

    server = ThreadingHTTPServer(("127.0.0.1", 0), Place)
    server.daemon_threads = True
    scheme = "http"
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue())
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "https"
    served = Web(f"{scheme}://localhost:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
