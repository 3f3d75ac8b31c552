"""The image that an author names on the command line; pure.

A location is ``page.md:12``, ``page.md#id``, ``page.md``, or the first characters of a cache key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import did_you_mean, quote_value
from mkdocs_imagegen.pipeline.outcome import Entry
from mkdocs_imagegen.report import ReportRow
from mkdocs_imagegen.request import ImageRequest

_KEY = re.compile(r"[0-9a-f]{6,64}")
_LINE = re.compile(r"(.+?):(\d{1,7})")
_MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Target:
    """One image of the site.

    Attributes:
        entry: State of the image.
        directive: Directive of the image.
    """

    entry: Entry
    directive: Directive


def find_target(location: str, entries: Sequence[Entry]) -> Target:
    """Return the image at a location.

    Raises:
        OptionError: If the location has no image, several images, or an invalid directive.
    """
    found = _matching(location.strip(), entries)
    if len({_identity(entry) for entry in found}) > 1:
        fault = f"{quote_value(location)} matches {len(found)} images"
        raise OptionError(fault, hint=f"use the cache key of one of them:\n{_listed(found)}")
    if not found:
        raise _not_found(location.strip(), entries)
    directive = found[0].directive
    if not isinstance(directive, Directive):
        fault = f"the directive at {found[0].location} is invalid: {found[0].outcome.error}"
        raise OptionError(fault, hint="fix it first")
    return Target(found[0], directive)


def requests_of(entry: Entry) -> tuple[ImageRequest, ...]:
    """Return the requests of an image, references included; empty for an invalid directive."""
    return entry.directive.requests if isinstance(entry.directive, Directive) else ()


def page_of(location: str) -> str:
    """Return the page of a location with a line or an id; ``""`` for others."""
    match = _LINE.fullmatch(location)
    return match[1] if match else location.rpartition("#")[0]


def _matching(location: str, entries: Sequence[Entry]) -> list[Entry]:
    if _KEY.fullmatch(location):
        return [each for each in entries if _has_key(each, location)]
    page, _, name = location.rpartition("#")
    if page:
        return [entry for entry in _on_page(page, entries) if _id(entry) == name]
    match = _LINE.fullmatch(location)
    if match:
        number = int(match[2])
        return [each for each in _on_page(match[1], entries) if each.location.line == number]
    return _on_page(location, entries)


def _on_page(page: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return the images of a page, by its path, its path in the docs folder, or its name."""
    page = page.replace("\\", "/").removeprefix("./")
    ways: tuple[Callable[[str], bool], ...] = (
        lambda path: path == page,
        lambda path: path.partition("/")[2] == page,
        lambda path: path.endswith(f"/{page}"),
    )
    for fits in ways:
        found = [entry for entry in entries if fits(entry.location.page)]
        if found:
            return found
    return []


def _not_found(location: str, entries: Sequence[Entry]) -> OptionError:
    match, page = _LINE.fullmatch(location), page_of(location)
    near = _on_page(page, entries) if page else []
    if match:
        line = int(match[2])
        near = sorted(near, key=lambda each: abs((each.location.line or 0) - line))
    fault = f"no image at {quote_value(location)}"
    if near:
        return OptionError(fault, hint=f"the nearest are:\n{_listed(near[:3])}")
    pages = {entry.location.page for entry in entries} | {entry.uri for entry in entries}
    hint = "run `mkdocs-imagegen plan` for all locations, or use 6 characters of a cache key"
    return OptionError(fault, hint=did_you_mean(page or location, pages) or hint)


def _listed(entries: Sequence[Entry]) -> str:
    lines = [_listed_row(entry.rows[0]) for entry in entries[:_MAX_LISTED]]
    more = [f"  and {len(entries) - _MAX_LISTED} more"] if len(entries) > _MAX_LISTED else []
    return "\n".join([*lines, *more])


def _listed_row(row: ReportRow) -> str:
    key = f"  {row.key[:12] or 'invalid':12}  {row.location}"
    return f"{key}  {quote_value(row.title)}" if row.title else key


def _keys(entry: Entry) -> tuple[str, ...]:
    return tuple(request.key for request in requests_of(entry))


def _has_key(entry: Entry, start: str) -> bool:
    """Return True if a request or an original has the key; a stale original has its own."""
    keys = *_keys(entry), *(original.record.key for original in entry.originals)
    return any(key.startswith(start) for key in keys)


def _identity(entry: Entry) -> tuple[str, ...]:
    """Return a value that is equal for two locations of the same image."""
    return _keys(entry) or (str(entry.location),)


def _id(entry: Entry) -> str:
    found = entry.directive
    return dict(found.attributes).get("id", "") if isinstance(found, Directive) else ""
