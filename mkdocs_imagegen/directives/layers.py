"""Who says what for an image, and who wins; pure.

Options may stand at several levels. The nearest to the image wins, for each option by itself:

1. the image: a fence, a Markdown image, a page's own image;
2. the named prompt that it takes;
3. the front matter of its page;
4. ``folders:``, of which a later pattern is nearer than an earlier one;
5. the settings of the site, and their defaults.

A preset is an option too: the nearest that is named counts, and no other. What it holds stands
right behind the level that names it: it yields to that level's own options, and wins over every
level further away.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.errors import DirectiveError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import did_you_mean, quote_value

NO_PRESET = "none"
"""Says that no preset counts, whatever is said further away."""


class Level(enum.Enum):
    """Where options stand, the nearest to the image first."""

    IMAGE = "image"
    PROMPT = "named prompt"
    PAGE = "page"
    FOLDER = "folder"
    SITE = "site"
    DEFAULT = "default"


MEANT = (Level.IMAGE, Level.PROMPT, Level.PAGE)
"""Levels that mean the model or quality that they name; the others state what is usual."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something stands.

    Attributes:
        level: how near it is to the image.
        name: which one of those on its level: a named prompt, a folder's pattern, a setting.
        file: the file that holds it, where that is not clear from the level; else ``""``.
        preset: the preset in which it stands, named on that level; ``""`` for none.
    """

    level: Level
    name: str = ""
    file: str = ""
    preset: str = ""

    def __str__(self) -> str:
        said = _WORDS[self.level].format(name=self.name, file=self.file).rstrip(" :")
        return f'preset "{self.preset}", named by {said}' if self.preset else said


_WORDS = {
    Level.IMAGE: "the image",
    Level.PROMPT: 'the named prompt "{name}" in {file}',
    Level.PAGE: "the page's front matter",
    Level.FOLDER: 'folders: "{name}"',
    Level.SITE: "mkdocs.yml: {name}",
    Level.DEFAULT: "the default",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What is said in one place."""

    origin: Origin
    options: DirectiveOptions


Presets = Mapping[str, DirectiveOptions]


def with_preset(layers: Sequence[Layer], presets: Presets) -> tuple[Layer, ...]:
    """The layers, the nearest first, and among them the preset that counts.

    Raises:
        DirectiveError: there is no such preset.
    """
    number = next((at for at, each in enumerate(layers) if each.options.preset is not None), None)
    if number is None:
        return tuple(layers)
    origin, name = layers[number].origin, layers[number].options.preset or NO_PRESET
    preset = Layer(replace(origin, preset=name), find_preset(name, presets))
    return (*layers[: number + 1], preset, *layers[number + 1 :])


def find_preset(name: str | None, presets: Presets) -> DirectiveOptions:
    """What a preset holds; nothing for no preset.

    Raises:
        DirectiveError: there is no such preset.
    """
    if name is None or name == NO_PRESET:
        return DirectiveOptions()
    if name not in presets:
        raise DirectiveError(
            f"there is no preset named {quote_value(name)}",
            accepted=f"presets: {', '.join(sorted(presets)) or NO_PRESET}",
            hint=did_you_mean(name, presets) or "define it below `presets:` in mkdocs.yml",
        )
    return presets[name]


def merged(layers: Sequence[Layer]) -> DirectiveOptions:
    """For each option what the nearest layer says that says anything."""
    if len(layers) == 1:
        return layers[0].options
    nearest: dict[str, Any] = {}
    for layer in reversed(layers):
        values = ((name, getattr(layer.options, name)) for name in FIELDS)
        nearest |= {name: value for name, value in values if value is not None}
    return DirectiveOptions(**nearest)


FIELDS = tuple(each.name for each in fields(DirectiveOptions))


def is_meant(layers: Iterable[Layer]) -> bool:
    """Whether a level that means it names the model or the quality."""
    return any(
        each.options.model is not None or each.options.quality is not None
        for each in layers
        if each.origin.level in MEANT
    )
