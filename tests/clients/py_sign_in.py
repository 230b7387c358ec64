"""How the official Python client signs its person in: it prints where to go, and is told where that ended.

It has nothing but the server's address; the rest it finds out. `{"authorize": URL}` is printed once it wants its person
to go there, and the next line of standard input says where the person's browser was sent back to: `{"callback": URL}`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken


class Memory:
    """What the client keeps: nothing longer than it runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def provider(arguments: argparse.Namespace, emit: Callable[[dict[str, Any]], None]) -> OAuthClientProvider:
    async def lead(url: str) -> None:
        emit({"authorize": url})

    async def follow() -> AuthorizationCodeResult:
        line = await asyncio.to_thread(sys.stdin.readline)
        answer = {name: values[0] for name, values in parse_qs(urlsplit(json.loads(line)["callback"]).query).items()}
        if "error" in answer:
            raise RuntimeError(f"{answer['error']}: {answer.get('error_description')}")
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    metadata = OAuthClientMetadata(
        client_name="remit-tests-python",
        redirect_uris=[arguments.sign_in],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(
        arguments.url, metadata, Memory(), lead, follow, client_metadata_url=arguments.client_metadata
    )
