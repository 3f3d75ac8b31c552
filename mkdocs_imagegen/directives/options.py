"""The options of a directive, and the HTML attributes that pass through beside them; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mkdocs_imagegen.directives.references import MASK, REFERENCES
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.layout import FOCUS, RATIO, Focus
from mkdocs_imagegen.options import (
    CLASSES,
    ID,
    SIZE,
    TEXT,
    Size,
    one_line,
    option,
    whole_number,
    words,
)
from mkdocs_imagegen.settings.variants import WIDTHS

if TYPE_CHECKING:
    from fractions import Fraction

HTML_ATTRIBUTES = frozenset(
    {
        "accesskey",
        "align",
        "crossorigin",
        "decoding",
        "dir",
        "draggable",
        "fetchpriority",
        "hidden",
        "itemprop",
        "lang",
        "loading",
        "referrerpolicy",
        "role",
        "tabindex",
        "translate",
        "usemap",
    }
)
"""Names that HTML defines for an image and that we have no other use for."""


_DATA_OR_ARIA = re.compile(r"(?:data|aria)-[\w.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectiveOptions:
    """What a directive may say, in whatever form it is written."""

    prompt: str | None = option(
        None, TEXT, "What the image shows. In a fence it is the text; here for named prompts."
    )
    name: str | None = option(
        None, one_line("a name from `prompts:`"), "Takes the prompt and the options of that name."
    )
    preset: str | None = option(
        None,
        one_line("a name from `presets:`"),
        "Takes the options of that [preset](one-style.md#presets); `none` for no preset.",
    )
    size: Size | None = option(None, SIZE, "The size to ask for, and the size on the page.")
    quality: str | None = option(
        None, one_line("a quality the model knows"), "`low`, `medium` or `high`."
    )
    background: str | None = option(
        None, words("auto", "opaque", "transparent"), "What is behind the subject."
    )
    model: str | None = option(None, one_line("a model's id"), "The model that draws.")
    style: str | None = option(
        None, TEXT, "Replaces the house style for this image; `none` for no style."
    )
    take: int | None = option(
        None, whole_number(1, 9999), "Another number asks for another image of the same prompt."
    )
    alt: str | None = option(
        None,
        TEXT,
        'Text for those who do not see the image. Without it the prompt; `""` for decoration.',
    )
    caption: str | None = option(None, TEXT, "Shown below the image, which becomes a figure.")
    title: str | None = option(None, TEXT, "Shown when the pointer rests on the image.")
    width: int | None = option(
        None, whole_number(1, 8192), "The width on the page in pixels; the height follows."
    )
    ratio: Fraction | None = option(
        None, RATIO, "Cuts the image to this shape, like `16:9`; nothing is bought again."
    )
    focus: Focus | None = option(
        None, FOCUS, "What a cut keeps in view: `left`, `top right`, or `30% 60%`."
    )
    widths: tuple[int, ...] | None = option(
        None, WIDTHS, "Widths of the smaller files, instead of the site's."
    )
    sizes: str | None = option(
        None, one_line("HTML's sizes"), "HTML's `sizes`, where the theme shows images otherwise."
    )
    dark: str | None = option(
        None, TEXT, "Words added to the prompt for a second image, shown in dark surroundings."
    )
    reference: tuple[str, ...] | None = option(
        None,
        REFERENCES,
        "Images that this one [follows](editing.md), up to 16, separated by commas; `none` for "
        "none.",
    )
    mask: str | None = option(
        None,
        MASK,
        "A PNG of the first reference's size; [only where it is transparent](editing.md#a-mask) "
        "may the image change.",
    )
    id_: str | None = option(None, ID, "The image's id, to link to it.")
    class_: tuple[str, ...] | None = option(None, CLASSES, "Classes for the theme's styles.")


def is_html_attribute(name: str, value: str) -> bool:
    """Whether an attribute of an image or fence is HTML's business and not ours.

    ``style`` is CSS where its value has a colon, and the house style where it has none.
    """
    if name == "style":
        return ":" in value
    return name in HTML_ATTRIBUTES or _DATA_OR_ARIA.fullmatch(name) is not None
