"""Social tags in the head of a page."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pages import social
from mkdocs_imagegen.pages.social import SocialCard, add_social_tags, insert_in_head

CARD = SocialCard("https://x.org/a.jpg", "image/jpeg", Size(1200, 630), "A cat", replaces=False)
PAGE = "<!doctype html>\n<html>\n<head>\n<title>x</title>\n{0}</head>\n<body>é</body>\n</html>"
PAYLOADS = [
    '"><script>alert(1)</script>',
    "Tom & 'Jerry' <b>",
    "&lt;already&gt; &amp; escaped",
    "a\u2028b\x85c\x0cd",
    "é 𝄞 \U0001f600",
    "</head>",
]


def metas(page: str) -> list[tuple[str, str]]:
    """Name and content of every social tag of a page."""
    found: list[tuple[str, str]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            said = dict(attrs)
            name = said.get("property") or said.get("name") or ""
            if tag == "meta" and name.startswith(("og:image", "twitter")):
                found.append((name, said.get("content") or ""))

    Parser().feed(page)
    return found


@pytest.mark.parametrize("payload", PAYLOADS)
def test_values_are_escaped_once(payload: str) -> None:
    page = add_social_tags(
        PAGE.format(""), replace(CARD, alt=payload, url=f"https://x.org/{payload}")
    )
    assert metas(page) == [
        ("og:image", f"https://x.org/{payload}"),
        ("og:image:type", "image/jpeg"),
        ("og:image:width", "1200"),
        ("og:image:height", "630"),
        ("og:image:alt", payload),
        ("twitter:card", "summary_large_image"),
    ]
    assert page.endswith("\n</head>\n<body>é</body>\n</html>")


def test_decoration_has_no_alt_tag() -> None:
    page = add_social_tags(PAGE.format(""), replace(CARD, alt=""))
    assert "og:image:alt" not in page


OTHERS = [
    '<meta property="og:image" content="https://other.org/x.png">\n',
    "<META content='https://other.org/x.png' PROPERTY='OG:image' />\n",
    "<meta name=og:image content=https://other.org/x.png>\n",
    '\u2028\x85\x0c<meta property="og:image:alt" content="x"><meta\n property="og:image" content>',
]


@pytest.mark.parametrize("other", OTHERS)
def test_page_keeps_the_card_of_a_theme(other: str) -> None:
    page = PAGE.format(other)
    assert add_social_tags(page, CARD) == page


@pytest.mark.parametrize("other", OTHERS)
def test_card_that_replaces_is_the_only_one(other: str) -> None:
    rest = '<meta property="og:title" content="kept"><meta name="twitter:card" content="summary">'
    page = add_social_tags(PAGE.format(other + rest), replace(CARD, replaces=True))
    assert [said for name, said in metas(page) if name == "og:image"] == [CARD.url]
    assert [said for name, said in metas(page) if name == "twitter:card"] == ["summary_large_image"]
    assert 'content="kept"' in page
    assert "other.org" not in page


def test_theme_that_shows_the_image_gets_the_other_tags() -> None:
    page = add_social_tags(PAGE.format(f'<meta property="og:image" content="{CARD.url}">'), CARD)
    assert [name for name, _ in metas(page)].count("og:image") == 1
    assert ("og:image:width", "1200") in metas(page)


def test_comments_and_scripts_have_no_tags() -> None:
    hidden = (
        '<!-- <meta property="og:image" content="x"></head> -->\n'
        '<script>var x = "<meta property=og:image content=x></head>";</script>\n'
    )
    page = add_social_tags(PAGE.format(hidden), CARD)
    assert page.index(CARD.url) > page.index("</script>")
    assert hidden in page


@pytest.mark.parametrize("page", ["", "<p>x</p>", "text", "<head><title>never closed"])
def test_page_without_a_head_is_unchanged(page: str) -> None:
    assert add_social_tags(page, CARD) == page
    assert insert_in_head(page, "<style></style>") == page


def test_link_is_inserted_at_the_end_of_the_head_without_a_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(social, "_read_head")
    assert insert_in_head(PAGE.format(""), "<link>") == PAGE.format("<link>")


@pytest.mark.parametrize("end", ["</head>\n<body>", "<body>", "</head><!-- x --><body>"])
def test_link_is_not_inserted_in_a_script(end: str) -> None:
    script = '<head><script>x = "</head><body>"</script>'
    assert insert_in_head(f"{script}{end}", "<link>") == f"{script}<link>{end}"


def test_head_without_an_end_tag_ends_at_the_body() -> None:
    page = add_social_tags("<title>x</title><body><p>y</p>", CARD)
    assert page.index("og:image") < page.index("<body>")
