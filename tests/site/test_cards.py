"""Page cards: lists of pages with their previews."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config

from tests.support import Built, Site

FRONT = "---\ndescription: {0} & more\nimagegen:\n  preview: Image of {0}\n---\n# {0}\n"
LINK = re.compile(
    r'<li><span class="imagegen-cards-picture">(.*?)</span><a href="([^"]*)">(.*?)</a>'
)


def cards(built: Built, page: str) -> list[tuple[str, str, bool]]:
    """Return title, address and presence of an image of every card of a page."""
    found = LINK.findall(built.page(page))
    return [(title, address, "<img" in image) for image, address, title in found]


def titles(built: Built, page: str) -> list[str]:
    return [title for title, _, _ in cards(built, page)]


def with_guide(site: Site, text: str, page: str = "index.md") -> None:
    site.write(page, f"# List\n\n{text}\n")
    for name in ("b", "a"):
        site.write(f"guide/{name}.md", FRONT.format(name.upper()))
    site.write("guide/plain.md", "# Plain & <i>simple</i>\n")
    site.write("guide/deep/c d.md", FRONT.format("C"))
    site.config["nav"] = [
        {"List": page},
        {"Guide": ["guide/b.md", "guide/a.md", {"Deep": ["guide/deep/c d.md"]}]},
    ]


ALL = "```imagegen-cards\nguide/**\n```"


@pytest.mark.parametrize("theme", ["mkdocs", "material"])
@pytest.mark.parametrize("page", ["index.md", "x/y/list.md"])
@pytest.mark.parametrize("directory_urls", [True, False])
def test_links_and_thumbnails_are_relative_to_the_page(
    site: Site, page: str, directory_urls: bool, theme: str
) -> None:
    site.config["theme"] = {"name": theme}
    site.config["use_directory_urls"] = directory_urls
    with_guide(site, ALL, page)
    if page != "index.md":
        site.write("index.md", "# Home\n")
    built = site.build()
    (listing,) = [name for name in built.files() if "imagegen-cards" in _text(built, name)]
    found = cards(built, listing)
    assert [title for title, _, _ in found] == ["B", "A", "C", "Plain &amp; simple"]
    assert [has for _, _, has in found] == [True, True, True, False]
    folder = (built.site / listing).parent
    for _, address, _ in found:
        target = (folder / address.replace("%20", " ")).resolve()
        assert (target / "index.html" if directory_urls else target).is_file()
        assert address.endswith("/") is directory_urls
    for name in re.findall(r"src=\"([^\"]*assets/imagegen[^\"]*)\"", built.page(listing)):
        assert (folder / name).resolve().is_file()


def _text(built: Built, name: str) -> str:
    return built.page(name) if name.endswith(".html") else ""


def test_list_is_valid_html_with_two_style_sheets(site: Site) -> None:
    with_guide(site, f"{ALL}\n\n{ALL}\n\n{ALL.replace('**', 'a.md')}")
    page = site.build().page("index.html")
    assert page.count('<ul class="imagegen-cards" role="list">') == 3
    sheets = re.findall(r'<link rel="stylesheet" href="(assets/imagegen/main\..*)">', page)
    assert len(sheets) == 2
    assert all(page.index(each) < page.index("</head>") for each in sheets)
    assert '<span class="imagegen-cards-text">A &amp; more</span>' in page
    assert "imagegen:t" not in page
    assert "<script" not in page[page.index("<ul class") : page.rindex("</ul>")]
    listing = page[page.index('<ul class="imagegen-cards"') :]
    assert 'alt=""' in listing
    assert "Image of" not in listing
    assert _is_balanced(listing[: listing.index("</ul>") + 5])


def _is_balanced(text: str) -> bool:
    opened: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, _attrs):
            if tag not in ("img", "source"):
                opened.append(tag)

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Parser().feed(text)
    return not opened


def test_page_without_cards_has_no_style(site: Site) -> None:
    with_guide(site, ALL)
    assert "imagegen-cards" not in site.build().page("guide/a/index.html")


def test_empty_block_lists_the_section_without_the_page_itself(site: Site) -> None:
    site.config["nav"] = [
        "index.md",
        {"Guide": ["guide/start.md", "other/z.md", "guide/a.md", {"Deep": ["guide/d/x.md"]}]},
    ]
    for name in ("index", "guide/a", "other/z", "guide/d/x"):
        site.write(f"{name}.md", f"# {name}\n")
    for name in ("guide/start", "index"):
        site.write(f"{name}.md", f"# {name}\n\n```imagegen-cards\n```\n")
    built = site.build(strict=True)
    assert titles(built, "guide/start/index.html") == ["other/z", "guide/a", "guide/d/x"]
    assert titles(built, "index.html") == ["guide/start"]


def test_page_outside_the_navigation_lists_its_folder(site: Site) -> None:
    site.config["nav"] = ["index.md"]
    site.config["not_in_nav"] = "/*/**"
    for name in ("index", "f/b", "f/a", "f/in/index", "f/in/deep"):
        site.write(f"{name}.md", f"# {name}\n")
    site.write("f/list.md", "# List\n\n```imagegen-cards\n```\n")
    assert titles(site.build(strict=True), "f/list/index.html") == ["f/a", "f/b", "f/in/index"]


def test_drafts_are_not_listed(site: Site) -> None:
    site.config["draft_docs"] = "guide/a.md"
    site.config["exclude_docs"] = "guide/deep/"
    with_guide(site, ALL)
    del site.config["nav"]
    assert titles(site.build(), "index.html") == ["B", "Plain &amp; simple"]


def test_drafts_are_not_listed_under_serve(site: Site) -> None:
    site.config["draft_docs"] = "guide/a.md"
    with_guide(site, ALL)
    config = load_config(str(site.save()))
    config.plugins.on_startup(command="serve", dirty=False)
    mkdocs_build(config, serve_url="http://127.0.0.1/")
    config.plugins.on_shutdown()
    built = Built(site.folder / "site")
    assert built.page("guide/a/index.html")  # it is served
    assert titles(built, "index.html") == ["B", "C", "Plain &amp; simple"]


def test_pattern_without_a_match_warns_with_its_location(site: Site) -> None:
    with_guide(site, "```imagegen-cards\nnope/*.md\n```\n\n```imagegen-cards\nguide/a*\nno<b>\n```")
    built = site.build()
    first, second = [text for text in built.warnings if "cards" in text]
    assert first.startswith('imagegen: docs/index.md:3: cards: "nope/*.md" matches no page (')
    assert second.startswith('imagegen: docs/index.md:7: cards: "no<b>" matches no page (')
    assert titles(built, "index.html") == ["A"]
    assert "This list of cards is invalid" in built.page("index.html")


def test_empty_section_warns_with_its_location(site: Site) -> None:
    site.write("index.md", "# Home\n\ntext\n\n```imagegen-cards\n```\n")
    (warning,) = site.build().warnings
    assert warning.startswith("imagegen: docs/index.md:5: cards: the section of this page has no")


PLACES = """\
# List

- In a list

    ```imagegen-cards
    guide/a.md
    ```

!!! note

    ```imagegen-cards
    guide/b.md
    ```

````markdown
```imagegen-cards
sample/*.md
```
````

<!--
```imagegen-cards
comment/*.md
```
-->

    ```imagegen-cards
    indented/*.md
    ```
"""


def test_block_in_a_comment_or_in_code_is_not_a_list(site: Site) -> None:
    with_guide(site, "")
    site.write("index.md", PLACES)
    built = site.build()
    assert titles(built, "index.html") == ["A", "B"]
    assert [text for text in built.warnings if "cards" in text] == []
    assert "sample/*.md" in built.page("index.html")


@pytest.mark.parametrize("header", ["imagegen-cards", "{ .imagegen-cards }"])
@pytest.mark.parametrize("extension", ["pymdownx.superfences", "fenced_code"])
def test_backticks_and_tildes_are_fences(site: Site, extension: str, header: str) -> None:
    site.config["markdown_extensions"] = ["attr_list", extension]
    with_guide(site, f"```{header}\nguide/a.md\n```\n\nBelow")
    built = site.build()
    assert titles(built, "index.html") == ["A"]
    assert re.search(r"</ul>\s*<p>Below", built.page("index.html"))


def test_options_of_a_list_are_an_error(site: Site) -> None:
    with_guide(site, '```imagegen-cards columns="3"\nguide/a.md\n```')
    built = site.build()
    (warning,) = [text for text in built.warnings if "cards" in text]
    assert warning.startswith('imagegen: docs/index.md:3: cards: unknown option "co')


def test_built_in_fenced_code_in_a_list_is_an_error(site: Site) -> None:
    """The author gets a warning, and readers see no code."""
    site.config["markdown_extensions"] = ["attr_list", "fenced_code"]
    with_guide(site, "- x\n\n    ```imagegen-cards\n    guide/a.md\n    ```\n")
    (warning,) = (
        text for text in site.build().warnings if "was not read as an image block" in text
    )
    assert warning.endswith("add `pymdownx.superfences` to `markdown_extensions`")


def test_search_index_has_the_cards_and_no_token(site: Site) -> None:
    site.config["plugins"] = ["search", *site.config["plugins"]]
    with_guide(site, ALL)
    built = site.build()
    for name, content in built.files().items():
        assert b"imagegen:t" not in content, name
        assert b"data-imagegen-cards" not in content, name
    assert "B & more" in built.page("search/search_index.json")


def test_repeat_build_has_the_same_bytes(site: Site) -> None:
    with_guide(site, ALL)
    before = site.build().files()
    site.options["generate"] = False
    second = site.build()
    assert second.files() == before
    assert "imagegen: 3 images: 3 sketches reused" in second.summary
