"""Patterns for the paths of pages, like ``guide/**``; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from mkdocs_imagegen.options import TEXT, Parser

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def matches(glob: str, uri: str) -> bool:
    """Whether a path fits a pattern.

    Args:
        glob: ``*`` stands for any letters but slashes, ``**`` also for slashes, ``?`` for one.
        uri: a page's source below the docs folder, with slashes.
    """
    return _compiled(glob.strip().removeprefix("./")).fullmatch(uri) is not None


def matches_any(globs: Iterable[str], uri: str) -> bool:
    """Whether a path fits one of the patterns."""
    return any(matches(glob, uri) for glob in globs)


@lru_cache
def _compiled(glob: str) -> re.Pattern[str]:
    parts = (_MEANINGS.get(part) or re.escape(part) for part in _PARTS.findall(glob))
    return re.compile("".join(parts), re.DOTALL)


def _globs(value: object) -> tuple[str, ...] | None:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return None
    return tuple(each.strip() for each in listed) if all(map(_is_below, listed)) else None


def _is_below(glob: str) -> bool:
    return bool(glob.strip()) and not glob.strip().startswith(("/", ".."))


GLOBS: Parser[tuple[str, ...]] = Parser(
    "a list of page paths below the docs folder, in which * stands for anything, like guide/**",
    _globs,
    {"anyOf": [TEXT.schema, {"type": "array", "items": TEXT.schema}]},
)
