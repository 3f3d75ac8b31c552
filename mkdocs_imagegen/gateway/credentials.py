"""Credential of a server: found in the environment, read at each request, redacted from text.

The value is never stored: :class:`Credential` has the name of the variable. Variables and order:
https://vercel.com/docs/ai-gateway/authentication-and-byok.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import NoReturn
from urllib.parse import quote

from mkdocs_imagegen.errors import CredentialError
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.settings.gateway import KEY_VARIABLE, OIDC_VARIABLE

_MIN_SECRET_CHARS = 6
_JWT_PARTS = 3
_END_OF_TIME = 2**40

_IMAGE_DATA = re.compile(rb"[A-Za-z0-9+/]{600,}")
"""Base64 of an image: longer than any credential."""


class Credential:
    """An API key or token, known by the name of its environment variable.

    Args:
        name: Environment variable.
        kind: ``api key`` or ``oidc token``.
        environ: Environment in which the variable is read, at each request.
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
        """Next step if the server rejects it."""
        if self.kind == "oidc token":
            return f"renew {self.name} with `vercel env pull`, or set {KEY_VARIABLE}"
        return f"check the value of {self.name}"

    def read(self) -> str:
        """Return the value without surrounding white space.

        Raises:
            CredentialError: If the variable is empty, or has characters that no header allows.
        """
        if not self._environ.get(self.name, "").strip():
            raise CredentialError(f"{self.name} is empty")
        if not _is_sendable(self._environ[self.name].strip()):
            hint = "copy it again, without quotes or line breaks"
            raise CredentialError(f"{self.name} has characters that no key has", hint=hint)
        return self._environ[self.name].strip()

    def redact(self, body: bytes) -> bytes:
        """Return the bytes with every occurrence of the value replaced."""
        for form in _forms(self._environ.get(self.name, "").strip()):
            body = body.replace(form, b"[redacted]")
        return body

    def redact_around_data(self, body: bytes) -> bytes:
        """Return a successful response without the value, and with unchanged image data.

        A short value, as of a server on this machine, can occur in the base64 of an image.
        """
        if self.redact(body) == body:
            return body
        parts, end = list[bytes](), 0
        for data in _IMAGE_DATA.finditer(body):
            parts += [self.redact(body[end : data.start()]), data[0]]
            end = data.end()
        return b"".join([*parts, self.redact(body[end:])])


def find_credential(
    environ: Mapping[str, str], settings: GatewaySettings, now: float
) -> Credential | None:
    """Return the credential for a server, or None if its variable is not set.

    AI Gateway's own variables are sent to AI Gateway only. Another server gets the value of the
    variable that ``gateway.key_env`` names. An empty variable counts as not set.

    Args:
        environ: The environment.
        settings: Settings of the server.
        now: Unix time in seconds.

    Raises:
        CredentialError: If the credential has expired or cannot be sent.
    """
    found = None if settings.is_sketch or settings.auth == "none" else _found(environ, settings)
    problem = _expiry_error(found, now) if found else None
    del environ  # A traceback with local variables would show the whole environment.
    if problem:
        raise problem
    return found


def missing_credential(settings: GatewaySettings) -> CredentialError:
    """Return the error for a server that requires a credential if its variable is not set."""
    if name := KEY_VARIABLE if settings.is_vercel else settings.key_env:
        return CredentialError(f"{name} is not set", hint="set it")
    return CredentialError(
        f"gateway.key_env is not set ({KEY_VARIABLE} is for Vercel's AI Gateway only)",
        hint="add `key_env: NAME` (a variable with its API key) or `auth: none` under `gateway:`",
    )


def _found(environ: Mapping[str, str], settings: GatewaySettings) -> Credential | None:
    own = ((KEY_VARIABLE, "api key"), (OIDC_VARIABLE, "oidc token"))
    other = ((settings.key_env, "api key"),) if settings.key_env else ()
    for name, kind in own if settings.is_vercel else other:
        if environ.get(name, "").strip():
            return Credential(name, kind, environ)
    return None


def _expiry_error(credential: Credential, now: float) -> CredentialError | None:
    try:
        expires_at = token_expiry(credential.read())
    except CredentialError as error:
        return error.with_traceback(None)
    if credential.kind != "oidc token" or expires_at is None or expires_at > now:
        return None
    when = datetime.fromtimestamp(expires_at, timezone.utc)
    return CredentialError(
        f"{credential.name} expired on {when:%Y-%m-%d at %H:%M} UTC",
        hint=f"renew it with `vercel env pull`, or set {KEY_VARIABLE}",
    )


def token_expiry(token: str) -> float | None:
    """Return the Unix time at which a JSON web token (RFC 7519) expires, or None if it has none.

    The signature is not verified; the server does that.
    """
    parts = token.split(".")
    payload = parts[1] if len(parts) == _JWT_PARTS else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        expires_at = float(claims["exp"])
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return expires_at if math.isfinite(expires_at) and 0 <= expires_at < _END_OF_TIME else None


def _forms(value: str) -> Iterable[bytes]:
    """Return the value as it is, URL-encoded, and as JSON with escaped slashes."""
    if len(value) < _MIN_SECRET_CHARS:
        return ()
    raw = value.encode("utf-8", "surrogateescape")
    encoded = (quote(raw), quote(raw, safe=""))
    return {raw, *(each.encode() for each in encoded), raw.replace(b"/", b"\\/")}


def _is_sendable(value: str) -> bool:
    return value.isascii() and value.isprintable() and " " not in value
