"""Small sites in a browser: sizes, color schemes, loading, instant navigation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.conftest import served
from tests.browser.visits import Visit
from tests.support import Site

DARK = "```imagegen\ndark: at night\nalt: A harbour\n---\nA harbour\n```\n"
FAR = "\n\n".join(["Words."] * 400)
THEMES = ["mkdocs", "material"]


def themed(site: Site, theme: str) -> Site:
    """Return the site with a theme and the default variants."""
    del site.options["variants"]
    site.config["theme"] = {"name": theme, "font": False} if theme == "material" else theme
    if theme == "material":
        site.config["theme"]["palette"] = [
            {"scheme": "default", "toggle": {"icon": "material/weather-night", "name": "Dark"}},
            {"scheme": "slate", "toggle": {"icon": "material/weather-sunny", "name": "Light"}},
        ]
    site.config["site_url"] = ""
    return site


@pytest.mark.parametrize(
    ("theme", "width", "fetched"),
    [
        ("mkdocs", 390, 480),
        ("mkdocs", 1440, 1120),
        ("material", 390, 480),
        ("material", 1440, 760),
    ],
)
def test_small_screens_fetch_the_small_file(site, visit, theme, width, fetched) -> None:
    themed(site, theme).write("index.md", "# Page\n\n```imagegen\nA harbour\n```\n\nText below.\n")
    with served(site.build(strict=True).site) as url:
        visited = visit(url, width=width)
        visited.read_to_the_end()
    assert visited.widths == {fetched}
    assert [name.rpartition(".")[2] for name in visited.files] == ["avif"]
    assert visited.layout_shifts() == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_first_image_has_priority_and_the_others_are_lazy(site, visit, theme) -> None:
    images = "\n\n".join(f"{FAR}\n\n![Number {number}](imagegen:)" for number in range(3))
    themed(site, theme).write("index.md", f"# Page\n\n![First](imagegen:)\n\n{images}\n")
    with served(site.build(strict=True).site) as url:
        visited = visit(url)
        visited.wait_for_first_image()
        first, *others = visited.images()
        assert first["loading"] != "lazy"
        assert (first["priority"], first["decoded"]) == ("high", True)
        assert {(each["loading"], each["priority"]) for each in others} == {("lazy", "auto")}
        assert len(visited.files) == 1
        visited.read_to_the_end()
        assert all(each["decoded"] for each in visited.images())
    assert visited.layout_shifts() == []


def digests(site: Site) -> list[str]:
    """Return the first digits of the file names of the light and the dark image."""
    records = map(json.loads, (path.read_text() for path in site.originals.rglob("*.json")))
    return [each["sha256"][:16] for each in sorted(records, key=lambda each: each["prompt"])]


def drawn(visited) -> set[str]:
    """Return the first digits of the names of all visible files."""
    shown = [each["shown"] for each in visited.images() if each["visible"] and each["decoded"]]
    return {each.rpartition("/")[2][:16] for each in shown}


@pytest.mark.parametrize("dark", [False, True])
def test_the_system_selects_the_image_in_a_theme_without_palette(site, visit, dark) -> None:
    themed(site, "mkdocs").write("index.md", f"# Page\n\n{FAR}\n\n{DARK}")
    with served(site.build(strict=True).site) as url:
        visited = visit(url, dark=dark)
        visited.read_to_the_end()
        expected = digests(site)[dark]
        assert drawn(visited) == {expected}
    assert [name[:16] for name in visited.files] == [expected]
    assert visited.layout_shifts() == []


@pytest.mark.parametrize("system_is_dark", [False, True])
def test_the_palette_selects_the_image_in_material(site, visit, system_is_dark) -> None:
    """The system has no effect, and hidden images with lazy loading are not fetched."""
    themed(site, "material").write("index.md", f"# P\n\n![x](imagegen:)\n\n{FAR}\n\n{DARK}")
    with served(site.build(strict=True).site) as url:
        visited = visit(url, dark=system_is_dark)
        light, dark, _ = digests(site)
        visited.read_to_the_end()
        assert light in drawn(visited)
        assert dark not in {name[:16] for name in visited.files}
        visited.page.click("label[for=__palette_1]")
        visited.read_to_the_end()
        visited.page.wait_for_function(
            f"performance.getEntries().some(e => e.name.includes('{dark}'))"
        )
        visited.wait_for_images()
        assert dark in drawn(visited)
        assert light not in drawn(visited)


@contextmanager
def navigated(site, visit, folder: Path) -> Iterator[Visit]:
    """Click the link `Onwards` of a site with Material's instant navigation."""
    themed(site, "material").config["theme"]["features"] = ["navigation.instant"]
    with served(folder) as url:
        site.config["site_url"] = url
        site.build(strict=True, site_dir=str(folder))
        visited = visit(url)
        visited.page.evaluate("window.stays = true")
        visited.page.click("text=Onwards")
        yield visited
        assert visited.page.evaluate("window.stays") is True
    assert visited.failures == []


def test_images_are_shown_with_instant_navigation(site, visit, tmp_path) -> None:
    """Material replaces the content of the page that is open."""
    site.write("index.md", "# Home\n\n[Onwards](deep/er/page.md)\n\n![One](imagegen:)\n")
    site.write("deep/er/page.md", f"# Page\n\n![Two](imagegen:)\n\n{FAR}\n\n![Three](imagegen:)\n")
    with navigated(site, visit, tmp_path / "site") as visited:
        visited.page.wait_for_selector("img[alt=Three]", state="attached")
        visited.read_to_the_end()
        assert [each["decoded"] for each in visited.images()] == [True, True]
    assert len(visited.files) == 3


def test_instant_navigation_loads_the_style_sheet(site, visit, tmp_path) -> None:
    site.options["disclosure"] = "badge"
    site.write("index.md", "# Home\n\n[Onwards](deep/er/page.md)\n")
    site.write("deep/er/page.md", "# Page\n\n![A](imagegen:)\n")
    with navigated(site, visit, tmp_path / "site") as visited:
        visited.page.wait_for_function(
            "getComputedStyle(document.querySelector('.imagegen-badge > small') || document.body)"
            ".position === 'absolute'"
        )


@pytest.mark.parametrize("theme", THEMES)
def test_a_badge_and_a_width_keep_the_aspect_ratio(site, visit, theme) -> None:
    site.options["disclosure"] = "badge"
    themed(site, theme).write(
        "index.md", "# Page\n\n![A](imagegen:)\n\n![B](imagegen:){ width=300 }\n"
    )
    with served(site.build(strict=True).site) as url:
        for width in (390, 1440):
            visited = visit(url, width=width)
            visited.read_to_the_end()
            for image in visited.images():
                assert image["drawn"] == pytest.approx(1.5, rel=0.02)
            assert visited.images()[1]["width"] == 300
            assert 300 < visited.images()[0]["width"] <= width
            assert visited.layout_shifts() == []
