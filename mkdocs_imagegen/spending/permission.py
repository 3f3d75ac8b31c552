"""Who may spend, and why not; pure."""

from __future__ import annotations

from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.settings import Settings


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether missing images may be made; if not, ``refusal`` says why and what to do."""

    refusal: str = ""

    @property
    def granted(self) -> bool:
        """Whether they may."""
        return not self.refusal


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a build finds around it.

    Attributes:
        credential: ``api key``, ``oidc token``, or ``""`` where there is none.
        problem: what is wrong with the credential; ``""`` for nothing.
        serving: whether pages are served while they are written.
        offline: whether the environment says that there is no network to be used.
    """

    credential: str
    problem: str
    serving: bool
    offline: bool


def may_generate(settings: Settings, around: Circumstances) -> Permission:
    """Whether a build may make missing images.

    An API key is consent to spend; the OIDC token that every Vercel build has is not. While
    serving nothing is spent. Sketches cost nothing and need no network.
    """
    if not settings.enabled or settings.generate == "false":
        return Permission("generate is false" if settings.enabled else "enabled is false")
    if settings.gateway.is_sketch:
        return Permission()
    if around.offline:
        return Permission("OFFLINE is set; build once without it")
    if around.serving and settings.serve != "generate":
        hint = "`mkdocs build` does, and `serve: generate`"
        return Permission(f"serving makes none; {hint}")
    if around.problem:
        return Permission(around.problem)
    return _by_credential(settings, around)


def _by_credential(settings: Settings, around: Circumstances) -> Permission:
    if settings.gateway.auth == "none":
        return Permission()
    if not around.credential:
        name = settings.gateway.key_env or "AI_GATEWAY_API_KEY"
        if not settings.gateway.is_vercel and settings.gateway.key_env is None:
            return Permission("gateway.key_env names no variable; or say `auth: none`")
        return Permission(f"there is no key; set {name}, or build where it is set")
    if around.credential == "oidc token" and settings.generate != "true":
        hint = "say `generate: true` to spend with Vercel's OIDC token, or set AI_GATEWAY_API_KEY"
        return Permission(hint)
    return Permission()
