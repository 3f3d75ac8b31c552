"""Files that a browser fetches for the width of an image on the page."""

from __future__ import annotations

import pytest

from tests.benchmark.readers import MAX_RATIO, MAX_WIDTHS, PAGE, fetches, themed
from tests.browser.conftest import served
from tests.support import Site

THEMES = ["material", "mkdocs", "readthedocs"]
DESKTOP, PHONE = (1440, 1), (390, 2)
BLOG = ["blog", {"imagegen": {"gateway": {"url": "sketch:"}}}]

FORMS = """\
# Page

![A](imagegen:)

![B](imagegen:)

![C](imagegen:){ width=300 }

![D](imagegen:){ width=50% }

![E](imagegen:){ style="max-width: 300px; float: right" }

![F](imagegen:){ height=200 }

![G](imagegen:){ style="width: auto; height: 300px" }

![H](imagegen:){ style="width: fit-content" .wide }

- ![I](imagegen:)

| Table |  |
|---|---|
| ![K](imagegen:) | Text |

```imagegen
caption: L
---
L
```

```imagegen
width: 40%
caption: J
dark: at night
---
J
```
"""
BOXES = """async () => {
  const shown = [...document.querySelectorAll("img.imagegen")].filter(img => img.checkVisibility());
  for (const img of shown) {
    img.scrollIntoView();
    await img.decode();
  }
  const boxes = shown.map(img => img.getBoundingClientRect());
  return boxes.map(box => [box.x, Math.round(box.y + window.scrollY), box.width, box.height]);
}"""


def hold(found, max_ratio: float = MAX_RATIO) -> None:
    """Check that each file is the smallest sharp one of a few, and not much wider than needed."""
    for each in found:
        assert each.fetched_px == each.sharp_px, each
        assert each.fetched_px <= max_ratio * each.needed_px, each
        assert len(each.widths_px) <= MAX_WIDTHS, each
    assert {each.name for each in found} == {"First", "Lazy"}


@pytest.mark.parametrize("theme", THEMES)
def test_fetched_file_is_the_smallest_sharp_one(site: Site, browser, theme) -> None:
    folder = themed(site, theme).build(strict=True).site
    hold(list(fetches(browser.new_context, folder, (DESKTOP, PHONE))))


@pytest.mark.parametrize("hide", ["navigation", "toc", "navigation, toc"])
def test_page_without_a_sidebar_fetches_a_sharp_file(site: Site, browser, hide) -> None:
    text = f"---\nhide: [{hide}]\n---\n{PAGE}"
    folder = themed(site, "material", text).build(strict=True).site
    found = list(fetches(browser.new_context, folder, (DESKTOP, (1024, 1))))
    assert max(each.shown_px for each in found) > 900
    hold(found, max_ratio=1.65)  # a further width would be encoded for these pages alone


def test_blog_post_fetches_the_smallest_sharp_file(site: Site, browser) -> None:
    themed(site, "material").config["plugins"] = BLOG
    site.write("blog/index.md", "# Blog\n")
    site.write("blog/posts/post.md", f"---\ndate: 2026-11-01\n---\n{PAGE}")
    folder = site.build(strict=True).site
    hold(list(fetches(browser.new_context, folder, [DESKTOP], "blog/2026/11/01/page/")))


@pytest.mark.parametrize("change", ["style sheet", "template", "feature"])
def test_wider_column_fetches_sharp_files(site: Site, browser, change) -> None:
    css = ".md-grid { max-width: 1400px }"
    themed(site, "material")
    if change == "style sheet":
        site.config["extra_css"] = ["wide.css"]
        site.write("wide.css", css)
    elif change == "template":
        site.config["theme"]["custom_dir"] = "overrides"
        (site.folder / "overrides").mkdir()
        (site.folder / "overrides/main.html").write_text(
            f'{{% extends "base.html" %}}{{% block styles %}}{{{{ super() }}}}<style>{css}</style>'
            "{% endblock %}"
        )
    else:
        site.config["theme"]["features"] = ["toc.integrate"]
    found = list(fetches(browser.new_context, site.build(strict=True).site, [DESKTOP]))
    assert min(each.shown_px for each in found) > 850
    assert all(each.fetched_px >= each.needed_px for each in found), found


@pytest.mark.parametrize("theme", THEMES)
def test_auto_sizes_change_no_layout(site: Site, visit, theme) -> None:
    """Browsers ignore the size of the content of an image with `sizes=auto`."""
    themed(site, theme, FORMS)
    boxes = []
    for sizes in ("auto", "100vw"):
        site.options["variants"] = {"sizes": sizes, "widths": [300, 600], "formats": ["jpeg"]}
        built = site.build(strict=True)
        assert ('sizes="auto, ' in built.page("index.html")) is (sizes == "auto")
        with served(built.site) as url:
            boxes.append(visit(url).page.evaluate(BOXES))
    assert len(boxes[0]) >= 12
    assert boxes[0] == boxes[1]
