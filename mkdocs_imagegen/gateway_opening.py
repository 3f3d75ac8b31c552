"""The client that draws, opened as the settings and the environment say."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from mkdocs_imagegen.errors import CredentialError
from mkdocs_imagegen.gateway.credentials import Credential, find_credential
from mkdocs_imagegen.settings import Settings

if TYPE_CHECKING:
    from mkdocs_imagegen.gateway.client import Gateway
    from mkdocs_imagegen.gateway.policy import Sleep


def credential_for(settings: Settings) -> tuple[Credential | None, str]:
    """The credential in the environment, if there is one, and what is wrong with it."""
    try:
        return find_credential(os.environ, settings.gateway, time.time()), ""
    except CredentialError as error:
        return None, str(error)


def open_gateway(settings: Settings, credential: Credential | None, sleep: Sleep) -> Gateway:
    """The client.

    Raises:
        UnreachableError: the environment names a proxy or certificates that cannot be used.
    """
    # Costs 130 ms to import, and a build that makes nothing needs none of it.
    from mkdocs_imagegen.gateway.client import Gateway  # noqa: PLC0415

    if not settings.gateway.is_sketch:
        return Gateway(settings.gateway, credential, sleep=sleep)
    from mkdocs_imagegen.emulator.protocol import Emulator  # noqa: PLC0415

    return Gateway(settings.gateway, None, Emulator(require_key=False).handle, sleep=sleep)
