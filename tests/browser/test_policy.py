"""Sites with a content security policy that forbids inline styles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import served
from tests.support import Site

STRICT = "default-src 'self'"
POLICY = f"{STRICT}; img-src 'self' data:"
PLAIN = """\
<!doctype html>
<html lang="en">
<head><title>{{ page.title }}</title></head>
<body>{{ page.content }}</body>
</html>
"""
"""A theme without inline scripts and styles, and without rules for images."""

THEMES = {
    "plain": {"name": None, "custom_dir": "theme"},
    "mkdocs": {"name": "mkdocs", "highlightjs": False},
    "readthedocs": {"name": "readthedocs", "highlightjs": False},
}
PAGE = """\
# Page

![Inline](imagegen:)

![Half](imagegen:){ width=50% }

![Small](imagegen:){ width=200 }

```imagegen
caption: A caption
dark: at night
---
A harbour
```

![Mistake](imagegen:){ widht=3 }

```imagegen-cards
other.md
```
"""
WORDS = "# Page\n\nWords.\n"

_NOTE = """
window.violations = [];
addEventListener("securitypolicyviolation", event => window.violations.push(
  `${event.effectiveDirective}: ${event.blockedURI} in line ${event.lineNumber}`));
"""
_BOXES = """() => [...document.querySelectorAll("[class^=imagegen], .imagegen-badge > small")]
  .map(element => {
    const {x, y, width, height} = element.getBoundingClientRect();
    return {tag: element.localName, names: element.className, x, y, width, height};
  })"""
_COLUMN = "document.querySelector('img.imagegen').closest('p').getBoundingClientRect().width"


def build(site: Site, theme: str, folder: Path, *, page: str = PAGE) -> Path:
    site.config["theme"] = THEMES[theme]
    (site.folder / "theme").mkdir(exist_ok=True)
    (site.folder / "theme/main.html").write_text(PLAIN)
    site.write("index.md", page)
    site.write("deep/er/page.md", page)
    site.write("other.md", "---\nimagegen: {preview: A dog}\n---\n# Other\n")
    return site.build(site_dir=str(folder)).site


@pytest.fixture
def badges(site: Site) -> Site:
    site.options.update(disclosure="badge", variants={})
    return site


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("page", ["", "deep/er/page/"])
def test_page_violates_no_policy(badges: Site, visit, tmp_path: Path, theme, page) -> None:
    images = build(badges, theme, tmp_path / "images")
    words = build(badges, theme, tmp_path / "words", page=WORDS)
    with served(images, POLICY) as url, served(words, POLICY) as words_url:
        visited = visit(url + page, change=_NOTE)
        visited.read_to_the_end()
        assert all(each["decoded"] for each in visited.images())
        assert visited.failures == []
        theirs = visit(words_url + page, change=_NOTE)
        assert violations(visited) == violations(theirs)
    if theme == "plain":
        assert violations(visited) == []


def violations(visited) -> list[str]:
    """Return the violations without their lines, of which those of a theme are the same."""
    found = visited.page.evaluate("window.violations")
    return sorted(each.partition(" in line")[0] for each in found)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", [390, 1440])
def test_layout_is_right_under_a_policy(badges: Site, visit, tmp_path: Path, theme, width) -> None:
    with served(build(badges, theme, tmp_path / "site"), POLICY) as url:
        visited = visit(url, width=width)
        visited.read_to_the_end()
        boxes = visited.page.evaluate(_BOXES)
        column = visited.page.evaluate(_COLUMN)
        if theme == "plain":  # others shift when their fonts arrive
            assert visited.layout_shifts() == []
        assert visited.page.evaluate("document.documentElement.scrollWidth") <= width
    images = [each for each in boxes if each["tag"] == "img"]
    inline, half, small, *_, mistake, card = images
    for each in (inline, half, small, mistake):
        # With the frame of MkDocs' theme.
        assert each["width"] / each["height"] == pytest.approx(1.5, rel=0.04)
        assert each["width"] <= column
    assert half["width"] == pytest.approx(column / 2, abs=1)
    assert small["width"] == 200
    assert card["width"] / card["height"] == pytest.approx(16 / 9, rel=0.02)
    labels = [each for each in boxes if each["tag"] == "small"]
    assert len(labels) == len(images)
    for label, image in zip(labels, images, strict=True):
        ends = [each["x"] + each["width"] for each in (label, image)]
        feet = [each["y"] + each["height"] for each in (label, image)]
        assert 0 < ends[1] - ends[0] < 30, image
        assert 0 <= feet[1] - feet[0] < 30, image


@pytest.mark.parametrize("policy", [POLICY, STRICT])
def test_layout_does_not_need_the_blur(site: Site, visit, tmp_path: Path, policy: str) -> None:
    site.options["variants"] = {}
    with served(build(site, "plain", tmp_path / "site"), policy) as url:
        visited = visit(url, change=_NOTE)
        visited.read_to_the_end()
        kinds = {each.partition(":")[0] for each in violations(visited)}
        assert kinds == (set() if policy == POLICY else {"img-src"})
        assert visited.images()[0]["drawn"] == pytest.approx(1.5, rel=0.02)
        assert visited.layout_shifts() == []
