"""HTML of an image, and relative URLs; pure."""

from __future__ import annotations

import html
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from mkdocs_imagegen.directives.directive import (
    WIDTH_CLASS,
    Directive,
    InvalidDirective,
    ParsedDirective,
)
from mkdocs_imagegen.directives.marker import as_tag, attributes_of
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import ImageSource, PageImage
from mkdocs_imagegen.pages.columns import (
    UNKNOWN_THEME,
    Column,
    Theme,
    has_width_by_content,
    sizes_within,
)
from mkdocs_imagegen.pages.style_sheets import blur_class, crop_class


@dataclass(frozen=True, slots=True)
class MarkupContext:
    """Properties of a page for the markup of its images.

    Attributes:
        url_of: Function from a path in the site to the URL relative to the page.
        theme: Layout of the theme.
        column: Content column of the page; ``()`` if it is not known.
        sizes: HTML ``sizes`` of images that have none and no width, or ``auto``.
        is_first: True for the first image of the page, which is not loaded lazily.
        badge: Text on top of the image; ``""`` for an image without one.
    """

    url_of: Callable[[str], str]
    theme: Theme = UNKNOWN_THEME
    column: Column = ()
    sizes: str = "auto"
    is_first: bool = False
    badge: str = ""


def image_markup(
    found: ParsedDirective, image: PageImage, dark: PageImage | None, context: MarkupContext
) -> str:
    """Return the HTML of an image; attributes that the author set take precedence."""
    if dark is None:
        markup = _picture(found, image, context)
    elif context.theme.follows_palette:
        on_dark = replace(_with_fragment(context, "#only-dark"), is_first=False)
        markup = _picture(found, image, _with_fragment(context, "#only-light"))
        markup += _picture(found, dark, on_dark)
    else:
        # Without the blur: a light one would show until the dark image is loaded.
        image = replace(image, blur="", crop=image.crop or dark.crop)
        markup = _picture(found, image, context, dark)
    return _with_badge(found, markup, context.badge) if context.badge else markup


def _with_badge(found: ParsedDirective, markup: str, badge: str) -> str:
    classes = dict(found.attributes).get("class", "") if isinstance(found, Directive) else ""
    width = next((each for each in classes.split() if each.startswith(WIDTH_CLASS)), "")
    wrapper = " ".join(filter(None, ("imagegen-badge", width)))
    return f'<span class="{wrapper}">{markup}<small>{html.escape(badge)}</small></span>'


def _picture(
    found: ParsedDirective, image: PageImage, context: MarkupContext, dark: PageImage | None = None
) -> str:
    own = attributes_of(found, context.url_of(image.name))
    loading = _loading(own, context)
    sizes = _sizes(found, image, context, own | loading)
    media = "(prefers-color-scheme: dark)"
    sources = [_source(each, sizes, context, media) for each in dark.sources] if dark else []
    sources += [_source(each, sizes, context, "") for each in image.sources[:-1]]
    last = image.sources[-1]
    several = {"srcset": _srcset(last, context), "sizes": sizes} if len(last.files) > 1 else {}
    classes = ("imagegen", own.pop("class", ""), blur_class(image.blur), crop_class(image.crop))
    img = as_tag({"class": " ".join(filter(None, classes))} | own | several | loading)
    return f"<picture>{''.join(sources)}{img}</picture>" if sources else img


def _loading(own: Mapping[str, str], context: MarkupContext) -> dict[str, str]:
    loading = {"fetchpriority": "high"} if context.is_first else {"loading": "lazy"}
    if "loading" in own or "fetchpriority" in own:
        loading = {}
    return loading if "decoding" in own else loading | {"decoding": "async"}


def _source(source: ImageSource, sizes: str, context: MarkupContext, media: str) -> str:
    attributes = {"type": source.mime, "srcset": _srcset(source, context), "sizes": sizes}
    attributes |= {"media": media} if media else {}
    pairs = (f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<source {' '.join(pairs)}>"


def _srcset(source: ImageSource, context: MarkupContext) -> str:
    return ", ".join(f"{context.url_of(name)} {width}w" for name, width in source.files)


def _sizes(
    found: ParsedDirective, image: PageImage, context: MarkupContext, attributes: Mapping[str, str]
) -> str:
    if isinstance(found, InvalidDirective):
        return ""  # its placeholder is one file
    if found.sizes:
        return found.sizes
    is_auto = context.sizes == "auto"
    if not (is_auto or found.width_px or found.percent):
        return context.sizes
    sizes = _sizes_in(context.column if is_auto else (), found, image)
    is_lazy = attributes.get("loading", "").lower() == "lazy"
    # Browsers read `auto` in a source only if the img has it, so it needs several files. With it,
    # the content of an image has no size, so a width that follows from the content is wrong:
    # https://html.spec.whatwg.org/multipage/images.html#sizes-attributes
    is_auto &= context.theme.has_auto_sizes and is_lazy and len(image.sources[-1].files) > 1
    if not is_auto or has_width_by_content(attributes.get("style", "")):
        return sizes
    return f"auto, {sizes}"


def _sizes_in(column: Column, found: Directive, image: PageImage) -> str:
    percent = found.percent or 100
    if column:
        return sizes_within(column, min(found.layout_size.width, image.size.width), percent)
    width = min(found.layout_size.width, image.size.width)
    if found.percent:
        width = found.width_px or round(found.layout.size.width * percent / 100)
    return f"(max-width: {round(width * 100 / percent)}px) {percent}vw, {width}px"


def _with_fragment(context: MarkupContext, fragment: str) -> MarkupContext:
    return replace(context, url_of=lambda name: f"{context.url_of(name)}{fragment}")


def relative_url(name: str, page_url: str) -> str:
    """Return the URL of a file relative to a page.

    Args:
        name: Path of the file in the site.
        page_url: URL of the page in the site as MkDocs writes it: ``guide/``,
            ``guide/index.html``, ``""`` for the root, or absolute, such as ``/404.html``.
    """
    start = posixpath.dirname(page_url.lstrip("/")) or "."
    folder, _, file = name.rstrip("/").rpartition("/")
    if not folder:
        return posixpath.relpath(name, start)
    path = _relative_path(folder, start)
    return f"{path}/{file}" if path != "." else file


@lru_cache(maxsize=16)  # all images of a page are in one folder
def _relative_path(to: str, start: str) -> str:
    return posixpath.relpath(to, start)
