"""Which image an author means by a place; pure.

A place is ``page.md:12``, ``page.md#id``, ``page.md``, or the first characters of a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.options import did_you_mean, quote_value
from mkdocs_imagegen.pipeline.outcome import Entry

_KEY = re.compile(r"[0-9a-f]{6,64}")
_LINE = re.compile(r"(.+?):(\d{1,7})")
_MAX_LISTED = 10


def entry_at(location: str, entries: Sequence[Entry]) -> Entry:
    """The one image at a place.

    Raises:
        OptionError: there is none, or several, or it is a mistake; with what there is instead.
    """
    found = _matching(location.strip(), entries)
    if len({_identity(entry) for entry in found}) > 1:
        fault = f"{quote_value(location)} stands for {len(found)} images"
        raise OptionError(fault, hint=f"name one by its key:\n{_listed(found)}")
    if not found:
        raise _nothing(location, entries)
    if not isinstance(found[0].found, Directive):
        fault = f"{found[0].line.location} has a mistake: {found[0].outcome.error}"
        raise OptionError(fault, hint="mend that first")
    return found[0]


def _matching(location: str, entries: Sequence[Entry]) -> list[Entry]:
    if _KEY.fullmatch(location):
        return [entry for entry in entries if any(key.startswith(location) for key in _keys(entry))]
    page, name = location.rpartition("#")[::2]
    if page:
        return [entry for entry in _on_page(page, entries) if _id(entry) == name]
    match = _LINE.fullmatch(location)
    if match:
        number = int(match[2])
        return [each for each in _on_page(match[1], entries) if each.line.location.line == number]
    return _on_page(location, entries)


def _on_page(page: str, entries: Sequence[Entry]) -> list[Entry]:
    """The images of a page, by its path, by its path below the docs folder, or by its name."""
    page = page.replace("\\", "/").removeprefix("./")
    ways: tuple[Callable[[str], bool], ...] = (
        lambda path: path == page,
        lambda path: path.partition("/")[2] == page,
        lambda path: path.endswith(f"/{page}"),
    )
    for fits in ways:
        found = [entry for entry in entries if fits(entry.line.location.page)]
        if found:
            return found
    return []


def _nothing(location: str, entries: Sequence[Entry]) -> OptionError:
    """Nothing is there: what stands near it."""
    match = _LINE.fullmatch(location.strip())
    page = match[1] if match else location.strip().rpartition("#")[0]
    near = _on_page(page, entries) if page else []
    if match:
        wanted = int(match[2])
        near = sorted(near, key=lambda each: abs((each.line.location.line or 0) - wanted))
    if near:
        return OptionError(
            f"no image at {quote_value(location)}", hint=f"near it:\n{_listed(near[:3])}"
        )
    pages = {entry.line.location.page for entry in entries} | {entry.uri for entry in entries}
    meant = did_you_mean(page or location.strip(), pages)
    hint = "`plan` lists every place; or give the first 6 characters of a key or more"
    return OptionError(f"no image at {quote_value(location)}", hint=meant or hint)


def _listed(entries: Sequence[Entry]) -> str:
    lines = [
        f"  {entry.line.key[:12]}  {entry.line.location}  {quote_value(entry.line.prompt)}"
        for entry in entries[:_MAX_LISTED]
    ]
    more = [f"  and {len(entries) - _MAX_LISTED} more"] if len(entries) > _MAX_LISTED else []
    return "\n".join([*lines, *more])


def _keys(entry: Entry) -> tuple[str, ...]:
    found = entry.found
    return tuple(each.key for each in found.requests) if isinstance(found, Directive) else ()


def _identity(entry: Entry) -> tuple[str, ...]:
    """Equal for two places that ask for the same."""
    return _keys(entry) or (str(entry.line.location),)


def _id(entry: Entry) -> str:
    found = entry.found
    return dict(found.attributes).get("id", "") if isinstance(found, Directive) else ""
