"""One small site with every feature, and what its readers see, whichever generator built it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image

SITE_URL = "https://example.org/docs/"

OPTIONS = """\
gateway: {url: "sketch:"}
size: 400x200
variants: {widths: [200], formats: [webp, jpeg]}
prompts: {harbor: {prompt: A harbor at dawn, alt: The harbor, size: 320x240}}
previews: {default: "A still life about {title}.", exclude: [index.md], position: top}
"""
"""The options of the plugin, as YAML."""

PAGES = {
    "index.md": """\
---
description: Where everything begins
imagegen:
  preview: A lighthouse in a storm
---
# Home

```imagegen
id: balloon
alt: A balloon
size: 400x300
---
A red balloon on a wooden table.
```

Text with ![A green kite](imagegen:){ width=100 } in it.

![A quay](imagegen:){ dark="at night" }

![The port](imagegen:harbor)

1.  An item of a list:

    ```imagegen
    alt: A bottle
    ---
    A glass bottle
    ```

```imagegen-cards
guide/**
```
""",
    "guide/index.md": """\
---
description: The first steps
---
# Guide

```imagegen
reference: ../index.md#balloon
---
The same balloon in the rain.
```

[Home](../index.md), [details](details.md)
""",
    "guide/details.md": """\
---
imagegen:
  preview: {prompt: A drawer of screws, alt: ""}
---
# Details

![A screw](imagegen:){ size=200x200 }
""",
}
"""The pages, by their path in the docs folder."""

EXTENSIONS = "[attr_list, pymdownx.superfences]"


def write_site(
    folder: Path, config_file: str = "mkdocs.yml", theme: str = "material", options: str = OPTIONS
) -> Path:
    """Write the site with the plugin for a generator that has plugins; return its configuration."""
    write_pages(folder)
    indented = "".join(f"      {line}\n" for line in options.splitlines())
    path = folder / config_file
    path.write_text(
        f"site_name: A site\nsite_url: {SITE_URL}\ntheme: {{name: {theme}}}\n"
        f"markdown_extensions: {EXTENSIONS}\nplugins:\n  - search\n  - imagegen:\n{indented}"
    )
    return path


def write_pages(folder: Path) -> None:
    """Write the pages of the site into the docs folder."""
    for name, text in PAGES.items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@dataclass(frozen=True)
class File:
    """A file of an image: its color scheme, format and size in pixels."""

    scheme: str
    format: str
    size: tuple[int, int]


@dataclass(frozen=True)
class Shown:
    """An image as readers see it, without file names and markup.

    Attributes:
        alt: Alternative text.
        layout: Width and height on the page.
        files: Files among which browsers choose.
    """

    alt: str | None
    layout: tuple[str | None, str | None]
    files: frozenset[File]


@dataclass
class ShownPage:
    """Images and local addresses of a built page.

    Attributes:
        images: Images of the plugin, in order.
        card: Size of the social card in pixels; None without one.
        broken: Local addresses without a file.
        text: Text of the page.
        style_sheets: Number of links to the style sheet of the plugin.
    """

    images: list[Shown] = field(default_factory=list)
    card: tuple[int, int] | None = None
    broken: list[str] = field(default_factory=list)
    text: str = ""
    style_sheets: int = 0


def read_site(site: Path) -> dict[str, ShownPage]:
    """Return the pages of a built site that come from the sources, by their URL."""
    return {name: read_page(site, site / name / "index.html") for name in ("", "guide", *_DETAILS)}


_DETAILS = ("guide/details",)


def broken_references(site: Path) -> list[str]:
    """Return each local address without a file, in all pages of a built site."""
    return [
        f"{file.relative_to(site)}: {address}"
        for file in sorted(site.rglob("*.html"))
        for address in read_page(site, file).broken
    ]


def read_page(site: Path, file: Path) -> ShownPage:
    """Return what a built page shows."""
    page = ShownPage()
    reader = _Reader()
    reader.feed(file.read_text("utf-8"))
    page.text = " ".join(" ".join(reader.text).split())
    page.style_sheets = sum("assets/imagegen/main." in each for each in reader.addresses)
    for address in reader.addresses:
        path = _path_of(address, site, file)
        if path is not None and not path.is_file():
            page.broken.append(address)
    for tag, sources in reader.images:
        files = frozenset(_files(tag, sources, site, file))
        shown = Shown(tag.get("alt"), (tag.get("width"), tag.get("height")), files)
        before = page.images[-1] if page.images else None
        if files and {each.scheme for each in files} == {"dark"} and before:
            # Material shows one of two elements, other themes one element with two files.
            page.images[-1] = Shown(before.alt, before.layout, before.files | files)
        elif files:
            page.images.append(shown)
    if reader.card:
        path = _path_of(reader.card, site, file)
        assert path is not None, reader.card
        with Image.open(path) as image:
            page.card = image.size
    return page


def _files(
    tag: Mapping[str, str | None], sources: list[Mapping[str, str | None]], site: Path, file: Path
) -> Iterator[File]:
    for element in (tag, *sources):
        scheme = "dark" if "dark" in (element.get("media") or "") else ""
        for address in _addresses(element):
            path = _path_of(address, site, file)
            if "assets/imagegen/" not in address or path is None or not path.is_file():
                continue
            if path.suffix == ".svg":  # a placeholder
                continue
            is_dark = scheme or (address.endswith("#only-dark") and "dark") or ""
            with Image.open(path) as image:
                yield File(is_dark, image.format or "", image.size)


def _addresses(attributes: Mapping[str, str | None]) -> list[str]:
    names = [attributes.get("src"), attributes.get("href")]
    srcset = re.split(r",\s+", attributes.get("srcset") or "")
    return [each for each in names if each] + [each.split()[0] for each in srcset if each.split()]


def _path_of(address: str, site: Path, file: Path) -> Path | None:
    """Return the file that an address means; None for addresses elsewhere and of this page."""
    base = file.parent
    if address.startswith(SITE_URL):
        base, address = site, address.removeprefix(SITE_URL) or "."
    parts = urlsplit(address)
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or not path:
        return None
    if path.startswith("/"):  # in the page for errors
        base, path = site, path.removeprefix(urlsplit(SITE_URL).path)
    found = base / path
    return found / "index.html" if found.is_dir() else found


class _Reader(HTMLParser):
    """Reader of images, addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[tuple[Mapping[str, str | None], list[Mapping[str, str | None]]]] = []
        self.addresses: list[str] = []
        self.card = ""
        self.text: list[str] = []
        self._sources: list[Mapping[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "meta" and given.get("property") == "og:image":
            self.card = given.get("content") or ""
            self.addresses.append(self.card)
        if tag == "link" and given.get("rel") in ("canonical", "preconnect", "edit"):
            return
        self.addresses += _addresses(given)
        if tag == "source":
            self._sources.append(given)
        elif tag == "img":
            self.images.append((given, self._sources))
            self._sources = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)
