"""Workloads that ask for their identity: the clients of three languages, inside `remit run` and outside of it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store

from driving import HERE, Lines
from service import ROOT, Remit, program

GO_PROGRAM = ROOT / "target" / "clients" / "go-workload"
BUILD_SECONDS_MAX = 110
LANGUAGES = ["python", "node", "go"]


def go_program() -> str:
    """The Go client, built. Go is the one language that a machine may lack."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        pytest.skip("this machine has no Go")
    GO_PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    build = [go, "build", "-o", str(GO_PROGRAM), "."]
    subprocess.run(build, cwd=HERE / "go_spiffe", check=True, timeout=BUILD_SECONDS_MAX)
    return str(GO_PROGRAM)


def workload(language: str) -> list[str]:
    """The command of a workload."""
    match language:
        case "python":
            return [sys.executable, str(HERE / "py_workload.py")]
        case "node":
            return ["node", str(HERE / "ts_workload.mjs")]
    return [go_program()]


class Workload(Lines):
    """A workload that answers steps; see `py_workload.py`."""

    def __init__(self, remit: Remit, language: str, run: list[str] | None = None, before: list[str] | None = None):
        command = [*(run or []), *(before or []), *workload(language)]
        # Whoever is started by nobody is told where to ask.
        told = {} if run else {"SPIFFE_ENDPOINT_SOCKET": remit.workload_socket}
        super().__init__(command, {name: value for name, value in os.environ.items() if name != "SPIFFE_ENDPOINT_SOCKET"} | told)

    @classmethod
    def under(cls, remit: Remit, language: str, agent: str, before: list[str] | None = None) -> Workload:
        """A run of an agent, perhaps with another program `before` it that starts it."""
        run = [str(program()), "run", "--data", str(remit.data), "--agent", agent, "--purpose", "asks who it is", "--"]
        return cls(remit, language, run, before)

    def ask(self, step: dict[str, Any]) -> dict[str, Any]:
        """What the workload answers, which is no error."""
        said = self.step(step)
        assert "error" not in said, said
        return said

    def refused(self, step: dict[str, Any]) -> str:
        """The code by which a step failed."""
        said = self.step(step)
        assert "error" in said, said
        return plain(said["error"])

    def heard(self, seconds: float) -> dict[str, Any]:
        said = self.step({"heard": seconds})
        return said | {"ended": plain(said["ended"])} if "ended" in said else said


def plain(code: str) -> str:
    """A gRPC status in one way of writing it: languages differ."""
    return code.replace("_", "").lower()


def node() -> str:
    """The file of Node.js itself: what is on the path may be a script that starts it."""
    return subprocess.run(["node", "--print", "process.execPath"], capture_output=True, text=True, check=True).stdout.strip()


def local(estate, agent: str, program: str) -> None:
    """A file of this machine is an agent, if the user of the tests runs it."""
    selectors = [f"unix:uid:{os.getuid()}", f"unix:path:{os.path.realpath(program)}"]
    estate.remit.cli("workload", "bind", agent, *(part for one in selectors for part in ("--selector", one)))


def certificate(der: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(base64.b64decode(der))


def check_leaf(said: dict[str, Any]) -> x509.Certificate:
    """What the X.509-SVID profile asks of a leaf; and its key is its own."""
    svid = said["svids"][0]
    leaf = certificate(svid["chain"][0])
    extensions = leaf.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.UniformResourceIdentifier) == [svid["spiffe_id"]]
    assert names.critical or leaf.subject.rdns
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.digital_signature
    assert not usage.value.key_cert_sign and not usage.value.crl_sign
    purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    assert purposes == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    key = load_der_private_key(base64.b64decode(svid["key"]), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == leaf.public_key()
    return leaf


def check_chain(said: dict[str, Any], authorities: list[x509.Certificate]) -> None:
    """A verifier of others finds a path from the leaf to one of `authorities`."""
    leaf, *between = [certificate(one) for one in said["svids"][0]["chain"]]
    # What browsers ask of public authorities and the profile does not is left out.
    anything = ExtensionPolicy.permit_all()
    names = anything.require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    issues = anything.require_present(x509.BasicConstraints, Criticality.CRITICAL, None)
    builder = PolicyBuilder().store(Store(authorities)).extension_policies(ee_policy=names, ca_policy=issues)
    verified = builder.build_client_verifier().verify(leaf, between)
    assert verified.chain[0] == leaf and verified.chain[-1] in authorities
