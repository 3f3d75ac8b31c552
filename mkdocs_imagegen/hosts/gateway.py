"""The gateway of a site in this environment: credential, permission, and client."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import CredentialError
from mkdocs_imagegen.gateway.credentials import Credential, find_credential
from mkdocs_imagegen.option_parsers import is_yes
from mkdocs_imagegen.settings import GatewaySettings, Settings
from mkdocs_imagegen.spending.permission import Circumstances, Permission, permission_for

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway, OpenGateway


def credential_for(settings: Settings) -> tuple[Credential | None, str]:
    """Return the credential of the environment, if there is one, and the problem with it."""
    try:
        return find_credential(os.environ, settings.gateway, time.time()), ""
    except CredentialError as error:
        return None, str(error)


def permission_here(settings: Settings, *, is_serving: bool) -> Permission:
    """Return the permission to generate images in this environment.

    Args:
        settings: Settings with the gateway that generates.
        is_serving: True under the live server of a site generator.
    """
    credential, problem = credential_for(settings)
    circumstances = Circumstances(
        credential=credential.kind if credential else "",
        problem=problem,
        is_serving=is_serving,
        is_offline=is_yes(os.environ.get("OFFLINE", "")),
    )
    return permission_for(settings, circumstances)


def gateway_factory(settings: Settings) -> OpenGateway:
    """Return the factory of the gateway's client, which reads the credential now."""
    return partial(_open_gateway, credential_for(settings)[0])


def _open_gateway(credential: Credential | None, settings: GatewaySettings) -> Gateway:
    """Return a client of the gateway, or of the emulator in this process for sketches.

    Raises:
        UnreachableError: If the environment names a proxy or certificates that cannot be used.
    """
    # Takes 130 ms to import; a build that generates no image does not need it.
    from mkdocs_imagegen.gateway.client import Gateway  # noqa: PLC0415

    if not settings.is_sketch:
        return Gateway(settings, credential)
    from mkdocs_imagegen.emulator.protocol import Emulator  # noqa: PLC0415 - only for sketches

    return Gateway(settings, None, Emulator(require_key=False).handle)
