"""Text of an image block or inline image, read as options and prompt; pure.

There is one grammar for all forms. Each form yields a few mappings of option names to raw text,
with the name of the place for messages. They are merged and read by the same parsers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from urllib.parse import parse_qsl, unquote

from mkdocs_imagegen.directives.directive import WrittenDirective
from mkdocs_imagegen.directives.options import DirectiveOptions, is_html_attribute
from mkdocs_imagegen.errors import DirectiveError, ImagegenError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    TEXT,
    OptionsError,
    option_names,
    quote_value,
    read_options,
)

SCHEME = "imagegen:"
_HEADER_LINE = re.compile(r"\s*([A-Za-z][\w-]*)\s*:\s*(.*?)\s*")
_FENCE_LINE = re.compile(r"[> \t]*(?:`{3,}|~{3,})[ \t]*\S")
_SCHEME_FRAGMENT = re.compile(r"#(?:only|gh)-(dark|light)(?:-mode-only)?$", re.IGNORECASE)
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


@dataclass(frozen=True, slots=True)
class RawOptions:
    """Names of options with their raw text, and the place where they are written."""

    place: str
    pairs: Collection[tuple[str, str]]
    can_have_html: bool = False


def read_fence(body: str, attributes: Mapping[str, str]) -> WrittenDirective:
    """Return the directive of an image block.

    Args:
        body: Text of the block: a prompt, or options, a line ``---`` and a prompt.
        attributes: Attributes in the header of the block, with ``class`` and ``id``.

    Raises:
        DirectiveError: If the block as a whole is invalid.
        OptionsError: If some options are not accepted.
    """
    pairs, prompt = split_fence(body)
    header = RawOptions("the block's header", attributes.items(), can_have_html=True)
    raw = [header, RawOptions("the block", pairs)]
    if prompt:
        raw.append(RawOptions("the block's text", [("prompt", prompt)]))
    return _read(raw)


@dataclass(frozen=True, slots=True)
class ImageText:
    """Markdown image, ``![text](target "title"){ attributes }``, as the reader sees it."""

    text: str
    target: str
    title: str | None
    attributes: Mapping[str, str]


def read_image(image: ImageText) -> WrittenDirective:
    """Return the directive of an inline image.

    If the target names no prompt, the title is the prompt, or else the text. Without that role,
    text and title keep their usual meaning.

    Raises:
        DirectiveError: If the image as a whole is invalid.
        OptionsError: If some options are not accepted.
    """
    _reject_scheme_fragment(image)
    name, _, query = image.target[len(SCHEME) :].partition("?")
    own: dict[str, str] = {"name": unquote(name)} if name else {}
    if image.title is not None:
        own["title" if name else "prompt"] = image.title
    if image.text:
        own["alt" if name or image.title is not None else "prompt"] = image.text
    raw = [
        RawOptions("the image", own.items()),
        RawOptions("its target", parse_qsl(query, keep_blank_values=True)),
        RawOptions("its attributes", image.attributes.items(), can_have_html=True),
    ]
    return _read(raw)


def _reject_scheme_fragment(image: ImageText) -> None:
    """Reject the fragments by which Material for MkDocs shows an image in one color scheme."""
    match = _SCHEME_FRAGMENT.search(image.target)
    if match:
        text = f"![{image.text}]" if match[1] == "light" else "![…]"
        dark = "At night." if match[1] == "light" else image.text.replace('"', "'")
        raise DirectiveError(
            f"{quote_value(match[0])} is not supported in the target of an image prompt",
            hint="write one image, with the text for dark color schemes in the option `dark`: "
            f'{text}({SCHEME}){{ dark="{dark}" }}',
        )


def split_fence(body: str) -> tuple[list[tuple[str, str]], str]:
    """Return the options, as name and text, and the prompt in the body of an image block.

    Raises:
        DirectiveError: If the block contains another one, its options have no end, or a line among
            them is not an option.
    """
    lines = body.strip("\n").split("\n")
    if inner := next(filter(_FENCE_LINE.match, lines), None):
        raise DirectiveError(
            f"no closing fence before {quote_value(inner)}", hint="add one above that line"
        )
    start = 1 if lines[0].strip() == "---" else 0
    ends = [
        number for number, line in enumerate(lines) if number >= start and line.strip() == "---"
    ]
    if ends:
        pairs = [_header_line(line) for line in lines[start : ends[0]] if line.strip()]
        return pairs, "\n".join(lines[ends[0] + 1 :]).strip()
    first = lines[start] if len(lines) > start else ""
    match = _HEADER_LINE.fullmatch(first)
    if start or (match and match[1].lower() in option_names(DirectiveOptions)):
        raise DirectiveError(
            f"no line with --- after the options that begin with {quote_value(first)}",
            hint="put it between the options and the prompt",
        )
    return [], body.strip()


def _header_line(line: str) -> tuple[str, str]:
    match = _HEADER_LINE.fullmatch(line)
    if match is None:
        raise DirectiveError(
            f"{quote_value(line)} is above --- but is not an option",
            accepted="options are lines like size: 1024x1024",
            hint="move it under the ---, or remove the ---",
        )
    quoted = _QUOTED.fullmatch(match[2])
    return match[1].lower(), (quoted[1] or quoted[2] or "") if quoted else match[2]


def _merge(raw: Iterable[RawOptions], errors: list[tuple[str, ImagegenError]]) -> dict[str, str]:
    merged: dict[str, str] = {}
    places: dict[str, str] = {}
    for each in raw:
        for name, value in each.pairs:
            if name in merged:
                first, second = places[name], each.place
                where = f"in {first}" if first == second else f"in {first} and in {second}"
                hint = "remove one of them"
                errors.append((name, DirectiveError(f"set twice, {where}", hint=hint)))
            merged[name], places[name] = value, each.place
    return merged


def _read(raw: Sequence[RawOptions]) -> WrittenDirective:
    errors: list[tuple[str, ImagegenError]] = []
    merged = _merge(raw, errors)
    html = {
        name: TEXT(value)
        for each in raw
        if each.can_have_html
        for name, value in each.pairs
        if is_html_attribute(name, value)
    }
    options = {name: value for name, value in merged.items() if name not in html}
    try:
        read = read_options(DirectiveOptions, options)
    except OptionsError as error:
        raise OptionsError([*error.errors, *errors]) from None
    if errors:
        raise OptionsError(errors)
    return WrittenDirective(read, tuple(html.items()))
