"""What need not come through Remit, each with its reason: a whole scenario, or one check of it (`scenario:check`).

This list is for what cannot be carried, never for what is not done. A check that no longer differs is not looked for.
"""

NOT_GATEWAY = "without auth/*: towards a server Remit uses the operator's credentials, it signs nobody in"

_HOP = "a capability is declared in the requests that are carried for a client that has it; discovering and listing are Remit's own"
_ONCE = "a server with a handshake learns once what its client can do, for all agents; told no when it asks, it fails in its own words"
_KEYS = "a server with a handshake gives its questions no keys, so Remit chooses one"
_TURNS = "a server with a handshake asks one question after another, so they arrive in rounds"
_EARLY = "an answer that comes before its question cannot be given to a server that has not asked yet"

CLIENT: dict[str, dict[str, str]] = {
    "2026-07-28": {
        "request-metadata:sep-2575-client-declares-roots-capability": _HOP,
        "request-metadata:sep-2575-client-declares-sampling-capability": _HOP,
        "request-metadata:sep-2575-client-declares-elicitation-capability": _HOP,
    },
    "2025-11-25": {},
}

# By the revision of the suite; the server behind Remit speaks the other one.
BRIDGE: dict[str, dict[str, str]] = {
    "2026-07-28": {
        "server-stateless:sep-2575-server-rejects-undeclared-capability": _ONCE,
        "server-stateless:sep-2575-missing-capability-http-400": _ONCE,
        "input-required-result-basic-elicitation": _KEYS,
        "input-required-result-multiple-input-requests": _TURNS,
        "input-required-result-ignore-extra-params": _EARLY,
    },
    "2025-11-25": {},
}
