"""Explanation of a directive: the origin of each option and prompt part; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from mkdocs_imagegen.directives.defaults import Defaults, site_defaults, style_text
from mkdocs_imagegen.directives.directive import (
    Directive,
    SourceExcerpt,
    WrittenDirective,
    collect_layers,
    complete,
)
from mkdocs_imagegen.directives.layers import FIELDS, Layer, Level, Origin
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import SKETCH_MODEL
from mkdocs_imagegen.page_layout import Focus
from mkdocs_imagegen.settings import Settings


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of a final prompt.

    Attributes:
        role: ``subject``, ``style`` or ``dark``.
        text: Text as written; ``""`` for ``style: none``.
        origin: Place of the text.
    """

    role: str
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class ResolvedOption:
    """Value of an option that applies to a directive.

    Attributes:
        option: Name of the option.
        value: Value as an author would write it.
        origin: Place that sets it.
    """

    option: str
    value: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Explanation:
    """Origins of everything that determines a directive.

    Attributes:
        directive: Directive with the final prompts in its requests.
        parts: Parts of the final prompt, in order; the last one, ``dark``, is only in the prompt
            of the dark-mode image.
        options: Options that are set and options that every request has, in the order of the
            manual.
    """

    directive: Directive
    parts: tuple[PromptPart, ...]
    options: tuple[ResolvedOption, ...]


_ALWAYS = ("size", "quality", "background", "model")
_IN_PARTS = ("prompt", "style", "dark")


def explain(written: WrittenDirective, defaults: Defaults, source: SourceExcerpt) -> Explanation:
    """Return the origins of everything that determines a directive.

    Args:
        written: Directive as written.
        defaults: Options of the page and the site.
        source: Excerpt by which the line is found.

    Raises:
        DirectiveError: If the directive is invalid.
    """
    directive = complete(written, defaults, source)
    layers = collect_layers(written, defaults, source)
    return Explanation(
        directive,
        tuple(_parts(directive, layers, defaults)),
        tuple(_options(directive, layers, defaults)),
    )


def _parts(
    directive: Directive, layers: Sequence[Layer], defaults: Defaults
) -> Iterator[PromptPart]:
    subject, style, dark = (_nearest(name, layers) for name in _IN_PARTS)
    if subject is not None:
        yield PromptPart("subject", str(subject[0]), subject[1])
    if style is not None:
        yield PromptPart("style", style_text(str(style[0])), style[1])
    elif defaults.style:
        yield PromptPart("style", defaults.style, _from_site("style", defaults))
    if dark is not None and directive.dark is not None:
        yield PromptPart("dark", str(dark[0]), dark[1])


def _options(
    directive: Directive, layers: Sequence[Layer], defaults: Defaults
) -> Iterator[ResolvedOption]:
    for name in FIELDS:
        nearest = _nearest(name, layers)
        if name in _IN_PARTS:
            continue
        if name == "model" and directive.request.model == SKETCH_MODEL:
            yield ResolvedOption(name, SKETCH_MODEL, _from_site("gateway.url", defaults))
        elif nearest is not None:
            separator = ", " if name == "reference" else " "
            yield ResolvedOption(name.rstrip("_"), _as_written(nearest[0], separator), nearest[1])
        elif name in _ALWAYS:
            yield _site_option(name, defaults)


def _from_site(name: str, defaults: Defaults) -> Origin:
    return Origin(Level.SITE, name, defaults.config_name)


def _site_option(name: str, defaults: Defaults) -> ResolvedOption:
    value = getattr(defaults, name)
    is_default = value == getattr(site_defaults(Settings()), name)
    origin = Origin(Level.DEFAULT) if is_default else _from_site(name, defaults)
    return ResolvedOption(name, _as_written(value), origin)


def _nearest(name: str, layers: Sequence[Layer]) -> tuple[object, Origin] | None:
    """Return the value and origin of an option in the nearest layer that sets it."""
    values = ((getattr(each.options, name), each.origin) for each in layers)
    return next((found for found in values if found[0] is not None), None)


def _as_written(value: object, separator: str = " ") -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}:{value.denominator}"
    if isinstance(value, Focus):
        return f"{value.left}% {value.top}%"
    return separator.join(map(str, value)) if type(value) is tuple else str(value)
