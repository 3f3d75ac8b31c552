"""Options that folders, pages and images share, and the patterns that select pages; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    SIZE,
    TEXT,
    OptionsError,
    Parser,
    Size,
    collect_errors,
    nested,
    object_schema,
    one_line,
    option,
    option_names,
    words,
)

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InheritedOptions:
    """Options that an image inherits from its page, its folders and the site.

    They are stated here once: :class:`Settings` has them with the site's defaults, and the options
    of pages and images extend this class.
    """

    size: Size | None = option(
        None, SIZE, "Size to request, and the size of the image on the page.", "1024x1024"
    )
    quality: str | None = option(
        None,
        one_line("a quality that the model supports, like low"),
        "Image quality, for most models `low`, `medium` or `high`. If a page or an image sets it, "
        "only originals of that quality are used.",
        "low",
    )
    background: str | None = option(
        None, words("auto", "opaque", "transparent"), "Background of the subject.", "transparent"
    )
    model: str | None = option(
        None,
        one_line("a model ID, like openai/gpt-image-1-mini", is_name=True),
        "Image model. Originals from another model stay in use, unless a page or an image sets "
        "this option: see [identity of an image](../concepts/storage.md).",
        "openai/gpt-image-2",
    )
    style: str | None = option(
        None,
        TEXT,
        "Text appended to every prompt, in place of an inherited one; `none` for none.",
        "Flat illustration, two colors. No text.",
    )
    preset: str | None = option(
        None,
        one_line("a name from `presets:`"),
        "[Preset](../guides/style.md) whose options apply; `none` for no preset.",
        "woodcut",
    )


def matches(glob: str, uri: str) -> bool:
    """Return True if a path matches a pattern.

    Args:
        glob: Pattern, in which ``*`` stands for any characters but slashes, ``**`` also for
            slashes, and ``?`` for one character.
        uri: Source path of a page in the docs folder, with slashes.
    """
    return _compiled(glob.strip().removeprefix("./")).fullmatch(uri) is not None


def matches_any(globs: Iterable[str], uri: str) -> bool:
    """Return True if a path matches one of the patterns."""
    return any(matches(glob, uri) for glob in globs)


@lru_cache
def _compiled(glob: str) -> re.Pattern[str]:
    parts = (_MEANINGS.get(part) or re.escape(part) for part in _PARTS.findall(glob))
    return re.compile("".join(parts), re.DOTALL)


def _globs(value: object) -> tuple[str, ...] | None:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        return None
    globs = tuple(each.strip() for each in listed)
    return globs if all(each and not each.startswith(("/", "..")) for each in globs) else None


def _folders(value: object) -> Mapping[str, InheritedOptions] | None:
    if not isinstance(value, Mapping):
        return None
    folders: dict[str, InheritedOptions] = {}
    errors: list[tuple[str, ImagegenError]] = []
    for glob, options in value.items():
        with collect_errors(errors, str(glob)):
            folders[GLOBS(glob)[0]] = _OPTIONS(options)
    if errors:
        raise OptionsError(errors)
    return folders


GLOBS: Parser[tuple[str, ...]] = Parser(
    "a list of page paths in the docs folder, with * for any characters, like guide/**",
    _globs,
    {"anyOf": [TEXT.schema, {"type": "array", "items": TEXT.schema}]},
    type="list of patterns",
)
_OPTIONS: Parser[InheritedOptions] = Parser(
    f"a mapping of {', '.join(option_names(InheritedOptions))}",
    nested(InheritedOptions, "quality: low").convert,
)
FOLDERS: Parser[Mapping[str, InheritedOptions]] = Parser(
    "page paths in the docs folder, with * for any characters, like guide/**, each with "
    f"{_OPTIONS.accepts}",
    _folders,
    {"type": "object", "additionalProperties": object_schema(InheritedOptions)},
    type="mapping of patterns to mappings",
)
