"""The final HTML of an image; pure."""

from __future__ import annotations

import html
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from mkdocs_imagegen.directives.directive import Directive, ParsedDirective
from mkdocs_imagegen.directives.marker import as_tag, attributes_of
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import ImageSource, PageImage

_FITS_ITS_COLUMN = "max-width:100%;height:auto"
"""Not every theme says so itself: MkDocs' own would squeeze an image that has a height."""

_BADGE = (
    '<span style="display:inline-block;position:relative;max-width:100%">{0}'
    '<small style="position:absolute;right:.5em;bottom:.75em;padding:.1em .5em;border-radius:.3em;'
    'background:rgba(0,0,0,.6);color:#fff;font-size:.7em;line-height:1.6">{1}</small></span>'
)


@dataclass(frozen=True, slots=True)
class MarkupContext:
    """What surrounds an image on its page.

    Attributes:
        url_of: Return the URL of a file relative to the page, from its path in the site.
        is_first: whether it is the page's first image, which a reader waits for.
        follows_palette: whether the theme hides what ends in ``#only-dark`` or ``#only-light``
            (Material does), and not the reader's system decides.
        badge: the words laid over the image; ``""`` for none.
    """

    url_of: Callable[[str], str]
    is_first: bool = False
    follows_palette: bool = False
    badge: str = ""


def image_markup(
    found: ParsedDirective, image: PageImage, dark: PageImage | None, context: MarkupContext
) -> str:
    """The HTML of an image; what the author wrote for it wins over our habits."""
    if dark is None:
        markup = _one(found, image, context)
    elif context.follows_palette:
        markup = _one(found, image, _ending(context, "#only-light"))
        markup += _one(found, dark, replace(_ending(context, "#only-dark"), is_first=False))
    else:
        markup = _pair(found, image, dark, context)
    return _BADGE.format(markup, html.escape(context.badge)) if context.badge else markup


def _one(found: ParsedDirective, image: PageImage, context: MarkupContext) -> str:
    sizes = _sizes(found, image)
    sources = [_source(each, sizes, context, "") for each in image.sources[:-1]]
    return _in_image(sources, _img(found, image, sizes, context))


def _pair(found: ParsedDirective, image: PageImage, dark: PageImage, context: MarkupContext) -> str:
    image = replace(image, blur="")  # it would shine in the dark until the other has come
    sizes = _sizes(found, image)
    media = "(prefers-color-scheme: dark)"
    sources = [_source(each, sizes, context, media) for each in dark.sources]
    sources += [_source(each, sizes, context, "") for each in image.sources[:-1]]
    return _in_image(sources, _img(found, image, sizes, context))


def _in_image(sources: list[str], img: str) -> str:
    return f"<picture>{''.join(sources)}{img}</picture>" if sources else img


def _img(found: ParsedDirective, image: PageImage, sizes: str, context: MarkupContext) -> str:
    attributes = attributes_of(found, context.url_of(image.name))
    if len(image.sources[-1].files) > 1:
        attributes |= {"srcset": _srcset(image.sources[-1], context), "sizes": sizes}
    # Only behind the image itself: MkDocs' own theme puts a frame around images.
    blur = f"background:url({image.blur}) center/cover content-box" if image.blur else ""
    style = ";".join(filter(None, (_FITS_ITS_COLUMN, blur, attributes.get("style"))))
    loading = {"fetchpriority": "high"} if context.is_first else {"loading": "lazy"}
    if "loading" in attributes or "fetchpriority" in attributes:
        loading = {}
    return as_tag(attributes | {"style": style} | loading | _unless_said(attributes))


def _unless_said(attributes: Mapping[str, str]) -> dict[str, str]:
    return {} if "decoding" in attributes else {"decoding": "async"}


def _source(source: ImageSource, sizes: str, context: MarkupContext, media: str) -> str:
    attributes = {"type": source.mime, "srcset": _srcset(source, context), "sizes": sizes}
    attributes |= {"media": media} if media else {}
    pairs = (f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<source {' '.join(pairs)}>"


def _srcset(source: ImageSource, context: MarkupContext) -> str:
    return ", ".join(f"{context.url_of(name)} {width}w" for name, width in source.files)


def _sizes(found: ParsedDirective, image: PageImage) -> str:
    said = found.sizes if isinstance(found, Directive) else ""
    width = min(found.layout_size.width, image.size.width)
    return said or f"(max-width: {width}px) 100vw, {width}px"


def _ending(context: MarkupContext, fragment: str) -> MarkupContext:
    return replace(context, url_of=lambda name: f"{context.url_of(name)}{fragment}")


def relative_url(name: str, page_url: str) -> str:
    """The address of a file, relative to the page that shows it.

    Args:
        name: the file's path below the site's root.
        page_url: the page's address below the site's root, as MkDocs gives it: ``guide/``,
            ``guide/index.html``, ``""`` for the root, or absolute (``/404.html``).
    """
    start = posixpath.dirname(page_url.lstrip("/")) or "."
    folder, _, file = name.rstrip("/").rpartition("/")
    if not folder:
        return posixpath.relpath(name, start)
    way = _way(folder, start)
    return f"{way}/{file}" if way != "." else file


@lru_cache(maxsize=16)  # a page has all its images from one folder
def _way(to: str, start: str) -> str:
    return posixpath.relpath(to, start)
