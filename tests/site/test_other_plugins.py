"""Sites with other plugins, each really built."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.support import Built, Site

pytestmark = pytest.mark.hosts

TOKEN = re.compile(rb"imagegen:t[0-9a-f]{40}")
ADDRESS = re.compile(r"(?:src|href)=[\"']?([^\"'\s>]*assets/imagegen/[^\"'\s>]+)")
SHEET = re.compile(r"assets/imagegen/main\.[0-9a-f]{8}\.min\.css$")
POST = """\
---
date: 2026-0{number}-01
---
# Post {number}

```imagegen
Post {number}, before the fold
```

![x](imagegen:own)

<!-- more -->

```imagegen
Post {number}, after the fold
```
"""


def assert_no_token(built: Built) -> None:
    for name, content in built.files().items():
        assert not TOKEN.search(content), name


def assert_images_resolve(built: Built) -> int:
    """Assert that every address of an image leads to a file; return their number.

    A page with an image links the style sheet of the site, and one of its blurred previews; both
    are files, too.
    """
    number = 0
    for page in built.site.rglob("*.html"):
        addresses = ADDRESS.findall(page.read_text())
        sheets = [each for each in addresses if SHEET.search(each)]
        assert len(sheets) == len(set(sheets)) <= 2, page
        assert bool(sheets) == ("<img " in page.read_text() and len(addresses) > 0), page
        number -= len(sheets)
        for address in addresses:
            path = unquote(urlsplit(address).path)
            absolute = built.site / path.removeprefix("/docs/")
            target = absolute if urlsplit(address).scheme else page.parent / path
            assert target.resolve().is_file(), f"{page}: {address}"
            number += 1
    return number


@pytest.fixture
def company(site: Site, gateway_url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("TEST_KEY", "a-key")
    site.config["theme"] = {"name": "material", "font": False}
    site.config["markdown_extensions"] = [
        "attr_list",
        "pymdownx.superfences",
        {"toc": {"permalink": True}},
    ]
    site.config["plugins"] = [
        "search",
        "blog",
        "glightbox",
        {"rss": {"match_path": ".*", "date_from_meta": {"as_creation": "date"}, "use_git": False,
                 "abstract_chars_count": -1}},
        {"imagegen": {"gateway": {"url": gateway_url, "key_env": "TEST_KEY"}}},
        "print-site",
    ]  # fmt: skip
    site.write("index.md", "# Home\n\n```imagegen\nHome\n```\n")
    site.write("blog/index.md", "# Blog\n")
    for number in (1, 2, 3):
        prompts = f"imagegen:\n  prompts: {{own: Own image of {number}}}\n---\n# "
        text = POST.format(number=number).replace("---\n# ", prompts, 1)
        site.write(f"blog/posts/post{number}.md", text)
    return site


@pytest.mark.parametrize("order", ["as listed", "reversed"])
def test_search_blog_rss_print_site_and_glightbox_in_one_site(
    company: Site, emulator: Emulator, order: str
) -> None:
    if order == "reversed":
        plugins = company.config["plugins"]
        company.config["plugins"] = [*reversed(plugins[:-1]), plugins[-1]]  # print-site wants it
    built = company.build()
    assert [text for text in built.warnings if "image prompt" in text] == []
    assert_no_token(built)
    assert emulator.bill.images == 10
    assert_images_resolve(built)
    excerpts = built.page("blog/index.html")
    for number in (1, 2, 3):
        assert f"Post {number}, before the fold" in excerpts
        assert f"Post {number}, after the fold" not in excerpts
        assert 'alt="x"' in excerpts
    assert excerpts.count("<img") - excerpts.count('alt="logo"') >= 6
    assert "Home" in built.page("print_page/index.html")
    assert built.page("print_page/index.html").count("assets/imagegen/") >= 1
    assert "https://example.org/docs/assets/imagegen/" in built.page("feed_rss_created.xml")


def test_repeat_build_of_that_site_has_the_same_bytes(company: Site, emulator: Emulator) -> None:
    first = company.build()
    before = first.files()
    second = company.build()
    assert emulator.bill.images == 10
    assert_no_token(second)
    assert second.files() == before


def test_glightbox_links_to_the_image(company: Site) -> None:
    built = company.build()
    page = built.page("index.html")
    link = r'<a class="glightbox"[^>]*href="assets/imagegen/[0-9a-f]{16}-1536\.[0-9a-f]{8}\.jpg"'
    assert re.search(link, page)


@pytest.mark.parametrize("first", ["i18n", "imagegen"])
def test_site_in_two_languages_is_one_run(
    site: Site, gateway_url: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """The i18n plugin builds further languages inside the last hook of the first one."""
    monkeypatch.setenv("TEST_KEY", "a-key")
    i18n = {
        "i18n": {
            "docs_structure": "suffix",
            "languages": [
                {"locale": "en", "name": "English", "build": True, "default": True},
                {"locale": "de", "name": "Deutsch", "build": True},
                {"locale": "fr", "name": "Français", "build": True},
            ],
        }
    }
    ours = {"imagegen": {"gateway": {"url": gateway_url, "key_env": "TEST_KEY"}}}
    site.config["plugins"] = [i18n, ours] if first == "i18n" else [ours, i18n]
    site.write("index.md", "# Home\n\n```imagegen\nShared\n```\n")
    site.write("guide/page.md", "# Page\n\n```imagegen\nEnglish only\n```\n")
    site.write("guide/page.de.md", "# Seite\n\n```imagegen\nNur deutsch\n```\n")
    built = site.build()
    assert [text for text in built.warnings if "image prompt" in text] == []
    assert emulator.bill.images == 3
    assert_no_token(built)
    assert assert_images_resolve(built) == 6
    assert 'alt="Nur deutsch"' in built.page("de/guide/page/index.html")
    assert 'alt="English only"' in built.page("fr/guide/page/index.html")


def test_reference_finds_the_page_of_its_language(
    site: Site, gateway_url: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "a-key")
    languages = [
        {"locale": "en", "name": "English", "build": True, "default": True},
        {"locale": "de", "name": "Deutsch", "build": True},
    ]
    ours = {"imagegen": {"gateway": {"url": gateway_url, "key_env": "TEST_KEY"}}}
    site.config["plugins"] = [{"i18n": {"languages": languages}}, ours]
    site.write("b.md", "# B\n\n![A fox](imagegen:){ id=fox }\n")
    site.write("b.de.md", "# B\n\n![Ein Fuchs](imagegen:){ id=fox }\n")
    site.write("c.md", "# C\n\n![A lynx](imagegen:){ id=lynx }\n")
    site.write("index.md", "# I\n\n![It runs](imagegen:){ reference=b.md#fox }\n")
    site.write(
        "index.de.md",
        "# I\n\n![Er rennt](imagegen:){ reference=b.md#fox }\n"
        "![Ein Sprung](imagegen:){ reference=c.md#lynx }\n",
    )
    built = site.build()
    assert [text for text in built.warnings if "image prompt" in text] == []
    asked = [(each.path.rsplit("/", 1)[-1], each.prompt) for each in emulator.log if each.prompt]
    followed = [("generations", prompt) for prompt in ("A fox", "A lynx", "Ein Fuchs")]
    following = [("edits", prompt) for prompt in ("Ein Sprung", "Er rennt", "It runs")]
    assert sorted(asked) == following + followed


def test_failed_request_is_not_repeated_in_the_next_language(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "a-key")
    languages = [
        {"locale": "en", "name": "English", "build": True, "default": True},
        {"locale": "de", "name": "Deutsch", "build": True},
    ]
    site.write("index.md", "# Home\n\n```imagegen\nShared\n```\n\n```imagegen\nOther\n```\n")
    emulator = Emulator(plan=["lost", "ok", "ok"])
    with EmulatorServer(emulator) as server:
        ours = {"gateway": {"url": server.url, "key_env": "TEST_KEY"}, "report": "report.json"}
        site.config["plugins"] = [{"imagegen": ours}, {"i18n": {"languages": languages}}]
        site.options["concurrency"] = 1
        site.build()
    assert emulator.bill.images == 2
    report = site.report()
    assert len(report["pictures"]) == 4
    assert report["cost_usd"] == "0.015"


def test_second_build_in_one_process_starts_afresh(site: Site) -> None:
    site.write("index.md", "# Home\n\n```imagegen\nOne\n```\n")
    first = site.build()
    site.write("index.md", "# Home\n\n![y](imagegen:){ nonsense=1 }\n")
    second = site.build()
    assert "1 sketch drawn" in first.summary
    assert "1 image: 1 invalid" in second.summary
    assert len(second.warnings) == 1


def test_material_with_instant_navigation_and_without_directory_urls(company: Site) -> None:
    company.config["use_directory_urls"] = False
    company.config["theme"]["features"] = ["navigation.instant", "content.tabs.link"]
    built = company.build()
    assert_no_token(built)
    assert assert_images_resolve(built) > 10


def test_no_file_is_written_outside_the_site(site: Site) -> None:
    """For every name that an author writes, files are in one folder of the site."""
    site.write("index.md", '![../../etc/passwd](imagegen:){ #../x title="../../y" }\n')
    built = site.build()
    ours = {Path(name).parts[:2] for name in built.files() if "imagegen" in name}
    assert ours == {("assets", "imagegen")}


@pytest.mark.parametrize("order", ["before us", "after us"])
def test_minify_optimize_and_privacy(site: Site, order: str) -> None:
    site.config["theme"] = {"name": "material", "font": False}
    ours = site.config["plugins"]
    theirs = [
        "privacy",
        {"optimize": {"optimize_png": False}},
        {"minify": {"minify_html": True}},
    ]
    site.config["plugins"] = [*theirs, *ours] if order == "before us" else [*ours, *theirs]
    site.write("index.md", "# Home\n\n![A dog](imagegen:)\n\n```imagegen\nA cat\n```\n")
    built = site.build()
    assert_no_token(built)
    # Without quotes where HTML needs none, as minify writes them.
    assert (
        len(
            re.findall(
                r"<img class=\"?[^\">]*\bimagegen\b[^\">]*\"? src=\"?assets/imagegen/",
                built.page("index.html"),
            )
        )
        == 2
    )
    assert assert_images_resolve(built) == 2
    first = built.files()
    second = site.build().files()
    assert {name for name in first if first[name] != second[name]} <= {"sitemap.xml.gz"}


PLAIN = """\
# Page about imagegen

```python hl_lines="2"
x = 1  # imagegen
y = [x](z)
```

~~~~ markdown
```text
![a](b.png){ width=2 }
```
~~~~

    an indented ```code``` block

<!-- ![x](y.png) and ```none``` -->

1. ![An image](y.png "Title"){ .c width=300 }

    ```
    in a list
    ```

| a | b |
|---|---|
| `{` | &amp; |

Text with <b>HTML</b>, [a link](#page) and <img src="y.png" alt="">
"""


def write_material_blog(site: Site) -> None:
    site.config["theme"] = {"name": "material", "font": False, "features": ["navigation.instant"]}
    site.config["plugins"] = ["search", "blog", "tags", "meta"]
    site.config["markdown_extensions"] += ["pymdownx.highlight", "md_in_html", "footnotes"]
    site.write("blog/index.md", "# Blog\n")
    for day in (1, 2, 3):
        front = f"---\ndate: 2026-01-0{day}\ncategories: [News]\ntags: [one]\n---\n"
        text = PLAIN.replace("<!--", "<!-- more -->\n\n<!--")
        site.write(f"blog/posts/{day}.md", front + text)


def write_i18n(site: Site) -> None:
    languages = [
        {"locale": "en", "name": "English", "build": True, "default": True},
        {"locale": "de", "name": "Deutsch", "build": True},
    ]
    i18n = {"i18n": {"docs_structure": "suffix", "languages": languages}}
    site.config["plugins"] = ["search", i18n]
    site.write("guide/page.md", PLAIN)
    site.write("guide/page.de.md", PLAIN.replace("Page", "Seite"))


def write_fenced_code(site: Site) -> None:
    site.config["markdown_extensions"] = ["attr_list", "fenced_code", "codehilite"]
    site.config["plugins"] = ["search"]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("write", [write_material_blog, write_i18n, write_fenced_code])
def test_site_without_prompts_has_the_same_bytes_as_without_the_plugin(
    site: Site, write: Callable[[Site], None], *, is_first: bool
) -> None:
    write(site)
    site.write("index.md", PLAIN)
    (site.docs / "y.png").write_bytes(b"an image")
    others = site.config["plugins"]
    without = site.build().files()
    assert len([name for name in without if name.endswith(".html")]) >= 2
    site.config["plugins"] = ["imagegen", *others] if is_first else [*others, "imagegen"]
    assert site.build().files() == without
