"""What stands in a fence of ours becomes a marker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from mkdocs_imagegen.directives.directive import SourceExcerpt
from mkdocs_imagegen.directives.grammar import read_fence
from mkdocs_imagegen.directives.marker import as_block
from mkdocs_imagegen.directives.page_list import list_marker, read_list
from mkdocs_imagegen.directives.registry import Registry


def image_block(
    registry: Registry, page: str | None, body: str, attributes: Mapping[str, str]
) -> str:
    """The marker of an image."""
    first = next((line.strip() for line in body.split("\n") if line.strip()), "")
    source = SourceExcerpt("fence", first, body=" ".join(body.split()))
    token, found = registry.read(page, source, partial(read_fence, body, attributes))
    return as_block(found, token)


def cards_block(
    registry: Registry, page: str | None, body: str, attributes: Mapping[str, str]
) -> str:
    """The marker of a list of pages."""
    return list_marker(registry.add_list(read_list(page, body, attributes)))
