"""Where the key comes from, and how it is kept out of sight.

A key is named, never held: :class:`Credential` knows the variable and reads it when it is called.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import NoReturn
from urllib.parse import quote

from mkdocs_imagegen.errors import CredentialError
from mkdocs_imagegen.settings import GatewaySettings

API_KEY = "AI_GATEWAY_API_KEY"
OIDC_TOKEN = "VERCEL_OIDC_TOKEN"  # noqa: S105 - a variable's name
_SHORTEST_SECRET = 6


class Credential:
    """A key that is named and not held.

    Args:
        name: the environment variable that holds it.
        kind: ``api key`` or ``oidc token``.
        environ: where the variable is looked up, at each call.
    """

    __slots__ = ("_environ", "kind", "name")

    def __init__(self, name: str, kind: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.kind = kind
        self._environ = environ

    def __repr__(self) -> str:
        return f"Credential({self.name!r}, {self.kind!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a credential cannot be copied or stored")

    @property
    def advice(self) -> str:
        """What to do when the server does not accept it."""
        if self.kind == "oidc token":
            return f"renew {self.name} with `vercel env pull`, or set {API_KEY}"
        return f"check the value of {self.name}"

    def read(self) -> str:
        """The value, without the white space around it.

        Raises:
            CredentialError: the variable is empty by now, or holds what no header can carry.
        """
        if not self._environ.get(self.name, "").strip():
            raise CredentialError(f"{self.name} is empty")
        if not _is_sendable(self._environ[self.name].strip()):
            hint = "copy it again, without quotes or line breaks"
            raise CredentialError(f"{self.name} holds characters that no key has", hint=hint)
        return self._environ[self.name].strip()

    def redact(self, body: bytes) -> bytes:
        """The bytes with this credential's value taken out, wherever a server repeats it."""
        for form in _forms(self._environ.get(self.name, "").strip()):
            body = body.replace(form, b"[redacted]")
        return body


def find_credential(
    environ: Mapping[str, str], settings: GatewaySettings, now: float
) -> Credential | None:
    """The credential for the server that the settings name; None where there is none.

    The gateway's own variables go to the gateway alone; another server gets a key only from the
    variable that ``gateway.key_env`` names. An empty variable counts as unset.

    Args:
        environ: the environment.
        settings: which server is asked, and how.
        now: seconds since 1970.

    Raises:
        CredentialError: there is one, and it has run out or cannot be sent.
    """
    found = None if settings.is_sketch or settings.auth == "none" else _found(environ, settings)
    problem = _problem(found, now) if found else None
    del environ  # a traceback that shows variables would show every one of them
    if problem:
        raise problem
    return found


def missing(settings: GatewaySettings) -> CredentialError:
    """The error for a server that wants a key when there is none."""
    if settings.is_vercel:
        hint = f"set {API_KEY} (on Vercel, {OIDC_TOKEN} does as well)"
    elif settings.key_env:
        hint = f"set {settings.key_env}"
    else:
        hint = "name its variable in gateway.key_env, or say `auth: none` if it needs no key"
    return CredentialError("there is no key for the server that draws", hint=hint)


def _found(environ: Mapping[str, str], settings: GatewaySettings) -> Credential | None:
    own = ((API_KEY, "api key"), (OIDC_TOKEN, "oidc token"))
    other = ((settings.key_env, "api key"),) if settings.key_env else ()
    for name, kind in own if settings.is_vercel else other:
        if environ.get(name, "").strip():
            return Credential(name, kind, environ)
    return None


def _problem(credential: Credential, now: float) -> CredentialError | None:
    try:
        ends = _end(credential)
    except CredentialError as error:
        return error.with_traceback(None)
    if ends is None or ends > now:
        return None
    when = datetime.fromtimestamp(ends, timezone.utc)
    return CredentialError(
        f"{credential.name} ran out on {when:%Y-%m-%d at %H:%M} UTC",
        hint=f"renew it with `vercel env pull`, or set {API_KEY}",
    )


def _end(credential: Credential) -> float | None:
    ends = expiry(credential.read())
    return ends if credential.kind == "oidc token" else None


def expiry(token: str) -> float | None:
    """When a JSON web token runs out, in seconds since 1970; None where it does not say.

    The signature is not checked: that is for the server to do.
    """
    payload = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004 - head.payload.signature
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        ends = float(claims["exp"])
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return ends if math.isfinite(ends) and 0 <= ends < 2**40 else None


def _forms(value: str) -> Iterable[bytes]:
    """The value as it is, as in an address, and as in JSON of servers that escape slashes."""
    if len(value) < _SHORTEST_SECRET:
        return ()
    raw = value.encode("utf-8", "surrogateescape")
    quoted = (quote(raw), quote(raw, safe=""))
    return {raw, *(each.encode() for each in quoted), raw.replace(b"/", b"\\/")}


def _is_sendable(value: str) -> bool:
    return value.isascii() and value.isprintable() and " " not in value
