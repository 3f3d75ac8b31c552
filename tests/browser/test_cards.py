"""Page cards in a browser: three themes, narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import served
from tests.support import Site
from tests.tools import skip_or_fail

PALETTE = [
    {"media": f"(prefers-color-scheme: {name})", "scheme": scheme}
    for name, scheme in (("light", "default"), ("dark", "slate"))
]
THEMES = {
    "material": {"name": "material", "font": False, "palette": PALETTE},
    "mkdocs": {"name": "mkdocs", "color_mode": "auto"},
    "readthedocs": {"name": "readthedocs"},
}
LIST = "# Home\n\nA [link](a.md).\n\n```imagegen-cards\n*.md\n```\n\n1. Item\n\n{indented}\n\nEnd\n"
NESTED = "    ```imagegen-cards\n    *.md\n    ```"
LONG = "mkdocs_imagegen.pipeline.a_module_with_a_name_that_is_longer_than_any_card_is_wide"

_STYLES = """selector => [...document.querySelectorAll(`ul.imagegen-cards ${selector}`)].map(e => {
  const {marginTop, marginLeft, padding, borderTopWidth, boxShadow, textDecorationLine,
    display, objectFit} = getComputedStyle(e);
  const inner = e.getBoundingClientRect(), outer = e.parentElement.getBoundingClientRect();
  return {marginTop, marginLeft, padding, borderTopWidth, boxShadow, textDecorationLine,
    display, objectFit, size: [inner.width, inner.height], cut: e.scrollWidth > e.clientWidth,
    place: [inner.x - outer.x, inner.y - outer.y]};
})"""


@pytest.fixture(params=THEMES)
def url(site: Site, request) -> Iterator[str]:
    """Serve a site with cards: with previews of three sizes, and without one."""
    site.config["theme"] = THEMES[request.param]
    site.config["site_url"] = "https://example.org/"
    site.config["markdown_extensions"] = ["pymdownx.superfences"]
    site.write("index.md", LIST.format(indented=NESTED))
    for name, size in (("a", "1536x1024"), ("b", "1024x1536"), ("c", "1024x1024")):
        preview = f"imagegen:\n  preview: {{prompt: A boat, size: {size}}}"
        site.write(
            f"{name}.md", f"---\ndescription: About {name}.\n{preview}\n---\n# Page {name}\n"
        )
    site.write("d.md", f"---\ndescription: Plain.\n---\n# {LONG}\n")
    with served(site.build(strict=True).site) as address:
        yield address


@pytest.mark.parametrize("width", [390, 1440])
def test_cards_inherit_no_boxes_of_the_theme(visit, url, width) -> None:
    visited = visit(url, width=width)
    visited.read_to_the_end()

    def styles(selector: str) -> list[dict]:
        return visited.page.evaluate(_STYLES, selector)

    images, tiles = styles("img"), styles(".imagegen-cards-picture")
    assert (len(images), len(tiles)) == (6, 8)
    for image in images:
        assert (image["marginTop"], image["padding"], image["borderTopWidth"]) == ("0px",) * 3
        assert (image["boxShadow"], image["objectFit"]) == ("none", "cover")
        assert image["place"] == [0, 0]
    for tile in tiles:
        assert tile["size"][0] / tile["size"][1] == pytest.approx(16 / 9, rel=0.02)
        assert tile["place"] == [1, 1]  # the border of the card
    assert {tuple(tile["size"]) for tile in tiles} >= {tuple(image["size"]) for image in images}
    for link in styles("a"):
        assert (link["textDecorationLine"], link["marginTop"]) == ("none", "0px")
    for card in styles("> li"):
        assert card["display"] == "flex"  # without a bullet
        assert (card["marginLeft"], card["marginTop"]) == ("0px", "0px")
        assert not card["cut"]
        assert card["size"][0] <= width
    assert visited.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_fault_in_cards(visit, url, dark) -> None:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        skip_or_fail("axe-playwright-python is not installed")
    visited = visit(url, dark=dark)
    visited.read_to_the_end()
    found = Axe().run(visited.page, {"include": [[".imagegen-cards"]]}).response
    assert found["violations"] == []
    assert {"color-contrast", "link-name"} <= {rule["id"] for rule in found["passes"]}
