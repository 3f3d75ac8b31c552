"""Whole builds: a prompt in Markdown becomes an image in the site."""

from __future__ import annotations

import io
import re
import shutil
import traceback
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

import mkdocs_imagegen
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.originals.record import parse_record
from mkdocs_imagegen.originals.store import Original, OriginalStore
from mkdocs_imagegen.request import ImageRequest
from tests.support import Built, Site

PACKAGE = f"{Path(mkdocs_imagegen.__file__).parent}/"
FENCE = "```imagegen\nA red balloon on a wooden table\n```\n"


def images(html: str) -> list[dict[str, str | None]]:
    """Return the attributes of every generated image of a page."""
    found: list[dict[str, str | None]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "img" and "assets/imagegen/" in (dict(attrs).get("src") or ""):
                found.append(dict(attrs))

    Parser().feed(html)
    return found


def resolved(built: Built, page: str, src: str) -> bytes:
    """Return the bytes that a browser loads for the address of an image."""
    return ((built.site / page).parent / src).resolve().read_bytes()


@pytest.mark.parametrize("directory_urls", [True, False])
def test_images_are_on_pages_at_every_depth(site: Site, directory_urls: bool) -> None:
    """Each with its size, its alt text, and an address relative to the page."""
    del site.options["variants"]
    site.config["use_directory_urls"] = directory_urls
    for name in ("index.md", "guide.md", "a/index.md", "a/b/c/deep page.md"):
        site.write(name, f"# Page\n\nBefore\n\n{FENCE}\nAfter\n")
    built = site.build(strict=True)
    pages = [name for name in built.files() if name.endswith(".html") and "404" not in name]
    assert len(pages) == 4
    for page in pages:
        (image,) = images(built.page(page))
        assert image["alt"] == "A red balloon on a wooden table"
        assert (image["width"], image["height"]) == ("1536", "1024")
        assert (image["fetchpriority"], image["decoding"]) == ("high", "async")
        image = Image.open(io.BytesIO(resolved(built, page, str(image["src"]))))
        assert (image.size, image.format) == ((1536, 1024), "JPEG")
        assert re.search(r"Before.*<img.*After", built.page(page), re.DOTALL)
    assert len(built.images()) == 8  # four widths in two formats


def test_repeat_build_generates_no_image_and_has_the_same_bytes(site: Site) -> None:
    site.write("index.md", f"# Page\n\n{FENCE}\n![A dog](imagegen:)\n")
    first = site.build(strict=True)
    before = first.files()
    assert "2 sketches drawn" in first.summary
    site.options["generate"] = False
    second = site.build(strict=True)
    assert second.summary.startswith("imagegen: 2 images: 2 sketches reused")
    assert "drawn" not in second.summary
    assert second.files() == before


def test_lookup_is_at_most_eight_frames_deep(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the hook to the store of originals, in a first build."""
    depths: list[int] = []
    find = OriginalStore.find_exact

    def counting(store: OriginalStore, request: ImageRequest, server: str) -> Original | None:
        names = [each.name for each in traceback.extract_stack() if PACKAGE in each.filename]
        if "on_page_content" in names:
            depths.append(len(names) - names.index("on_page_content") + 1)
        return find(store, request, server)

    monkeypatch.setattr(OriginalStore, "find_exact", counting)
    site.write("index.md", FENCE)
    site.build()
    assert 0 < max(depths) <= 8


def test_report_of_a_site_without_directives_is_empty(site: Site) -> None:
    site.options["report"] = "report.json"
    site.write("index.md", f"# Page\n\n{FENCE}")
    site.build()
    assert len(site.report()["pictures"]) == 1
    site.write("index.md", "# Page\n")
    assert not any("images" in text for text in site.build().infos)
    assert site.report()["pictures"] == []


def test_site_without_directives_is_unchanged(site: Site) -> None:
    site.write("index.md", "# Page\n\n```python\nx = 1\n```\n\n![x](y.png)\n\n> text & `code`\n")
    site.write("y.png", "no image")
    with_plugin = site.build().files()
    site.config["plugins"] = []
    without = site.build().files()
    assert with_plugin == without


def test_caption_makes_a_figure_and_text_is_escaped_once(site: Site) -> None:
    site.write(
        "index.md",
        '```imagegen\nalt: Tom & "Jerry" <b>\ncaption: 1 < 2 & 3 &amp; 4\n---\nA cat\n```\n',
    )
    built = site.build(strict=True)
    page = built.page("index.html")
    assert 'alt="Tom &amp; &quot;Jerry&quot; &lt;b&gt;"' in page
    assert "<figcaption>1 &lt; 2 &amp; 3 &amp;amp; 4</figcaption>" in page
    assert images(page)[0]["alt"] == 'Tom & "Jerry" <b>'


def test_attributes_reach_the_image(site: Site) -> None:
    site.options["variants"] = {"blur": False}
    site.write(
        "index.md",
        '![A cat](imagegen:){ width=300 #cat .wide loading=eager data-x="1" style="border:0" }\n',
    )
    (image,) = images(site.build(strict=True).page("index.html"))
    assert (image["width"], image["height"], image["id"]) == ("300", "200", "cat")
    assert (image["class"], image["loading"], image["data-x"]) == ("imagegen wide", "eager", "1")
    assert image["style"] == "border:0"


def test_front_matter_applies_to_its_page_and_directives_override_it(site: Site) -> None:
    site.options["style"] = "in blue ink"
    site.options["report"] = "report.json"
    site.options["prompts"] = {"hero": "A hero", "pet": {"prompt": "A pet", "size": "1024x1536"}}
    front = (
        "---\nimagegen:\n  size: 1024x1024\n  style: in chalk\n  prompts: {hero: My hero}\n---\n"
    )
    site.write("a.md", f"{front}![x](imagegen:hero)\n\n![x](imagegen:pet)\n")
    site.write("b.md", "![x](imagegen:hero)\n\n```imagegen\nstyle: none\n---\nA bird\n```\n")
    site.build(strict=True)
    prompts = {(each["page"], each["line"]): each["prompt"] for each in site.report()["pictures"]}
    assert prompts == {
        ("docs/a.md", 7): "My hero\n\nin chalk",
        ("docs/a.md", 9): "A pet\n\nin chalk",
        ("docs/b.md", 1): "A hero\n\nin blue ink",
        ("docs/b.md", 3): "A bird",
    }


def test_equal_requests_are_generated_once(site: Site) -> None:
    for number in range(5):
        site.write(
            f"page{number}.md",
            f"# Page\n\n{FENCE}\n\n![A red   balloon on a wooden table](imagegen:)\n",
        )
    site.write("index.md", "# Home\n")
    built = site.build(strict=True)
    assert "1 sketch drawn" in built.summary
    assert len(site.records) == 1


def test_invalid_directive_warns_with_its_location_and_shows_a_placeholder(site: Site) -> None:
    site.write("index.md", "# Page\n\n![A dog](imagegen:){ widht=3 }\n")
    built = site.build()
    (warning,) = built.warnings
    assert warning == (
        'imagegen: docs/index.md:3: image prompt: unknown option "widht"; did you mean "width"?'
    )
    (image,) = images(built.page("index.html"))
    placeholder = resolved(built, "index.html", str(image["src"])).decode()
    assert "unknown option" in placeholder
    assert "did you mean" not in placeholder


def test_invalid_configuration_stops_before_the_build(site: Site) -> None:
    site.options["sise"] = "1024x1024"
    site.options["concurrency"] = 0
    site.write("index.md", "# Page\n")
    done = site.run("build")
    assert done.returncode == 1
    assert 'unknown option "sise"' in done.stderr
    assert 'did you mean "size"?' in done.stderr
    assert "a whole number from 1 to 64" in done.stderr
    assert "Traceback" not in done.stderr


def test_originals_folder_inside_docs_dir_is_an_error(site: Site) -> None:
    site.options["originals_dir"] = "docs/originals"
    site.write("index.md", FENCE)
    done = site.run("build")
    assert done.returncode == 1
    assert "is inside docs_dir" in done.stderr
    assert "Traceback" not in done.stderr


def test_cache_folder_inside_site_dir_is_an_error(site: Site) -> None:
    site.options["cache_dir"] = "site/cache"
    site.write("index.md", FENCE)
    done = site.run("build")
    assert done.returncode == 1
    assert (
        "is inside site_dir; choose a folder outside it, or every build deletes it" in done.stderr
    )


def test_plugin_that_is_listed_twice_is_an_error(site: Site) -> None:
    site.config["plugins"].append({"imagegen": {"gateway": {"url": "sketch:"}}})
    site.write("index.md", FENCE)
    done = site.run("build")
    assert done.returncode == 1
    assert "listed twice" in done.stderr
    assert "Traceback" not in done.stderr


def test_invalid_front_matter_generates_no_image(site: Site) -> None:
    site.write("index.md", f"---\nimagegen: {{sizee: 1024x1024}}\n---\n{FENCE}")
    built = site.build()
    assert built.images() == {}
    assert 'docs/index.md:2: front matter: unknown option "sizee"' in built.warnings[0]
    assert "1 invalid" in built.summary


def test_disabled_plugin_shows_placeholders_without_warnings(site: Site) -> None:
    site.options.update({"enabled": False, "on_missing": "error"})
    site.write("index.md", FENCE)
    built = site.build(strict=True)
    assert built.images() == {}
    assert len(images(built.page("index.html"))) == 1


def test_exact_directive_gets_its_own_image_next_to_an_equal_prompt(site: Site) -> None:
    """In both orders on the page."""
    site.write("index.md", FENCE)
    site.build()
    pretend_that_a_real_model_drew(site)
    site.options.update({"quality": "high", "report": "report.json"})
    prompt = "A red balloon on a wooden table"
    twins = [f"![{prompt}](imagegen:)", f"![{prompt}](imagegen:?quality=high)"]
    for order in (twins, twins[::-1]):
        site.write("index.md", "\n\n".join(order))
        shutil.rmtree(site.folder / ".cache/plugin/imagegen/derived")
        site.build()
        states = [each["state"] for each in site.report()["pictures"]]
        assert states == ["stale but usable", "missing"][:: 1 if order is twins else -1]


def test_tokens_are_replaced_in_files_of_other_plugins(site: Site) -> None:
    site.config["hooks"] = ["hook.py"]
    (site.folder / "hook.py").write_text(
        "from pathlib import Path\n"
        "pages = []\n"
        "def on_page_content(html, page, config, files):\n"
        "    pages.append(html)\n"
        "    return html.replace('src=', 'src=\"data:,\" data-src=')\n"
        "def on_post_build(config):\n"
        "    for name in ('llms.md', 'feed.JSON', 'x.js', 'a.rss'):\n"
        "        Path(config.site_dir, name).write_text(''.join(pages))\n"
    )
    site.write("index.md", FENCE)
    built = site.build(strict=True)
    assert len(images(built.page("index.html"))) == 1
    for name in ("llms.md", "feed.JSON", "x.js", "a.rss"):
        assert "imagegen:t" not in built.page(name)
        assert "https://example.org/docs/assets/imagegen/" in built.page(name)


def test_originals_are_kept_in_originals_dir(site: Site) -> None:
    """Sketches of the embedded emulator are free, and stay in the cache."""
    site.options["originals_dir"] = "pictures"
    site.write("index.md", FENCE)
    site.build(strict=True)
    assert not (site.folder / "pictures").exists()
    with EmulatorServer(Emulator(require_key=False)) as server:
        site.options["gateway"] = {"url": server.url, "auth": "none"}
        site.build()
    assert len(list((site.folder / "pictures").glob("??/*.webp"))) == 1


def test_unsupported_size_is_an_error_of_its_directive(site: Site) -> None:
    site.options["gateway"] = {"url": "http://127.0.0.1:9/v1", "auth": "none"}
    site.write("index.md", "```imagegen\nsize: 640x480\n---\nA cat\n```\n")
    (warning,) = site.build().warnings
    assert "docs/index.md:1: image prompt: openai/gpt-image-1-mini does not support size" in warning
    assert "1024x1024, 1536x1024, 1024x1536" in warning


def test_another_quality_of_the_site_reuses_the_originals(site: Site) -> None:
    """The report lists the original as stale."""
    site.write("index.md", FENCE)
    site.build()
    pretend_that_a_real_model_drew(site)
    site.options["report"] = "report.json"
    for option in ({"quality": "high"}, {"model": "openai/gpt-image-2"}):
        site.options.update(option)
        built = site.build()
        assert "1 image: 1 reused (1 stale)" in built.summary
        assert site.report()["pictures"][0]["state"] == "stale but usable"


def test_directive_with_a_quality_is_exact(site: Site) -> None:
    site.write("index.md", "```imagegen\nquality: low\n---\nA red balloon\n```\n")
    site.build()
    pretend_that_a_real_model_drew(site)
    site.write("index.md", "```imagegen\nquality: high\n---\nA red balloon\n```\n")
    assert "1 missing" in site.build().summary


def pretend_that_a_real_model_drew(site: Site) -> None:
    """Store the sketch as the image of a real model, and set the real gateway."""
    (path,) = site.records
    record = parse_record(path.read_bytes(), path.stem)
    prompt = ImageRequest(record.model, record.prompt, record.size)
    real = replace(prompt, model="openai/gpt-image-1-mini")
    facts = {"key": real.key, "subject": real.subject_key, "model": real.model, "server": ""}
    record = replace(record, **facts)
    (image,) = path.parent.glob("*.webp")
    content = image.read_bytes()
    del site.options["gateway"]
    OriginalStore(site.originals, inspect_image).put(record, content)


def test_prompt_that_is_added_after_the_join_warns(site: Site) -> None:
    """Also if no page before it had an image, so that no pipeline is open."""
    site.write("index.md", "# Page\n\nNothing\n")
    hook = site.folder / "late.py"
    hook.write_text(
        "import markdown\n"
        "from mkdocs.plugins import event_priority\n"
        "@event_priority(150)\n"
        "def on_page_context(context, *, page, config, **_):\n"
        "    extensions = config.markdown_extensions\n"
        "    text = '![A late fox](imagegen:)'\n"
        "    page.content += markdown.markdown(text, extensions=extensions)\n"
        "    return context\n"
    )
    site.config["hooks"] = [str(hook)]
    for _ in range(2):
        (warning,) = site.build().warnings
        assert "after the build generated its images" in warning
    assert not site.records


@pytest.mark.parametrize("tag", ["figure", "div", "section"])
def test_image_inside_html_with_markdown_is_found(site: Site, tag: str) -> None:
    site.config["markdown_extensions"].append("md_in_html")
    span = ' markdown="span"' if tag == "figure" else " markdown"
    site.write(
        "index.md", f"# P\n\n<{tag}{span}>\n![A red fox](imagegen:){{ width=300 }}\n</{tag}>\n"
    )
    (image,) = images(site.build(strict=True).page("index.html"))
    assert (image["alt"], image["width"]) == ("A red fox", "300")
