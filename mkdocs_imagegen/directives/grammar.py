"""Options and prompts as written, to a directive; pure.

One grammar for all forms. Every form becomes a few mappings of option names to raw text, each with
the words for where it was written; they are merged, read by the same parsers and completed from
what the page and the site say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qsl, unquote

from mkdocs_imagegen.directives.defaults import Defaults, named_model, plain_style
from mkdocs_imagegen.directives.directive import Directive, Source
from mkdocs_imagegen.directives.options import DirectiveOptions, is_html_attribute
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.request import ImageRequest, final_prompt
from mkdocs_imagegen.shapes import CENTER, Shape, cut
from mkdocs_imagegen.values import TEXT, did_you_mean, option_names, read_options, shown

SCHEME = "imagegen:"
LONGEST_PROMPT = 32_000
"""Characters of a final prompt (fact sheet "gateway protocol", section 7.1)."""

_HEADER_LINE = re.compile(r"\s*([A-Za-z][\w-]*)\s*:\s*(.*?)\s*")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


@dataclass(frozen=True, slots=True)
class Written:
    """Options as raw text, and the words for where they stand."""

    where: str
    options: Mapping[str, str]
    may_hold_html: bool = False


def fence_directive(
    body: str, attributes: Mapping[str, str], defaults: Defaults, source: Source
) -> Directive:
    """The directive that a fence stands for.

    Args:
        body: the fence's text: a prompt, or options, a line ``---`` and a prompt.
        attributes: what stands in the fence's header, ``class`` and ``id`` included.
        defaults: what the page and the site say.
        source: how to find the line.

    Raises:
        DirectiveError: the fence as a whole makes no sense.
        OptionsError: some options are not accepted.
    """
    header, prompt = split_fence(body)
    attributed = Written("the fence's header", attributes, may_hold_html=True)
    written = [attributed, Written("the fence", header)]
    if prompt:
        written.append(Written("the fence's text", {"prompt": prompt}))
    return _directive(written, defaults, source)


@dataclass(frozen=True, slots=True)
class PictureText:
    """A Markdown picture, ``![text](target "title"){ attributes }``, as the reader sees it."""

    text: str
    target: str
    title: str | None
    attributes: Mapping[str, str]


def picture_directive(picture: PictureText, defaults: Defaults, source: Source) -> Directive:
    """The directive that a Markdown picture stands for.

    Without a name the title is the prompt, or else the text; what is not the prompt keeps its
    usual meaning.

    Raises:
        DirectiveError: the picture as a whole makes no sense.
        OptionsError: some options are not accepted.
    """
    name, _, query = picture.target[len(SCHEME) :].partition("?")
    said: dict[str, str] = {"name": unquote(name)} if name else {}
    if picture.title is not None:
        said["title" if name else "prompt"] = picture.title
    if picture.text:
        said["alt" if name or picture.title is not None else "prompt"] = picture.text
    pairs = parse_qsl(query, keep_blank_values=True)
    written = [
        Written("the picture", said),
        Written("its target", _no_twins(pairs, "its target")),
        Written("its attributes", picture.attributes, may_hold_html=True),
    ]
    return _directive(written, defaults, source)


def preview_directive(
    options: Mapping[str, object], defaults: Defaults, source: Source
) -> Directive:
    """The directive that a preview stands for, from the front matter or from the site's default.

    Raises:
        DirectiveError: there is no prompt, or a name that is not known.
        OptionsError: some options are not accepted.
    """
    directive = _completed(read_options(DirectiveOptions, options), (), defaults, source)
    # Where no page shows the preview itself, nothing shows it in dark surroundings.
    return directive if defaults.preview_position == "top" else replace(directive, dark=None)


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
            f"the options that begin with {shown(lines[start] if len(lines) > start else '')} "
            "have no end",
            hint="put a line with --- between the options and the prompt",
        )
    return {}, body.strip()


def _header_line(line: str) -> tuple[str, str]:
    match = _HEADER_LINE.fullmatch(line)
    if match is None:
        raise DirectiveError(
            f"{shown(line)} stands above --- and is no option",
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
                f"option {shown(name)} is given twice in {where}", hint="remove one of the two"
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
                    f"{shown(name)} is given twice, by {origin[name]} and by {each.where}",
                    hint="remove one of the two",
                )
            merged[name], origin[name] = each.options[name], each.where
    return merged


def _directive(written: Sequence[Written], defaults: Defaults, source: Source) -> Directive:
    merged = _merge(written)
    html = {
        name: TEXT(value)
        for each in written
        if each.may_hold_html
        for name, value in each.options.items()
        if is_html_attribute(name, value)
    }
    ours = {name: value for name, value in merged.items() if name not in html}
    return _completed(read_options(DirectiveOptions, ours), tuple(html.items()), defaults, source)


def _completed(
    own: DirectiveOptions,
    html: tuple[tuple[str, str], ...],
    defaults: Defaults,
    source: Source,
) -> Directive:
    options = _with_named(own, defaults)
    request = _request(options, defaults)
    dark = (
        replace(request, prompt=_final(options, defaults, options.dark)) if options.dark else None
    )
    shape = Shape(cut(request.size, options.ratio), options.widths, options.focus or CENTER)
    alt = " ".join((options.prompt or "").split()) if options.alt is None else options.alt.strip()
    return Directive(
        request=request,
        dark=dark,
        insists=defaults.insists or options.model is not None or options.quality is not None,
        alt=alt,
        caption=(options.caption or "").strip(),
        note=defaults.note,
        shape=shape,
        width_px=options.width,
        sizes=options.sizes or "",
        attributes=(*_own_attributes(options), *html),
        source=source,
    )


def _with_named(options: DirectiveOptions, defaults: Defaults) -> DirectiveOptions:
    if options.name is None:
        return options
    named = defaults.prompts.get(options.name)
    if named is None:
        raise DirectiveError(
            f"there is no prompt named {shown(options.name)}",
            accepted=f"named prompts: {', '.join(sorted(defaults.prompts)) or 'none'}",
            hint=did_you_mean(options.name, defaults.prompts)
            or "define it below `prompts:` in mkdocs.yml or in the page's front matter",
        )
    if options.prompt is not None and named.prompt is not None:
        raise DirectiveError(
            f"there are two prompts: one here, and one named {shown(options.name)}",
            hint="remove one of the two",
        )
    own = {each.name: getattr(options, each.name) for each in fields(options)}
    return replace(named, **{name: value for name, value in own.items() if value is not None})


def _request(options: DirectiveOptions, defaults: Defaults) -> ImageRequest:
    if not (options.prompt or "").strip():
        raise DirectiveError("there is no prompt", hint="write what the picture shows")
    return ImageRequest(
        model=named_model(options.model, defaults.model),
        prompt=_final(options, defaults),
        size=options.size or defaults.size,
        quality=options.quality or defaults.quality,
        background=options.background or defaults.background,
        take=options.take or 1,
        model_options=defaults.model_options,
    )


def _final(options: DirectiveOptions, defaults: Defaults, more: str = "") -> str:
    style = defaults.style if options.style is None else plain_style(options.style)
    prompt = final_prompt(options.prompt or "", style, more)
    if len(prompt) > LONGEST_PROMPT:
        raise DirectiveError(
            f"the prompt has {len(prompt)} characters", accepted=f"up to {LONGEST_PROMPT}"
        )
    return prompt


def _own_attributes(options: DirectiveOptions) -> list[tuple[str, str]]:
    classes = " ".join(options.class_ or ())
    pairs = [("title", options.title), ("id", options.id_), ("class", classes)]
    return [(name, value) for name, value in pairs if value]
