"""What a directive inherits from its page and its site; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, replace

from mkdocs_imagegen.directives.layers import (
    Layer,
    Level,
    Origin,
    Presets,
    merged,
    with_preset,
)
from mkdocs_imagegen.directives.naming import Errors, read_presets, read_prompts, refuse_unknown
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.options import (
    SIZE,
    SKETCH_MODEL,
    TEXT,
    OptionsError,
    Parser,
    Size,
    one_line,
    option,
    read_options,
    words,
)
from mkdocs_imagegen.request import pixel_options
from mkdocs_imagegen.settings import PROMPTS, FolderOptions, Settings
from mkdocs_imagegen.settings.globs import matches
from mkdocs_imagegen.settings.previews import POSITION


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Everything a directive takes over where it says nothing itself.

    Attributes:
        model: the site's, as are size, quality, background and style.
        page: the page's source below the docs folder; None where it is not known.
        model_options: provider options that change pixels (see :func:`pixel_options`).
        note: says below each image that it is generated; ``""`` for nothing.
        presets: by name.
        folders: patterns of pages, and what they say, in the order in which they are written.
        layers: what the page and its folders say, the nearest first.
        prompts: named prompts, read.
        preview: what the page says of its own image (see :data:`PREVIEW`); None for nothing.
        preview_position: ``top`` or ``none``.
    """

    model: str
    size: Size
    quality: str
    background: str
    style: str
    page: str | None = None
    model_options: str = ""
    note: str = ""
    presets: Presets = field(default_factory=dict)
    folders: tuple[Layer, ...] = ()
    layers: tuple[Layer, ...] = ()
    prompts: Mapping[str, Layer] = field(default_factory=dict)
    preview: Mapping[str, object] | bool | None = None
    preview_position: str = "none"

    @property
    def page_size(self) -> Size:
        """The size of the page's images that name none."""
        layers = with_preset(self.layers, self.presets)
        return (merged(layers).size if layers else None) or self.size


def _preview(value: object) -> Mapping[str, object] | bool | None:
    if isinstance(value, str):
        return {"prompt": value}
    if isinstance(value, Mapping):
        return {str(name): said for name, said in value.items()}
    return False if value is False else None


PREVIEW: Parser[Mapping[str, object] | bool] = Parser(
    "a prompt, options of an image with a `prompt` or `name` among them, or false for none",
    _preview,
    {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/picture"}, {"const": False}]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """What the ``imagegen:`` entry of a page's front matter may say."""

    model: str | None = option(None, one_line("a model's id"), "The model, for this page.")
    size: Size | None = option(None, SIZE, "The size, for this page.")
    quality: str | None = option(None, one_line("a quality"), "The quality, for this page.")
    background: str | None = option(
        None, words("auto", "opaque", "transparent"), "The background, for this page."
    )
    style: str | None = option(
        None, TEXT, "The house style, for this page; `none` for no house style."
    )
    preset: str | None = option(
        None, one_line("a name from `presets:`"), "The preset, for this page; `none` for none."
    )
    prompts: Mapping[str, object] = option(
        {}, PROMPTS, "Named prompts of this page, before those of the site."
    )
    preview: Mapping[str, object] | bool | None = option(
        None,
        PREVIEW,
        "The page's own image, for [links and cards](previews.md); `false` for none, where "
        "the site's `previews.default` would give it one.",
    )
    preview_position: str | None = option(
        None, POSITION, "`top` shows the preview below the page's heading as well."
    )


def site_defaults(settings: Settings) -> Defaults:
    """What every directive of a site inherits.

    Raises:
        OptionsError: a preset, a folder or a named prompt of the site is not accepted.
    """
    errors: Errors = []
    presets = read_presets(settings.presets, errors)
    prompts = _site_prompts(settings, presets, errors)
    for glob, said in settings.folders.items():
        refuse_unknown(said.preset, presets, f"folders.{glob}.preset", errors)
    if errors:
        raise OptionsError(errors)
    return Defaults(
        model=settings.effective_model,
        size=settings.size,
        quality=settings.quality,
        background=settings.background,
        style=plain_style(settings.style),
        model_options=pixel_options(settings.gateway.provider_options),
        note=settings.disclosure_text if settings.disclosure == "caption" else "",
        presets=presets,
        folders=tuple(_layer(Level.FOLDER, said, glob) for glob, said in settings.folders.items()),
        prompts=prompts,
        preview_position=settings.previews.position,
    )


def _site_prompts(settings: Settings, presets: Presets, errors: Errors) -> Mapping[str, Layer]:
    if settings.prompts_path is None:
        origin = Origin(Level.PROMPT, file="mkdocs.yml")
        return read_prompts(settings.prompts, origin, presets, errors)
    file, faults = settings.prompts_path.name, list[tuple[str, OptionError]]()
    prompts = read_prompts(settings.prompts, Origin(Level.PROMPT, file=file), presets, faults)
    for name, error in faults:
        location = f"{file}: {name.removeprefix('prompts.')}"
        told = OptionError(f"{location}: {error.fault}", accepted=error.accepted, hint=error.hint)
        errors.append(("prompts", told))
    return prompts


def folder_defaults(site: Defaults, uri: str) -> Defaults:
    """What every directive of a page inherits from its folders, where it says nothing itself.

    Args:
        site: what the site says.
        uri: the page's source below the docs folder.
    """
    fitting = [layer for layer in site.folders if matches(layer.origin.name, uri)]
    return replace(site, page=uri, layers=tuple(reversed(fitting)))


def page_defaults(site: Defaults, front_matter: object) -> Defaults:
    """What every directive of a page inherits, from the ``imagegen:`` entry of its front matter.

    Args:
        site: what the site and the page's folders say.
        front_matter: the entry.

    Raises:
        OptionsError: an option or a named prompt of the page is not accepted.
    """
    if not isinstance(front_matter, Mapping):
        error = OptionError("is no mapping", hint="write options below it, like `size: 1024x1024`")
        raise OptionsError([("imagegen", error)])
    page = read_options(PageOptions, {str(name): value for name, value in front_matter.items()})
    errors: Errors = []
    refuse_unknown(page.preset, site.presets, "preset", errors)
    origin = Origin(Level.PROMPT, file="the page's front matter")
    prompts = read_prompts(page.prompts, origin, site.presets, errors)
    if errors:
        raise OptionsError(errors)
    return replace(
        site,
        layers=(_layer(Level.PAGE, page), *site.layers),
        prompts={**site.prompts, **prompts},
        preview=page.preview,
        preview_position=page.preview_position or site.preview_position,
    )


_SHARED = tuple(each.name for each in fields(FolderOptions))
"""What folders, pages and images may all say."""


def _layer(level: Level, said: FolderOptions | PageOptions, name: str = "") -> Layer:
    shared = {each: getattr(said, each) for each in _SHARED}
    return Layer(Origin(level, name), DirectiveOptions(**shared))


def plain_style(style: str) -> str:
    """The style as words to add: none for the word ``none``."""
    return "" if style.strip().lower() == "none" else style


def named_model(named: str | None, inherited: str) -> str:
    """The model a directive or page names; where sketches are drawn, all are by the emulator."""
    return inherited if named is None or inherited == SKETCH_MODEL else named
