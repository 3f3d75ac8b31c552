"""The permission of a build to generate images; pure."""

from __future__ import annotations

from mkdocs_imagegen.errors import NotGeneratedError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.gateway.credentials import missing_credential
from mkdocs_imagegen.settings import Settings

_ENABLED_IS_FALSE = "enabled is false; set `enabled: true`"
_GENERATE_IS_FALSE = "generate is false; set `generate: auto` or `on_missing: placeholder`"
_LOCKED_IS_TRUE = "locked is true; set `locked: false`"
_SKETCHES = 'use sketches with `gateway: {url: "sketch:"}`'


@dataclass(frozen=True, slots=True)
class Permission:
    """The permission to generate missing images.

    Attributes:
        refusal: Reason for a refusal and the next step; ``""`` if the permission is granted.
    """

    refusal: str = ""

    @property
    def is_granted(self) -> bool:
        """True if missing images may be generated."""
        return not self.refusal

    @property
    def error(self) -> NotGeneratedError:
        """Error of each image that is not generated because of the refusal."""
        fault, _, hint = self.refusal.partition("; ")
        return NotGeneratedError(fault, hint=hint)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The environment of a build, as far as it decides about the permission.

    Attributes:
        credential: Kind of the credential: ``api key``, ``oidc token``, or ``""`` without one.
        problem: Problem of the credential, else ``""``.
        is_serving: True for a build of `mkdocs serve`.
        is_offline: True if the environment forbids network access.
    """

    credential: str
    problem: str
    is_serving: bool
    is_offline: bool


def permission_for(settings: Settings, circumstances: Circumstances) -> Permission:
    """Return the permission of a build to generate missing images.

    An API key is consent to spend; the OIDC token that every Vercel build has is not. By default
    `mkdocs serve` does not spend. Sketches are free and need no network.
    """
    if refusal := _refusal_by_settings(settings):
        return Permission(refusal)
    if settings.gateway.is_sketch:
        return Permission()
    if circumstances.is_offline:
        return Permission("OFFLINE is set; unset it and build again")
    if circumstances.is_serving and settings.serve != "generate":
        hint = f"run `{settings.command} build`, or set `serve: generate`"
        return Permission(f"`{settings.command} serve` does not generate images; {hint}")
    if circumstances.problem:
        return Permission(circumstances.problem)
    return _permission_by_credential(settings, circumstances.credential)


def _refusal_by_settings(settings: Settings) -> str:
    if not settings.enabled:
        return _ENABLED_IS_FALSE
    if settings.locked:
        return _LOCKED_IS_TRUE
    return _GENERATE_IS_FALSE if settings.generate == "false" else ""


def _permission_by_credential(settings: Settings, credential: str) -> Permission:
    if settings.gateway.auth == "none":
        return Permission()
    if not credential:
        ways = f", {_SKETCHES}, or set `on_missing: placeholder`"
        if settings.on_missing == "placeholder":
            ways = f", or {_SKETCHES}"
        return Permission(f"{missing_credential(settings.gateway)}{ways}")
    if credential == "oidc token" and settings.generate != "true":
        hint = "set `generate: true` to spend with it, or set AI_GATEWAY_API_KEY"
        return Permission(f"only Vercel's OIDC token is set; {hint}")
    return Permission()
