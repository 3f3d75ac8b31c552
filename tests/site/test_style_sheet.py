"""The style sheet in built sites."""

from __future__ import annotations

import re

import pytest

from mkdocs_imagegen.pages.style_sheets import SHEET, SHEET_NAME
from tests.serving import serving
from tests.support import Built, Site

THEMES = {"mkdocs": "mkdocs", "readthedocs": "readthedocs", "material": {"name": "material"}}
IMAGE = "# Page\n\n![A cat](imagegen:){ width=50% }\n"
_LINK = re.compile(r'<link rel="stylesheet" href="([^"]*/imagegen/main\.[^"]*)">')


def linked(built: Built, page: str) -> list[bytes]:
    """Return the style sheets of the plugin that the head of a page links."""
    head = built.page(page).partition("</head>")[0]
    folder = (built.site / page).parent
    return [(folder / each).resolve().read_bytes() for each in _LINK.findall(head)]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("directory_urls", [True, False])
def test_page_with_an_image_links_the_style_sheet_at_every_depth(
    site: Site, theme: str, directory_urls: bool
) -> None:
    site.config |= {"theme": THEMES[theme], "use_directory_urls": directory_urls}
    for name in ("index.md", "guide.md", "a/b/deep page.md"):
        site.write(name, IMAGE)
    site.write("plain.md", "# Page\n\nWords about `class=imagegen`.\n")
    built = site.build(strict=True)
    pages = [name for name in built.files() if name.endswith(".html") and "404" not in name]
    found = {page: linked(built, page) for page in pages if "search" not in page}
    plain = "plain/index.html" if directory_urls else "plain.html"
    assert found.pop(plain) == []
    assert [sheets[0] for sheets in found.values()] == [SHEET] * 3
    assert all(b"data:image/webp" in sheets[1] for sheets in found.values())
    sheets = {name for name in built.files() if name.endswith(".css") and "imagegen/" in name}
    assert len(sheets - {SHEET_NAME}) == 1  # of the same image on all pages


def test_no_style_is_in_html(site: Site) -> None:
    site.options.update(variants={}, disclosure="badge")
    site.write("a.md", "---\nimagegen: {preview: A dog}\n---\n# A\n")
    fence = "```imagegen\ndark: at night\ncaption: Up\n---\nA cat\n```\n"
    mistake = "![A](imagegen:){ widht=3 }\n"
    site.write("index.md", f"{IMAGE}\n{fence}\n{mistake}\n```imagegen-cards\na.md\n```\n")
    page = site.build().page("index.html")
    assert page.count("<img ") == 4
    assert page.count("imagegen-badge") == 4
    main = page.partition('role="main"')[2].partition("</ul>")[0]
    assert "imagegen-cards" in main
    assert " style=" not in main
    assert "<style" not in page
    assert "data:" not in main


def test_page_without_images_is_the_same_as_without_the_plugin(site: Site) -> None:
    site.write("index.md", "# Page\n\n[Other](other.md)\n")
    site.write("other.md", "# Page\n\n`class=imagegen`, ![x](x.png)\n")
    site.write("x.png", "")
    site.write("images.md", IMAGE)
    with_plugin = site.build().files()
    site.config["plugins"] = []
    without = site.build().files()
    for page in ("index.html", "other/index.html"):
        assert with_plugin[page] == without[page]


def test_site_without_images_has_no_style_sheet(site: Site) -> None:
    site.write("index.md", "# Page\n")
    assert SHEET_NAME not in site.build().files()


def test_server_has_the_style_sheet(site: Site) -> None:
    site.write("index.md", IMAGE)
    with serving(site) as server:
        server.wait_for_builds(1)
        assert SHEET_NAME in server.get()
        assert server.get(SHEET_NAME) == SHEET.decode()
