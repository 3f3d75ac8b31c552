"""The final HTML of an image; pure."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import replace

from mkdocs_imagegen.directives.directive import Directive, Found
from mkdocs_imagegen.directives.marker import as_tag, attributes_of
from mkdocs_imagegen.frozen import dataclass
from mkdocs_imagegen.imaging.image import PageImage, Source

_FITS_ITS_COLUMN = "max-width:100%;height:auto"
"""Not every theme says so itself: MkDocs' own would squeeze an image that has a height."""

_BADGE = (
    '<span style="display:inline-block;position:relative;max-width:100%">{0}'
    '<small style="position:absolute;right:.5em;bottom:.75em;padding:.1em .5em;border-radius:.3em;'
    'background:rgba(0,0,0,.6);color:#fff;font-size:.7em;line-height:1.6">{1}</small></span>'
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds an image on its page.

    Attributes:
        address: the address of a file as seen from the page, from its path in the site.
        comes_first: whether it is the page's first image, which a reader waits for.
        follows_palette: whether the theme hides what ends in ``#only-dark`` or ``#only-light``
            (Material does), and not the reader's system decides.
        badge: the words laid over the image; ``""`` for none.
    """

    address: Callable[[str], str]
    comes_first: bool = False
    follows_palette: bool = False
    badge: str = ""


def image_markup(found: Found, image: PageImage, dark: PageImage | None, frame: Frame) -> str:
    """The HTML of an image; what the author wrote for it wins over our habits."""
    if dark is None:
        quoted_value = _one(found, image, frame)
    elif frame.follows_palette:
        quoted_value = _one(found, image, _ending(frame, "#only-light"))
        quoted_value += _one(found, dark, replace(_ending(frame, "#only-dark"), comes_first=False))
    else:
        quoted_value = _pair(found, image, dark, frame)
    return _BADGE.format(quoted_value, html.escape(frame.badge)) if frame.badge else quoted_value


def _one(found: Found, image: PageImage, frame: Frame) -> str:
    sizes = _sizes(found, image)
    sources = [_source(each, sizes, frame, "") for each in image.sources[:-1]]
    return _in_image(sources, _img(found, image, sizes, frame))


def _pair(found: Found, image: PageImage, dark: PageImage, frame: Frame) -> str:
    image = replace(image, blur="")  # it would shine in the dark until the other has come
    sizes = _sizes(found, image)
    media = "(prefers-color-scheme: dark)"
    sources = [_source(each, sizes, frame, media) for each in dark.sources]
    sources += [_source(each, sizes, frame, "") for each in image.sources[:-1]]
    return _in_image(sources, _img(found, image, sizes, frame))


def _in_image(sources: list[str], img: str) -> str:
    return f"<picture>{''.join(sources)}{img}</picture>" if sources else img


def _img(found: Found, image: PageImage, sizes: str, frame: Frame) -> str:
    attributes = attributes_of(found, frame.address(image.name))
    if len(image.sources[-1].files) > 1:
        attributes |= {"srcset": _srcset(image.sources[-1], frame), "sizes": sizes}
    # Only behind the image itself: MkDocs' own theme puts a frame around images.
    blur = f"background:url({image.blur}) center/cover content-box" if image.blur else ""
    style = ";".join(filter(None, (_FITS_ITS_COLUMN, blur, attributes.get("style"))))
    loading = {"fetchpriority": "high"} if frame.comes_first else {"loading": "lazy"}
    if "loading" in attributes or "fetchpriority" in attributes:
        loading = {}
    return as_tag(attributes | {"style": style} | loading | _unless_said(attributes))


def _unless_said(attributes: Mapping[str, str]) -> dict[str, str]:
    return {} if "decoding" in attributes else {"decoding": "async"}


def _source(source: Source, sizes: str, frame: Frame, media: str) -> str:
    attributes = {"type": source.mime, "srcset": _srcset(source, frame), "sizes": sizes}
    attributes |= {"media": media} if media else {}
    pairs = (f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<source {' '.join(pairs)}>"


def _srcset(source: Source, frame: Frame) -> str:
    return ", ".join(f"{frame.address(name)} {width}w" for name, width in source.files)


def _sizes(found: Found, image: PageImage) -> str:
    said = found.sizes if isinstance(found, Directive) else ""
    width = min(found.layout_size.width, image.size.width)
    return said or f"(max-width: {width}px) 100vw, {width}px"


def _ending(frame: Frame, fragment: str) -> Frame:
    return replace(frame, address=lambda name: f"{frame.address(name)}{fragment}")
