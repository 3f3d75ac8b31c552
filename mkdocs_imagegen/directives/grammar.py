"""Options and prompts as written, read; pure.

One grammar for all forms. Every form becomes a few mappings of option names to raw text, each with
the words for where it was written; they are merged, and read by the same parsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, unquote

from mkdocs_imagegen.directives.completing import Said
from mkdocs_imagegen.directives.options import DirectiveOptions, is_html_attribute
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import TEXT, option_names, quote_value, read_options

SCHEME = "imagegen:"
_HEADER_LINE = re.compile(r"\s*([A-Za-z][\w-]*)\s*:\s*(.*?)\s*")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


@dataclass(frozen=True, slots=True)
class Written:
    """Options as raw text, and the words for where they stand."""

    where: str
    options: Mapping[str, str]
    may_hold_html: bool = False


def read_fence(body: str, attributes: Mapping[str, str]) -> Said:
    """What a fence says.

    Args:
        body: the fence's text: a prompt, or options, a line ``---`` and a prompt.
        attributes: what stands in the fence's header, ``class`` and ``id`` included.

    Raises:
        DirectiveError: the fence as a whole makes no sense.
        OptionsError: some options are not accepted.
    """
    header, prompt = split_fence(body)
    attributed = Written("the fence's header", attributes, may_hold_html=True)
    written = [attributed, Written("the fence", header)]
    if prompt:
        written.append(Written("the fence's text", {"prompt": prompt}))
    return _read(written)


@dataclass(frozen=True, slots=True)
class ImageText:
    """A Markdown image, ``![text](target "title"){ attributes }``, as the reader sees it."""

    text: str
    target: str
    title: str | None
    attributes: Mapping[str, str]


def read_image(image: ImageText) -> Said:
    """What a Markdown image says.

    Without a name the title is the prompt, or else the text; what is not the prompt keeps its
    usual meaning.

    Raises:
        DirectiveError: the image as a whole makes no sense.
        OptionsError: some options are not accepted.
    """
    name, _, query = image.target[len(SCHEME) :].partition("?")
    said: dict[str, str] = {"name": unquote(name)} if name else {}
    if image.title is not None:
        said["title" if name else "prompt"] = image.title
    if image.text:
        said["alt" if name or image.title is not None else "prompt"] = image.text
    pairs = parse_qsl(query, keep_blank_values=True)
    written = [
        Written("the image", said),
        Written("its target", _no_twins(pairs, "its target")),
        Written("its attributes", image.attributes, may_hold_html=True),
    ]
    return _read(written)


def split_fence(body: str) -> tuple[dict[str, str], str]:
    """The options and the prompt of a fence's body.

    Raises:
        DirectiveError: the header is not closed, or holds what is no option.
    """
    lines = body.strip("\n").split("\n")
    start = 1 if lines[0].strip() == "---" else 0
    rest = [
        number for number, line in enumerate(lines) if number >= start and line.strip() == "---"
    ]
    if rest:
        header = [line for line in lines[start : rest[0]] if line.strip()]
        pairs = [_header_line(line) for line in header]
        return _no_twins(pairs, "the fence"), "\n".join(lines[rest[0] + 1 :]).strip()
    first = _HEADER_LINE.fullmatch(lines[start]) if len(lines) > start else None
    if start or (first and first[1].lower() in option_names(DirectiveOptions)):
        raise DirectiveError(
            "the options that begin with "
            f"{quote_value(lines[start] if len(lines) > start else '')} "
            "have no end",
            hint="put a line with --- between the options and the prompt",
        )
    return {}, body.strip()


def _header_line(line: str) -> tuple[str, str]:
    match = _HEADER_LINE.fullmatch(line)
    if match is None:
        raise DirectiveError(
            f"{quote_value(line)} stands above --- and is no option",
            accepted="options are lines like size: 1024x1024",
            hint="move it below the ---, or remove the ---",
        )
    quoted = _QUOTED.fullmatch(match[2])
    return match[1].lower(), (quoted[1] or quoted[2] or "") if quoted else match[2]


def _no_twins(pairs: Iterable[tuple[str, str]], where: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in pairs:
        if name in options:
            raise DirectiveError(
                f"option {quote_value(name)} is given twice in {where}",
                hint="remove one of the two",
            )
        options[name] = value
    return options


def _merge(written: Iterable[Written]) -> dict[str, str]:
    merged: dict[str, str] = {}
    origin: dict[str, str] = {}
    for each in written:
        for name in each.options:
            if name in merged:
                raise DirectiveError(
                    f"{quote_value(name)} is given twice, by {origin[name]} and by {each.where}",
                    hint="remove one of the two",
                )
            merged[name], origin[name] = each.options[name], each.where
    return merged


def _read(written: Sequence[Written]) -> Said:
    merged = _merge(written)
    html = {
        name: TEXT(value)
        for each in written
        if each.may_hold_html
        for name, value in each.options.items()
        if is_html_attribute(name, value)
    }
    ours = {name: value for name, value in merged.items() if name not in html}
    return Said(read_options(DirectiveOptions, ours), tuple(html.items()))
