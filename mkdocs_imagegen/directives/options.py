"""Options of images, presets and pages, and the HTML attributes that pass through; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.references import MASK, REFERENCES
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.option_parsers import (
    CLASSES,
    ID,
    TEXT,
    Parser,
    one_line,
    option,
    option_names,
    whole_number,
    words,
)
from mkdocs_imagegen.page_layout import FOCUS, HEIGHT, RATIO, WIDTH, Focus
from mkdocs_imagegen.settings import InheritedOptions
from mkdocs_imagegen.settings.previews import POSITION
from mkdocs_imagegen.settings.prompts import PROMPTS
from mkdocs_imagegen.settings.variants import WIDTHS

if TYPE_CHECKING:
    from fractions import Fraction

_HTML_ATTRIBUTE = re.compile(
    r"accesskey|align|crossorigin|decoding|dir|draggable|fetchpriority|hidden|itemprop|lang"
    r"|referrerpolicy|role|tabindex|translate|usemap|(?:data|aria)-[\w.:-]+"
)
"""Attributes of an ``img`` element in HTML that are no options of this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectiveOptions(InheritedOptions):
    """Options of an image, in every form of a directive."""

    prompt: str | None = option(
        None,
        TEXT,
        "Prompt of a named prompt. In an image block, it is the text of the block.",
        "A ferry leaves the harbor at dawn.",
    )
    name: str | None = option(
        None,
        one_line("a name from `prompts:`"),
        "Named prompt whose prompt and options apply.",
        "ferry",
    )
    take: int | None = option(
        None,
        whole_number(1, 9999),
        "Number of the take. Change it to generate a different image from the same prompt.",
        "2",
    )
    alt: str | None = option(
        None,
        TEXT,
        'Alt text. By default the prompt; `""` for a decorative image.',
        "A ferry at dawn",
    )
    caption: str | None = option(
        None,
        TEXT,
        "Caption below the image, which becomes a figure.",
        "The first ferry of the day.",
    )
    title: str | None = option(None, TEXT, "Tooltip of the image.", "A ferry")
    width: int | str | None = option(
        None,
        WIDTH,
        "Width on the page, in pixels or in percent of the column; the height follows.",
        "480",
    )
    height: int | None = option(
        None,
        HEIGHT,
        "Height on the page, in pixels. The width follows; if `width` is set too, the image is "
        "cropped to the ratio of both.",
        "300",
    )
    ratio: Fraction | None = option(
        None,
        RATIO,
        "Aspect ratio to crop to, like `16:9`. It does not regenerate the image.",
        "16:9",
    )
    focus: Focus | None = option(
        None,
        FOCUS,
        "Part of the image that a crop keeps: `left`, `top right`, or `30% 60%`.",
        "top right",
    )
    widths: tuple[int, ...] | None = option(
        None,
        WIDTHS,
        "Widths of the smaller files in pixels, in place of `variants.widths`.",
        "320 640",
    )
    sizes: str | None = option(
        None,
        one_line("a value of HTML's sizes"),
        "HTML `sizes` attribute, in place of the one that follows from the width and the theme.",
        "40rem",
    )
    loading: str | None = option(
        None,
        words("lazy", "eager"),
        "HTML `loading` attribute: `eager` loads the image with the page, `lazy` when the reader "
        "scrolls near it. By default `lazy`, except for the first image of a page.",
        "eager",
    )
    dark: str | None = option(
        None,
        TEXT,
        "Text appended to the prompt for a second image, shown in dark color schemes.",
        "At night, under a full moon.",
    )
    reference: tuple[str, ...] | None = option(
        None,
        REFERENCES,
        "[Reference images](../guides/references.md), up to 16, separated by commas; `none` for "
        "none.",
        "images/ferry.png",
    )
    mask: str | None = option(
        None,
        MASK,
        "PNG file of the first reference's size. The image may change "
        "[only where the mask is transparent](../guides/references.md); `none` for no mask.",
        "images/ferry-mask.png",
    )
    id_: str | None = option(None, ID, "HTML `id` of the image, for links and references.", "ferry")
    class_: tuple[str, ...] | None = option(
        None, CLASSES, "CSS classes of the image.", "wide framed"
    )


NOT_IN_PRESETS = ("prompt", "name", "preset", "alt", "id", "take")
"""Options that select an image or describe its content, which a preset cannot set."""

PRESET_OPTIONS = [name for name in option_names(DirectiveOptions) if name not in NOT_IN_PRESETS]


def is_html_attribute(name: str, value: str) -> bool:
    """Return True if an attribute of an image or image block passes through to HTML.

    ``style`` is CSS if its value has a colon, else the option.
    """
    if name == "style":
        return ":" in value
    return _HTML_ATTRIBUTE.fullmatch(name) is not None


def _preview(value: object) -> Mapping[str, object] | bool | None:
    if isinstance(value, str):
        return {"prompt": value}
    if isinstance(value, Mapping):
        return {str(name): each for name, each in value.items()}
    return False if value is False else None


PREVIEW: Parser[Mapping[str, object] | bool] = Parser(
    "a prompt, image options with a `prompt` or `name`, or false for none",
    _preview,
    {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/picture"}, {"const": False}]},
    type="string, mapping or `false`",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions(InheritedOptions):
    """Options of a page, set under ``imagegen:`` in its front matter."""

    prompts: Mapping[str, object] = option(
        {},
        PROMPTS,
        "Named prompts of the page. They override named prompts of the site.",
        "ferry: A ferry leaves the harbor at dawn.",
    )
    preview: Mapping[str, object] | bool | None = option(
        None,
        PREVIEW,
        "[Preview image](../guides/previews.md) of the page, for links and cards; `false` for none "
        "if `previews.default` applies to the page.",
        "A ferry leaves the harbor at dawn.",
    )
    preview_position: str | None = option(
        None, POSITION, "Position of the preview. `top` also shows it below the heading.", "top"
    )
