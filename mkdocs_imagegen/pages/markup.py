"""The final HTML of a picture; pure."""

from __future__ import annotations

from collections.abc import Mapping

from mkdocs_imagegen.directives.directive import Found
from mkdocs_imagegen.directives.marker import as_tag, attributes_of

_HABITS = {"loading": "lazy", "decoding": "async"}
_FITS_ITS_COLUMN = "max-width:100%;height:auto"
"""Not every theme says so itself: MkDocs' own would squeeze a picture that has a height."""


def picture_markup(found: Found, address: str) -> str:
    """The ``img`` of a picture; what the author wrote for it wins over our habits."""
    attributes = attributes_of(found, address)
    style = ";".join(filter(None, (_FITS_ITS_COLUMN, attributes.get("style"))))
    return as_tag(attributes | {"style": style} | _without(attributes, _HABITS))


def _without(taken: Mapping[str, str], habits: Mapping[str, str]) -> dict[str, str]:
    return {name: habits[name] for name in habits if name not in taken}
