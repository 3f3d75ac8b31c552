"""Sizes, formats and layouts of images in whole sites."""

from __future__ import annotations

import concurrent.futures
import io
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.imaging import encode as encoder
from tests.support import QUICK, Built, Site

FENCE = "```imagegen\n{0}\n---\nA red balloon\n```\n"
PLAIN = "```imagegen\nA red balloon\n```\n"


@pytest.fixture
def site(site: Site) -> Site:
    """A site with the default variants."""
    del site.options["variants"]
    return site


def build(site: Site, text: str) -> Built:
    site.write("index.md", f"# Page\n\n{text}\n")
    return site.build(strict=True)


def attribute(built: Built, name: str, tag: str = "img") -> list[str]:
    page = built.page("index.html").partition("<h1")[2]
    tags = re.findall(rf"<{tag} [^>]*>", page)
    return [value for each in tags for value in re.findall(rf' {name}="([^"]*)"', each)]


def sizes(built: Built) -> set[tuple[int, int]]:
    return {Image.open(io.BytesIO(each)).size for each in built.images().values()}


def formats(built: Built) -> set[str | None]:
    return {Image.open(io.BytesIO(each)).format for each in built.images().values()}


def derived(site: Site):
    return site.folder / ".cache/plugin/imagegen/derived"


def test_formats_are_in_their_order(site: Site) -> None:
    site.options["variants"] = {"formats": ["webp", "avif", "png"]}
    built = build(site, PLAIN)
    assert formats(built) == {"WEBP", "AVIF", "PNG"}
    assert attribute(built, "type", "source") == ["image/webp", "image/avif"]
    (srcset,) = attribute(built, "srcset")
    assert re.findall(r"\.(\w+) (\d+)w", srcset) == [
        ("png", "480"),
        ("png", "760"),
        ("png", "1120"),
        ("png", "1536"),
    ]


def test_transparent_images_have_a_webp_and_no_jpeg(site: Site) -> None:
    built = build(site, FENCE.format("background: transparent\nsize: 1024x1024"))
    images = [Image.open(io.BytesIO(each)) for each in built.images().values()]
    assert {image.format for image in images} == {"AVIF", "WEBP"}
    assert {image.mode for image in images} == {"RGBA"}
    assert attribute(built, "style") == []


@pytest.mark.parametrize("where", ["site", "directive"])
def test_widths_of_variants(site: Site, where: str) -> None:
    if where == "site":
        site.options["variants"] = {"widths": [200, 5000]}
    built = build(site, PLAIN if where == "site" else FENCE.format("widths: 200, 5000"))
    assert sizes(built) == {(200, 133), (1536, 1024)}


@pytest.mark.slow
def test_directives_that_share_files_lose_none_and_encode_each_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every prompt in four `widths`, generated at the same time."""
    count: Counter[tuple[object, bytes]] = Counter()
    encode = encoder.encode_variants

    def counted(image, variants):
        for variant, content in encode(image, variants):
            count[variant, content] += 1
            yield variant, content

    monkeypatch.setattr(encoder, "encode_variants", counted)
    widths = (480, 640, 800, 960)
    built = build(
        site,
        "\n\n".join(
            f'![Balloon {number}](imagegen:){{ widths="{width}" }}'
            for number in range(12)
            for width in widths
        ),
    )
    assert len(built.images()) == len(count) == 12 * 2 * (len(widths) + 1)
    assert set(count.values()) == {1}
    assert "12 sketches drawn" in built.summary


def test_ratio_crops_around_the_focus(site: Site) -> None:
    """Two crops of one original, which is generated once."""
    left, right = (FENCE.format(f"ratio: 1:1\nfocus: {side}") for side in ("left", "right"))
    built = build(site, f"{left}\n{right}")
    assert sizes(built) == {(480, 480), (760, 760), (1024, 1024)}
    assert "1 sketch drawn" in built.summary
    assert len(set(built.images().values())) == 12
    assert (attribute(built, "width"), attribute(built, "height")) == (["1024"] * 2, ["1024"] * 2)


def test_sizes_follow_the_width_unless_they_are_set(site: Site) -> None:
    built = build(site, FENCE.format("width: 300") + "\n" + FENCE.format("sizes: 50vw"))
    assert attribute(built, "sizes") == ["(min-width: 324px) 300px, calc(100vw - 24px)", "50vw"]
    assert attribute(built, "width") == ["300", "1536"]
    assert attribute(built, "height") == ["200", "1024"]


COLUMN = "(min-width: 2000px) 826px, (min-width: 1600px) 757px, (min-width: 1220px) 688px, "
WIDE = "(min-width: 2000px) 1126px, "
WINDOW = "(max-width: 1536px) 100vw, 1536px"


@pytest.mark.parametrize(
    ("change", "first", "lazy"),
    [
        ({}, COLUMN, f"auto, {COLUMN}"),
        ({"features": ["toc.integrate"]}, WIDE, f"auto, {WIDE}"),
        ({"css": ".md-grid{max-width:90rem}"}, WINDOW, f"auto, {WINDOW}"),
        ({"css": "img{width:auto}"}, COLUMN, COLUMN),
        ({"front": "hide: toc"}, WIDE, f"auto, {WIDE}"),
        ({"front": "template: own.html"}, WINDOW, f"auto, {WINDOW}"),
        ({"style": ".md-grid{max-width:90rem}"}, WINDOW, f"auto, {WINDOW}"),
        ({"style": "img{width:auto}"}, COLUMN, COLUMN),
        ({"sizes": "80vw"}, "80vw", "80vw"),
        ({"name": None}, WINDOW, WINDOW),
    ],
    ids=str,
)
def test_sizes_follow_the_column_of_the_page(
    site: Site, change: dict[str, Any], first: str, lazy: str
) -> None:
    theme = {"name": "material", "font": False, "custom_dir": "own", "features": []}
    site.config["theme"] = {name: change.get(name, value) for name, value in theme.items()}
    (site.folder / "own").mkdir()
    (site.folder / "own/own.html").write_text("{{ page.content }}")
    if change.get("name", "") is None:
        (site.folder / "own/main.html").write_text("{{ page.content }}")
    site.config["extra_css"] = ["own.css", "https://example.org/other.css"]
    site.write("own.css", change.get("css", ""))
    site.options["variants"] = {"formats": ["jpeg"], "sizes": change.get("sizes", "auto")}
    front = f"---\n{change.get('front', 'title: Page')}\n---\n"
    style = f"<style>{change['style']}</style>\n\n" if "style" in change else ""
    site.write("index.md", f"{front}{style}![First](imagegen:)\n\n![Lazy](imagegen:)\n")
    found = re.findall(r' sizes="([^"]*)"', site.build(strict=True).page("index.html"))
    assert [each[: len(text)] for each, text in zip(found, (first, lazy), strict=True)] == [
        first,
        lazy,
    ]


@pytest.mark.parametrize("theme", ["mkdocs", "material"])
def test_dark_image_is_a_second_image(site: Site, theme: str) -> None:
    site.config["theme"] = {"name": theme, "font": False} if theme == "material" else theme
    built = build(site, FENCE.format("dark: at night"))
    assert len(built.images()) == (12 if theme == "material" else 16)
    page = built.page("index.html")
    assert (
        page.count("#only-dark") == page.count("#only-light") == (7 if theme == "material" else 0)
    )
    assert page.count('media="(prefers-color-scheme: dark)"') - page.count("<link") <= 2
    assert len(attribute(built, "src")) == (2 if theme == "material" else 1)
    blurs = [names for names in attribute(built, "class") if "imagegen-blur-" in names]
    assert len(blurs) == (2 if theme == "material" else 0)


def test_theme_that_extends_material_follows_its_palette(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, metadata = tmp_path / "lib/child_theme", tmp_path / "lib/child_theme-1.0.dist-info"
    for folder in (package, metadata):
        folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "mkdocs_theme.yml").write_text("extends: material\nfont: false\n")
    (metadata / "METADATA").write_text("Name: child-theme\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[mkdocs.themes]\nchild = child_theme\n")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    site.config["theme"] = "child"
    site.options["variants"] = {**QUICK}
    page = build(site, FENCE.format("dark: at night")).page("index.html")
    assert page.count("#only-dark") == page.count("#only-light") > 0


@pytest.mark.parametrize("disclosure", ["none", "caption", "badge"])
def test_disclosure_is_shown_if_the_site_sets_it(site: Site, disclosure: str) -> None:
    site.options.update(disclosure=disclosure, disclosure_text="Drawn <by> a machine")
    page = build(site, FENCE.format("caption: Up")).page("index.html")
    said = "Drawn &lt;by&gt; a machine"
    assert page.count(said) == (disclosure != "none")
    assert (f"<figcaption>Up <small>{said}</small></figcaption>" in page) is (
        disclosure == "caption"
    )
    assert (f"{said}</small></span>" in page) is (disclosure == "badge")


def test_site_can_switch_blurred_previews_off(site: Site) -> None:
    assert "imagegen-blur-" in build(site, PLAIN).page("index.html")
    site.options["variants"] = {"blur": False}
    assert "imagegen-blur-" not in build(site, PLAIN).page("index.html")


def test_provenance_is_kept_or_removed(site: Site) -> None:
    assert all(b"algorithmicMedia" in each for each in build(site, PLAIN).images().values())
    site.options["provenance"] = "strip"
    assert not any(b"lgorithmicMedia" in each for each in build(site, PLAIN).images().values())


@pytest.mark.slow
def test_deleted_variant_cache_changes_no_byte_and_sends_no_request(
    site: Site, emulator: Emulator, gateway_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "a-key")
    site.options["gateway"] = {"url": gateway_url, "key_env": "TEST_KEY"}
    transparent = FENCE.format("background: transparent\nsize: 1024x1024")
    first = build(site, f"{PLAIN}\n{transparent}").files()
    calls = emulator.bill.images
    assert calls == 2
    shutil.rmtree(derived(site))
    assert build(site, f"{PLAIN}\n{transparent}").files() == first
    assert emulator.bill.images == calls


@pytest.mark.slow
def test_site_does_not_depend_on_earlier_widths(site: Site) -> None:
    expected = build(site, PLAIN).files()
    shutil.rmtree(derived(site))
    for widths in ([480], [760]):
        site.options["variants"] = {"widths": widths}
        build(site, PLAIN)
    del site.options["variants"]
    assert build(site, PLAIN).files() == expected


HOOK = """\
import sys
from pathlib import Path

def on_post_build(config):
    names = ("PIL", "httpx", "anyio", "mkdocs_imagegen.emulator", "mkdocs_imagegen.gateway.pricing")
    Path(config.config_file_path).with_name("loaded").write_text(
        " ".join(name for name in names if name in sys.modules))
"""


@pytest.mark.slow
def test_repeat_build_imports_no_encoder_and_no_prices(site: Site) -> None:
    """In a process of its own, since this one has imported the encoder."""
    site.config["hooks"] = ["hook.py"]
    (site.folder / "hook.py").write_text(HOOK)
    site.write("index.md", f"# Page\n\n{PLAIN}")
    loaded = []
    for _ in range(2):
        done = site.run("build", "--strict")
        assert done.returncode == 0, done.stderr
        loaded.append((site.folder / "loaded").read_text().split())
    assert "PIL" in loaded[0]
    assert loaded[1] == []


@pytest.mark.slow
def test_two_builds_share_one_cache(site: Site) -> None:
    """At the same time, in processes of their own; both sites have the same bytes."""
    images = "\n\n".join(f"![Number {number}](imagegen:)" for number in range(4))
    site.write("index.md", f"# Page\n\n{images}\n")
    site.save()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        folders = [site.folder / name for name in ("one", "two")]
        runs = [pool.submit(site.run, "build", "--strict", "-d", str(each)) for each in folders]
    assert [each.result().returncode for each in runs] == [0, 0], runs[0].result().stderr
    one, two = (Built(each).files() for each in folders)
    assert one.pop("sitemap.xml.gz")[:4] == two.pop("sitemap.xml.gz")[:4]  # has the time in it
    assert one == two
    assert len(Built(folders[0]).images()) == 32
