"""What is around a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mkdocs_imagegen.spending.permission import Permission


@dataclass(frozen=True, slots=True)
class Host:
    """What a build finds around it.

    Attributes:
        site: the folder of the site.
        permission: whether missing pictures may be made.
        is_serving: whether pages are served while they are written; stand-ins then tell in full
            what is wrong.
        follows_palette: whether the theme hides pictures by their address's fragment, as Material
            does.
    """

    site: Path
    permission: Permission
    is_serving: bool = False
    follows_palette: bool = False
