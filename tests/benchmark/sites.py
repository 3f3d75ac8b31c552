"""Sites of the benchmark: Material, and pages of 5 KB like those of manuals, fifty per folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmark.gateway import Draw, gateway
from tests.benchmark.processes import BUILD, RunError, cost_of, mkdocs
from tests.support import Site

SECTION = """\
## A section

Some text about the subject of this page, with *emphasis*, `code` and a [link](#a-section). It goes
on for a while, as text does, so that there is something to render, to put into a page and to index.

- One thing.
- Another thing, with **more** to say.

| Name | Meaning |
|------|---------|
| one  | the first |
| two  | the second |

```python
for number in range(10):
    print(number)
```

"""
TEXT = SECTION * 10
CONCURRENCY = 16
_PAGES_IN_A_FOLDER = 50
_MATERIAL = {"name": "material", "font": False, "features": ["navigation.prune"]}
_BARE_PAGE = "<!doctype html><title>{{ page.title }}</title>{{ page.content }}\n"
SHOWN = "assets/imagegen"
DERIVED = ".cache/plugin/imagegen/derived"

TINY: dict[str, Any] = {"gateway": {"url": "sketch:"}, "variants": {"widths": [32]}}
"""Options for small images: the emulator in process, and two widths of each image."""

Extra = Callable[[int], str]
"""Function that returns the end of a page by its number."""


def no_text(_number: int) -> str:
    """Return no text."""
    return ""


def prompt(number: int) -> str:
    """Return one image block."""
    return f"```imagegen\nPicture number {number} of the benchmark\n```\n"


def tiny_prompt(number: int) -> str:
    """Return a block with a small image, for a site with the options ``TINY``."""
    return f"```imagegen\nsize: 96x64\n---\nPicture number {number} of the benchmark\n```\n"


def site_of(
    folder: Path, pages: int, extra: Extra = no_text, *, text: str = TEXT, bare: bool = False
) -> Site:
    """Create a site without the plugin.

    Args:
        folder: Folder of the site, which does not exist.
        pages: Number of pages.
        extra: Function that returns the end of each page.
        text: Text of all pages.
        bare: True for a template of one line instead of Material.
    """
    site = Site(folder)
    site.config |= {"theme": _bare(folder) if bare else _MATERIAL, "plugins": ["search"]}
    for number in range(pages):
        site.write(page_of(number), f"# Page {number}\n\n{text}{extra(number)}")
    site.write("index.md", f"# Home\n\n{text}")
    site.save()
    return site


def _bare(folder: Path) -> dict[str, Any]:
    theme = folder / "theme"
    theme.mkdir(parents=True)
    (theme / "main.html").write_text(_BARE_PAGE)
    return {"name": None, "custom_dir": str(theme)}


def page_of(number: int) -> str:
    """Return the path of a page."""
    return f"part{number // _PAGES_IN_A_FOLDER:03}/page{number:05}.md"


def add_plugin(site: Site, **options: object) -> Site:
    """Add the plugin to a site."""
    budget = {"images": None, "usd": None}
    ours = {"imagegen": {"budget": budget, "concurrency": CONCURRENCY, **options}}
    site.config["plugins"] = [*site.config["plugins"], ours]
    site.save()
    return site


def fill(site: Site, images: int, draw: Draw | None = None, **more: str) -> None:
    """Generate all images of a site in one build; later builds generate none.

    Args:
        site: Site with the plugin.
        images: Number of its images.
        draw: Function that returns each image.
        more: Options of the gateway.

    Raises:
        RunError: If an image is missing in a second build.
    """
    with gateway(draw) as address:
        site.options.setdefault("gateway", address | more)
        site.save()
        cost_of(BUILD, site.folder)
    site.options["generate"] = False
    site.save()
    cost_of(mkdocs("build", "--strict"), site.folder)  # with --quiet it is not strict
    check_shown(site, images)


def check_shown(site: Site, images: int) -> int:
    """Return the number of image files that a built site shows.

    Raises:
        RunError: If it shows another number of images.
    """
    files = [path.name for path in (site.folder / "site" / SHOWN).glob("*")]
    files = [name for name in files if not name.endswith(".css")]
    shown = {name.partition("-")[0] for name in files}
    if len(shown) != images:
        raise RunError(f"{site.folder} shows {len(shown)} images, not {images}")
    return len(files)
