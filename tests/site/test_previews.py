"""Previews of pages: social cards, images at the top, and defaults."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from mkdocs.exceptions import Abort
from PIL import Image

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.pages.test_social import metas
from tests.support import Built, Site

FRONT = "---\nimagegen:\n  preview: A red balloon\n---\n"


@pytest.fixture
def drawn(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site with an emulator on a socket, which counts the images."""
    monkeypatch.setenv("TEST_KEY", "a-key")
    site.options.update({"gateway": {"url": gateway_url, "key_env": "TEST_KEY"}})
    site.options["report"] = "report.json"
    return site


def tags(built: Built, page: str) -> dict[str, str]:
    found = metas(built.page(page))
    assert len(found) == len(dict(found)), "a tag twice"
    return dict(found)


def files_of_ours(built: Built) -> set[str]:
    """Return the files of images and placeholders."""
    files = {name for name in built.files() if name.startswith("assets/imagegen/")}
    return {name for name in files if not name.endswith(".css")}


def card(built: Built, url: str) -> Image.Image:
    name = url.removeprefix("https://example.org/docs/")
    return Image.open(io.BytesIO((built.site / name).read_bytes()))


@pytest.mark.parametrize("directory_urls", [True, False])
@pytest.mark.parametrize("theme", ["mkdocs", "material"])
def test_preview_becomes_the_social_card(site: Site, theme: str, directory_urls: bool) -> None:
    """Absolute below the path of site_url, cropped, on pages at every depth."""
    site.config["theme"] = {"name": theme}
    site.config["use_directory_urls"] = directory_urls
    site.write("index.md", "# Home\n")
    site.write("a/b/deep.md", f"{FRONT}# Deep\n")
    built = site.build(strict=True)
    page = "a/b/deep/index.html" if directory_urls else "a/b/deep.html"
    found = tags(built, page)
    image = card(built, found["og:image"])
    assert (image.format, image.size) == ("JPEG", (1200, 630))
    assert found["og:image:alt"] == "A red balloon"
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert (found["og:image:type"], found["twitter:card"]) == ("image/jpeg", "summary_large_image")
    assert tags(built, "index.html") == {}
    assert len(built.images()) == 1  # the page does not show it


def test_repeat_build_generates_no_image_and_has_the_same_bytes(
    drawn: Site, emulator: Emulator
) -> None:
    drawn.write("index.md", f"{FRONT}# Home\n\n![A red balloon](imagegen:)\n")
    before = drawn.build(strict=True).files()
    assert emulator.bill.images == 1  # the same prompt on the page is the same image
    assert drawn.build(strict=True).files() == before
    assert emulator.bill.images == 1
    locations = [(each["page"], each["line"]) for each in drawn.report()["pictures"]]
    assert locations == [("docs/index.md", 7), ("docs/index.md", 3)]


def test_preview_has_the_options_and_defaults_of_its_page(drawn: Site) -> None:
    drawn.options["style"] = "in ink"
    preview = "{name: hero, alt: 'My & hero', focus: left, take: 2}"
    drawn.write(
        "index.md",
        "---\nimagegen:\n  size: 1024x1024\n  prompts: {hero: A hero}\n"
        f"  preview: {preview}\n---\n# Home\n",
    )
    built = drawn.build(strict=True)
    (line,) = drawn.report()["pictures"]
    assert (line["prompt"], line["line"]) == ("A hero\n\nin ink", 5)
    found = tags(built, "index.html")
    assert found["og:image:alt"] == "My & hero"
    assert card(built, found["og:image"]).size == (1024, 538)  # never upscaled


MISTAKES = [
    ("{prompt: A cat, widht: 3}", 'unknown option "widht"'),
    ("{alt: A cat}", "no prompt; describe the image"),
    ("{name: nobody}", 'unknown prompt name "nobody"'),
    ("{prompt: A cat, size: large}", 'unsupported value "large"'),
]


@pytest.mark.parametrize(("written", "said"), MISTAKES)
def test_invalid_preview_warns_with_its_location(site: Site, written: str, said: str) -> None:
    site.write("index.md", f"---\ntitle: x\nimagegen:\n  preview: {written}\n---\n# Home\n")
    built = site.build()
    (warning,) = built.warnings
    assert warning.startswith("imagegen: docs/index.md:4: image prompt: ")
    assert said in warning
    assert tags(built, "index.html") == {}
    assert files_of_ours(built) == set()


@pytest.mark.parametrize("written", ["12", "[a]", "true", ""])
def test_preview_of_a_wrong_type_is_an_error_of_the_front_matter(site: Site, written: str) -> None:
    site.write("index.md", f"---\nimagegen:\n  preview: {written}\n---\n# Home\n")
    (warning,) = site.build().warnings
    assert "docs/index.md:3: front matter: `preview`: " in warning


def test_site_without_site_url_has_no_tags_and_one_message(site: Site) -> None:
    del site.config["site_url"]
    for name in ("index.md", "other.md"):
        site.write(name, f"{FRONT}# Page\n")
    built = site.build(strict=True)
    assert built.warnings == []
    assert sum("site_url is not set" in text for text in built.infos) == 1
    assert tags(built, "index.html") == tags(built, "other/index.html") == {}


def test_missing_preview_has_no_tags_and_no_file(site: Site) -> None:
    site.options.update({"generate": False, "report": "report.json"})
    site.write("index.md", f"{FRONT}# Page\n")
    built = site.build()
    (warning,) = built.warnings
    assert warning.startswith("imagegen: docs/index.md:3: the image is missing")
    assert tags(built, "index.html") == {}
    assert files_of_ours(built) == set()
    (line,) = site.report()["pictures"]
    assert (line["state"], line["file"]) == ("missing", "")


@pytest.mark.parametrize("preview", ["A red balloon", "{prompt: A cat, widht: 3}"])
def test_missing_preview_at_the_top_has_one_placeholder(site: Site, preview: str) -> None:
    site.options.update({"generate": False, "report": "report.json"})
    site.options["previews"] = {"position": "top"}
    site.write("index.md", FRONT.replace("A red balloon", preview) + "# Page\n")
    built = site.build()
    (name,) = files_of_ours(built)
    assert f'src="{name}"' in built.page("index.html")
    assert [line["file"] for line in site.report()["pictures"]] == [name]


OWN = '<meta property="og:image" content="https://other.org/theirs.png">'


def with_tag_in_theme(site: Site, tag: str) -> None:
    (site.folder / "overrides").mkdir()
    text = f'{{% extends "base.html" %}}{{% block extrahead %}}{tag}{{% endblock %}}'
    (site.folder / "overrides/main.html").write_text(text)
    site.config["theme"] = {"name": "material", "custom_dir": "overrides"}


def test_other_social_image_stays_unless_the_page_has_its_own_preview(site: Site) -> None:
    with_tag_in_theme(site, OWN)
    site.options["previews"] = {"default": "On {title}"}
    site.write("index.md", "# Home\n")
    site.write("own.md", f"{FRONT}# Own\n")
    built = site.build(strict=True)
    assert tags(built, "index.html") == {"og:image": "https://other.org/theirs.png"}
    assert tags(built, "own/index.html")["og:image"].startswith("https://example.org/docs/assets/")


def test_card_that_a_plugin_adds_late_is_handled_the_same(site: Site) -> None:
    """Material's social plugin inserts its tags at the priority of the plugin's first step."""
    site.config["hooks"] = ["hook.py"]
    (site.folder / "hook.py").write_text(
        f"def on_post_page(output, page, config):\n"
        f"    return output.replace('</head>', '{OWN}</head>', 1)\n"
    )
    site.options["previews"] = {"default": "On {title}"}
    site.write("index.md", "# Home\n")
    site.write("own.md", f"{FRONT}# Own\n")
    built = site.build(strict=True)
    assert tags(built, "index.html") == {"og:image": "https://other.org/theirs.png"}
    assert "example.org" in tags(built, "own/index.html")["og:image"]


def test_themes_get_the_card_unless_the_author_set_an_image(site: Site) -> None:
    with_tag_in_theme(site, '<link rel="x" href="{{ page.meta.image if page }}">')
    site.write("index.md", f"{FRONT}# Home\n")
    site.write("own.md", FRONT.replace("---\n", "---\nimage: mine.png\n", 1) + "# Own\n")
    built = site.build(strict=True)
    told = tags(built, "index.html")["og:image"]
    assert f'<link rel="x" href="{told}">' in built.page("index.html")
    assert '<link rel="x" href="mine.png">' in built.page("own/index.html")


def test_default_preview_applies_to_included_pages(drawn: Site) -> None:
    drawn.options["previews"] = {
        "default": "On {title}: {description}.",
        "include": ["guide/**"],
        "exclude": ["guide/*/no*.md"],
    }
    drawn.write("index.md", "# Home\n")
    drawn.write("guide/index.md", "---\ndescription: All of it\n---\n# Tom & <i>`Jerry`</i>\n")
    drawn.write("guide/x/no1.md", "# No\n")
    drawn.write("guide/x/off.md", "---\nimagegen: {preview: false}\n---\n# Off\n")
    drawn.write("guide/x/own.md", f"{FRONT}# Own\n")
    drawn.write("guide/x/braces.md", "---\ntitle: '{description}'\n---\n# x\n")
    drawn.build(strict=True)
    prompts = {each["page"]: each["prompt"] for each in drawn.report()["pictures"]}
    assert prompts == {
        "docs/guide/index.md": "On Tom & Jerry: All of it.",
        "docs/guide/x/own.md": "A red balloon",
        "docs/guide/x/braces.md": "On {description}: .",
    }


@pytest.mark.parametrize(
    ("previews", "said"),
    [
        ({"default": "On {titel}"}, 'unknown field "{titel}"'),
        ({"default": "x", "include": ["/abs/*"]}, "a list of page paths"),
        ({"position": "bottom"}, "none | top"),
        ({"includes": ["a"]}, 'unknown option "includes"'),
    ],
)
def test_invalid_preview_settings_stop_the_build(
    site: Site, caplog: pytest.LogCaptureFixture, previews: Any, said: str
) -> None:
    site.options["previews"] = previews
    site.write("index.md", "# Home\n")
    with pytest.raises(Abort):
        site.build()
    assert said in caplog.text


def test_preview_at_the_top_is_an_image_below_the_heading(site: Site) -> None:
    del site.options["variants"]
    site.options["previews"] = {"position": "top"}
    site.write("index.md", f"{FRONT}# Home\n\n![A dog](imagegen:)\n")
    site.write("bare.md", f"{FRONT}Only text\n")
    front = FRONT.replace("preview:", "preview_position: none\n  preview:")
    site.write("off.md", f"{front}# Off\n")
    built = site.build(strict=True)
    first, second = re.findall(r"<img[^>]*>", built.page("index.html"))
    assert 'alt="A red balloon"' in first
    assert 'fetchpriority="high"' in first
    assert "srcset=" in first
    assert 'loading="lazy"' in second
    assert re.search(r"</h1>\s*<p><picture>.*A dog", built.page("index.html"), re.DOTALL)
    assert re.search(r"<p><picture>.*Only text", built.page("bare/index.html"), re.DOTALL)
    assert "<img" not in built.page("off/index.html")
    assert set(tags(built, "off/index.html")) >= {"og:image"}


def test_blog_posts_have_previews_and_blog_views_have_none(drawn: Site, emulator: Emulator) -> None:
    drawn.config["theme"] = {"name": "material", "font": False}
    drawn.config["plugins"] = ["blog", *drawn.config["plugins"]]
    drawn.options["previews"] = {"default": "On {title}", "include": ["blog/**"]}
    drawn.write("index.md", "# Home\n")
    drawn.write("blog/index.md", "# Blog\n")
    for number in (1, 2):
        front = f"---\ndate: 2026-01-0{number}\ncategories: [A]\n---\n"
        drawn.write(f"blog/posts/p{number}.md", f"{front}# Post {number}\n\n<!-- more -->\n\nx\n")
    built = drawn.build(strict=True)
    assert emulator.bill.images == 3  # the blog and two posts; no archive, no category
    assert "og:image" in tags(built, "blog/2026/01/02/post-2/index.html")
    assert tags(built, "blog/archive/2026/index.html") == {}


def test_every_language_has_its_tags_and_shares_the_image(drawn: Site, emulator: Emulator) -> None:
    languages = [
        {"locale": "en", "name": "English", "build": True, "default": True},
        {"locale": "de", "name": "Deutsch", "build": True},
    ]
    drawn.config["plugins"].append({"i18n": {"languages": languages}})
    drawn.write("index.md", f"{FRONT}# Home\n\n```imagegen-cards\nguide/*\n```\n")
    drawn.write("guide/page.md", f"{FRONT}# Page\n")
    drawn.write("guide/page.de.md", f"{FRONT}# Seite\n")
    built = drawn.build()
    assert [text for text in built.warnings if "image prompt" in text] == []
    assert emulator.bill.images == 1
    for page in ("index.html", "de/index.html"):
        assert card(built, tags(built, page)["og:image"]).size == (1200, 630)
    assert '<a href="guide/page/">Seite</a>' in built.page("de/index.html")
