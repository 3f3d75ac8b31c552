"""Layers of options, and the precedence among them; pure.

Options can be set at several levels. For each option, the level nearest to the image wins:

1. the image: an image block, an inline image, or the preview of a page;
2. the named prompt that the image uses;
3. the front matter of the page;
4. ``folders:``, with a later pattern before an earlier one;
5. the settings of the site, and their defaults.

A preset is an option too, so only the nearest one applies. Its options come right after the level
that names it: they yield to that level's own options, and win over every level further away.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import did_you_mean, quote_value

NO_PRESET = "none"
"""Value of the option ``preset`` that switches off presets of levels further away."""


class Level(enum.Enum):
    """Level at which options are set, the nearest to the image first."""

    IMAGE = "image"
    PROMPT = "named prompt"
    PAGE = "page"
    FOLDER = "folder"
    SITE = "site"
    DEFAULT = "default"


EXACT_LEVELS = (Level.IMAGE, Level.PROMPT, Level.PAGE)
"""Levels whose model and quality are binding; at the others, they are a preference."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Place where an option is set.

    Attributes:
        level: Level of the place.
        name: Named prompt, folder pattern or setting; ``""`` if the level has only one place.
        file: File of the place, if the level does not determine it; else ``""``.
        preset: Preset that contains the option, named at that level; ``""`` if none.
    """

    level: Level
    name: str = ""
    file: str = ""
    preset: str = ""

    def __str__(self) -> str:
        place = _PLACES[self.level].format(name=self.name, file=self.file).rstrip(" :")
        return f'preset "{self.preset}", named by {place}' if self.preset else place


_PLACES = {
    Level.IMAGE: "the image",
    Level.PROMPT: 'the named prompt "{name}" in {file}',
    Level.PAGE: "the page's front matter",
    Level.FOLDER: 'folders: "{name}"',
    Level.SITE: "{file}: {name}",
    Level.DEFAULT: "the default",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """Options that are set in one place."""

    origin: Origin
    options: DirectiveOptions


Presets = Mapping[str, DirectiveOptions]


def insert_preset(layers: Sequence[Layer], presets: Presets, config_name: str) -> tuple[Layer, ...]:
    """Return the layers, nearest first, with a layer for the preset that applies.

    Args:
        layers: Layers, nearest first.
        presets: Presets by name.
        config_name: Name of the configuration file that defines them.

    Raises:
        DirectiveError: If the preset does not exist.
    """
    index = next((at for at, each in enumerate(layers) if each.options.preset is not None), None)
    if index is None:
        return tuple(layers)
    origin, name = layers[index].origin, layers[index].options.preset or NO_PRESET
    preset = Layer(replace(origin, preset=name), find_preset(name, presets, config_name))
    return (*layers[: index + 1], preset, *layers[index + 1 :])


def find_preset(name: str | None, presets: Presets, config_name: str) -> DirectiveOptions:
    """Return the options of a preset; no options if the name is None or ``none``.

    Raises:
        DirectiveError: If the preset does not exist.
    """
    if name is None or name == NO_PRESET:
        return DirectiveOptions()
    if name not in presets:
        close = did_you_mean(name, presets)
        raise DirectiveError(
            f"unknown preset {quote_value(name)}",
            accepted=None if close else f"presets: {', '.join(sorted(presets)) or NO_PRESET}",
            hint=close or f"define it under `presets:` in {config_name}",
        )
    return presets[name]


def merge_layers(layers: Sequence[Layer]) -> DirectiveOptions:
    """Return for each option the value of the nearest layer that sets it."""
    if len(layers) == 1:
        return layers[0].options
    nearest: dict[str, Any] = {}
    for layer in reversed(layers):
        values = ((name, getattr(layer.options, name)) for name in FIELDS)
        nearest |= {name: value for name, value in values if value is not None}
    return DirectiveOptions(**nearest)


_NO_OPTIONS = frozenset[str]()
"""One set for all images: an empty set takes 216 bytes."""

FIELDS = tuple(each.name for each in fields(DirectiveOptions))


def exact_options(layers: Iterable[Layer]) -> frozenset[str]:
    """Return those of ``model`` and ``quality`` that a level at which they are binding sets."""
    binding = [each.options for each in layers if each.origin.level in EXACT_LEVELS]
    names = ("model", "quality")
    found = [name for name in names for each in binding if getattr(each, name) is not None]
    return frozenset(found) if found else _NO_OPTIONS
