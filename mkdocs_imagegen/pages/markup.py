"""HTML of an image, and relative URLs; pure."""

from __future__ import annotations

import html
import posixpath
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from mkdocs_imagegen.directives.directive import WIDTH_CLASS, Directive, ParsedDirective
from mkdocs_imagegen.directives.marker import as_tag, attributes_of
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import ImageSource, PageImage
from mkdocs_imagegen.pages.style_sheets import blur_class, crop_class


@dataclass(frozen=True, slots=True)
class MarkupContext:
    """Properties of a page for the markup of its images.

    Attributes:
        url_of: Function from a path in the site to the URL relative to the page.
        is_first: True for the first image of the page, which is not loaded lazily.
        follows_palette: True if the theme hides URLs with the fragment ``#only-dark`` or
            ``#only-light``, as Material for MkDocs does; else the color scheme of the system
            decides.
        badge: Text on top of the image; ``""`` for an image without one.
    """

    url_of: Callable[[str], str]
    is_first: bool = False
    follows_palette: bool = False
    badge: str = ""


def image_markup(
    found: ParsedDirective, image: PageImage, dark: PageImage | None, context: MarkupContext
) -> str:
    """Return the HTML of an image; attributes that the author set take precedence."""
    if dark is None:
        markup = _picture(found, image, context)
    elif context.follows_palette:
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
    sizes = _sizes(found, image)
    media = "(prefers-color-scheme: dark)"
    sources = [_source(each, sizes, context, media) for each in dark.sources] if dark else []
    sources += [_source(each, sizes, context, "") for each in image.sources[:-1]]
    img = _img(found, image, sizes, context)
    return f"<picture>{''.join(sources)}{img}</picture>" if sources else img


def _img(found: ParsedDirective, image: PageImage, sizes: str, context: MarkupContext) -> str:
    own = attributes_of(found, context.url_of(image.name))
    classes = ("imagegen", own.pop("class", ""), blur_class(image.blur), crop_class(image.crop))
    attributes = {"class": " ".join(filter(None, classes)), **own}
    if len(image.sources[-1].files) > 1:
        attributes |= {"srcset": _srcset(image.sources[-1], context), "sizes": sizes}
    loading = {"fetchpriority": "high"} if context.is_first else {"loading": "lazy"}
    if "loading" in attributes or "fetchpriority" in attributes:
        loading = {}
    decoding = {} if "decoding" in attributes else {"decoding": "async"}
    return as_tag(attributes | loading | decoding)


def _source(source: ImageSource, sizes: str, context: MarkupContext, media: str) -> str:
    attributes = {"type": source.mime, "srcset": _srcset(source, context), "sizes": sizes}
    attributes |= {"media": media} if media else {}
    pairs = (f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<source {' '.join(pairs)}>"


def _srcset(source: ImageSource, context: MarkupContext) -> str:
    return ", ".join(f"{context.url_of(name)} {width}w" for name, width in source.files)


def _sizes(found: ParsedDirective, image: PageImage) -> str:
    sizes = found.sizes if isinstance(found, Directive) else ""
    width = min(found.layout_size.width, image.size.width)
    return sizes or f"(max-width: {width}px) 100vw, {width}px"


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
