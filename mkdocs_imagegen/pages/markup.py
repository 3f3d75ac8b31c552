"""The final HTML of a picture; pure."""

from __future__ import annotations

from mkdocs_imagegen.directives.directive import Found
from mkdocs_imagegen.directives.marker import as_tag, attributes_of

_HABITS = {"loading": "lazy", "decoding": "async"}


def picture_markup(found: Found, address: str) -> str:
    """The ``img`` of a picture; what the author wrote for it wins over our habits."""
    attributes = attributes_of(found, address)
    return as_tag(attributes | {name: _HABITS[name] for name in _HABITS if name not in attributes})
