"""What a directive inherits from its page and its site; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.request import SKETCH_MODEL, pixel_options
from mkdocs_imagegen.settings import PROMPTS, Settings
from mkdocs_imagegen.settings.previews import POSITION
from mkdocs_imagegen.values import (
    SIZE,
    TEXT,
    OptionsError,
    Parser,
    Size,
    one_line,
    option,
    read_options,
    words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Everything a directive takes over where it says nothing itself.

    Attributes:
        note: says below each picture that it is generated; ``""`` for nothing.
        insists: whether the page named the model or the quality itself.
        prompts: named prompts, read.
        preview: what the page says of its own picture (see :data:`PREVIEW`); None for nothing.
        preview_position: ``top`` or ``none``.
    """

    model: str
    size: Size
    quality: str
    background: str
    style: str
    model_options: str = ""
    note: str = ""
    insists: bool = False
    prompts: Mapping[str, DirectiveOptions] = field(default_factory=dict)
    preview: Mapping[str, object] | bool | None = None
    preview_position: str = "none"


def _preview(value: object) -> Mapping[str, object] | bool | None:
    if isinstance(value, str):
        return {"prompt": value}
    if isinstance(value, Mapping):
        return {str(name): said for name, said in value.items()}
    return False if value is False else None


PREVIEW: Parser[Mapping[str, object] | bool] = Parser(
    "a prompt, options of a picture with a `prompt` or `name` among them, or false for none",
    _preview,
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
    prompts: Mapping[str, object] = option(
        {}, PROMPTS, "Named prompts of this page, before those of the site."
    )
    preview: Mapping[str, object] | bool | None = option(
        None,
        PREVIEW,
        "The page's own picture, for [links and cards](previews.md); `false` for none, where "
        "the site's `previews.default` would give it one.",
    )
    preview_position: str | None = option(
        None, POSITION, "`top` shows the preview below the page's heading as well."
    )


def site_defaults(settings: Settings) -> Defaults:
    """What every directive of a site inherits.

    Raises:
        OptionsError: a named prompt of the site is not accepted.
    """
    return Defaults(
        model=settings.drawing_model,
        size=settings.size,
        quality=settings.quality,
        background=settings.background,
        style=plain_style(settings.style),
        model_options=pixel_options(settings.gateway.provider_options),
        note=settings.disclosure_text if settings.disclosure == "caption" else "",
        prompts=_read_prompts(settings.prompts),
        preview_position=settings.previews.position,
    )


def page_defaults(site: Defaults, front_matter: object) -> Defaults:
    """What every directive of a page inherits, from the ``imagegen:`` entry of its front matter.

    Raises:
        OptionsError: an option or a named prompt of the page is not accepted.
    """
    if not isinstance(front_matter, Mapping):
        error = OptionError("is no mapping", hint="write options below it, like `size: 1024x1024`")
        raise OptionsError([("imagegen", error)])
    page = read_options(PageOptions, {str(name): value for name, value in front_matter.items()})
    return replace(
        site,
        model=named_model(page.model, site.model),
        size=page.size or site.size,
        quality=page.quality or site.quality,
        background=page.background or site.background,
        style=site.style if page.style is None else plain_style(page.style),
        insists=page.model is not None or page.quality is not None,
        prompts={**site.prompts, **_read_prompts(page.prompts)},
        preview=page.preview,
        preview_position=page.preview_position or site.preview_position,
    )


def plain_style(style: str) -> str:
    """The style as words to add: none for the word ``none``."""
    return "" if style.strip().lower() == "none" else style


def named_model(named: str | None, inherited: str) -> str:
    """The model a directive or page names; where sketches are drawn, all are by the emulator."""
    return inherited if named is None or inherited == SKETCH_MODEL else named


def _read_prompts(written: Mapping[str, object]) -> Mapping[str, DirectiveOptions]:
    prompts: dict[str, DirectiveOptions] = {}
    errors: list[tuple[str, OptionError]] = []
    for name, value in written.items():
        options = value if isinstance(value, Mapping) else {"prompt": value}
        try:
            prompts[name] = read_options(DirectiveOptions, options)
        except OptionsError as error:
            errors += [(f"prompts.{name}.{option}", each) for option, each in error.errors]
    if errors:
        raise OptionsError(errors)
    return prompts
