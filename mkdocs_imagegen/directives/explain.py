"""Why a directive asks for what it asks for; pure, and only worked out on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from mkdocs_imagegen.directives.completing import Said, completed, layers_of
from mkdocs_imagegen.directives.defaults import Defaults, plain_style, site_defaults
from mkdocs_imagegen.directives.directive import Directive, SourceExcerpt
from mkdocs_imagegen.directives.layers import FIELDS, Layer, Level, Origin
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.layout import Focus
from mkdocs_imagegen.options import SKETCH_MODEL
from mkdocs_imagegen.settings import Settings


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a final prompt.

    Attributes:
        role: ``subject``, ``style`` or ``dark``.
        text: as it was written; ``""`` where there is none, as with ``style: none``.
        origin: where it stands.
    """

    role: str
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Choice:
    """What an option is, and who says so.

    Attributes:
        option: its name, as an author writes it.
        value: as an author would write it.
        origin: where it stands.
    """

    option: str
    value: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where everything that a directive asks for comes from.

    Attributes:
        directive: what is asked for, with the final prompts in its requests.
        parts: of the final prompt, in order; the last one, ``dark``, stands in the prompt for dark
            surroundings alone.
        choices: every option that somebody says, and those that every request has, in the order
            of the manual.
    """

    directive: Directive
    parts: tuple[Part, ...]
    choices: tuple[Choice, ...]


_ALWAYS = ("size", "quality", "background", "model")
_IN_PARTS = ("prompt", "style", "dark")


def explain(said: Said, defaults: Defaults, source: SourceExcerpt) -> Explanation:
    """Why a directive asks for what it asks for.

    Args:
        said: at the image.
        defaults: what the page and the site say.
        source: how to find the line of the image.

    Raises:
        DirectiveError: what is said makes no directive.
    """
    directive = completed(said, defaults, source)
    layers = layers_of(said, defaults)
    return Explanation(
        directive,
        tuple(_parts(directive, layers, defaults)),
        tuple(_choices(directive, layers, defaults)),
    )


def _parts(directive: Directive, layers: Sequence[Layer], defaults: Defaults) -> Iterator[Part]:
    subject, style, dark = (_said(name, layers) for name in _IN_PARTS)
    if subject is not None:
        yield Part("subject", str(subject[0]), subject[1])
    if style is not None:
        yield Part("style", plain_style(str(style[0])), style[1])
    elif defaults.style:
        yield Part("style", defaults.style, Origin(Level.SITE, "style"))
    if dark is not None and directive.dark is not None:
        yield Part("dark", str(dark[0]), dark[1])


def _choices(directive: Directive, layers: Sequence[Layer], defaults: Defaults) -> Iterator[Choice]:
    for name in FIELDS:
        said = _said(name, layers)
        if name in _IN_PARTS:
            continue
        if name == "model" and directive.request.model == SKETCH_MODEL:
            yield Choice(name, SKETCH_MODEL, Origin(Level.SITE, "gateway.url"))
        elif said is not None:
            between = ", " if name == "reference" else " "
            yield Choice(name.rstrip("_"), _written(said[0], between), said[1])
        elif name in _ALWAYS:
            yield _of_the_site(name, defaults)


def _of_the_site(name: str, defaults: Defaults) -> Choice:
    value = getattr(defaults, name)
    is_default = value == getattr(site_defaults(Settings()), name)
    origin = Origin(Level.DEFAULT) if is_default else Origin(Level.SITE, name)
    return Choice(name, _written(value), origin)


def _said(name: str, layers: Sequence[Layer]) -> tuple[object, Origin] | None:
    """What the nearest layer says that says anything, and where it stands."""
    values = ((getattr(each.options, name), each.origin) for each in layers)
    return next((said for said in values if said[0] is not None), None)


def _written(value: object, between: str = " ") -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}:{value.denominator}"
    if isinstance(value, Focus):
        return f"{value.left}% {value.top}%"
    return between.join(map(str, value)) if type(value) is tuple else str(value)
