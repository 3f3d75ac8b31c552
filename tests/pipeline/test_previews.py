"""Tests of previews of pages, and of the pages of lists."""

from __future__ import annotations

import pytest

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import Directive
from mkdocs_imagegen.directives.marker import find_shown_images
from mkdocs_imagegen.directives.page_list import find_shown_lists
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.imaging.image import ImageSource, PageImage
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.pipeline.context import SitePages
from mkdocs_imagegen.pipeline.previews import Previews, with_block
from tests.pipeline.support import build_context, facts_of, page

OWN = {"imagegen": {"preview": "A harbour"}}
AT_TOP = {"imagegen": {"preview": "A harbour", "preview_position": "top"}}
PAGES = ("index.md", "a/one.md", "a/two.md", "b/three.md")


class Site:
    """Previews with a registry of their own."""

    def __init__(self, folder, options=None, **facts):
        context = build_context(folder, options, **facts)
        self.registry = Registry(site_defaults(context.settings))
        self.previews = Previews(context, self.registry)

    def add(self, uri, front_matter=None, content="", **facts):
        """Add a page as the pipeline does, and return its preview."""
        self.registry.open_page(uri, front_matter or {})
        preview = self.previews.read(page(uri), lambda: facts_of(uri, **facts))
        self.previews.add(page(uri), preview, content)
        return preview


@pytest.fixture
def site(tmp_path):
    return lambda *given, **facts: Site(tmp_path, *given, **facts)


def test_preview_of_the_page_wins_over_the_default_of_the_site(site):
    shown = site({"previews": {"default": "A cover for {title}"}})
    assert shown.add("a.md", OWN).directive.request.prompt == "A harbour"
    default = shown.add("b.md", title="Guide")
    assert (default.directive.request.prompt, default.is_own) == ("A cover for Guide", False)


def test_page_of_a_plugin_gets_no_default(site):
    shown = site({"previews": {"default": "A cover for {title}"}})
    assert shown.add("archive.md", is_written=False) is None


def test_page_without_a_preview_needs_no_facts(site):
    shown = site()
    assert shown.previews.read(page("a.md"), lambda: pytest.fail("facts were read")) is None
    assert shown.previews.add(page("a.md"), None, "") == ""
    assert shown.previews.card_token("a.md") == shown.previews.card_token("unknown.md") == ""


@pytest.mark.parametrize(
    ("content", "result"),
    [("<h1>T</h1>\n<p>x</p>", "<h1>T</h1>\n{}\n<p>x</p>"), ("<p>x</p>", "{}\n<p>x</p>")],
)
def test_preview_at_the_top_is_below_the_heading(site, content, result):
    preview = site().add("a.md", AT_TOP)
    with_marker = with_block(content, preview)
    (image,) = find_shown_images(with_marker)
    assert image.address == preview.token
    before, after = result.split("{}")
    assert with_marker.startswith(before)
    assert with_marker.endswith(after)


@pytest.mark.parametrize("front_matter", [{}, OWN])
def test_other_pages_stay_as_they_are(site, front_matter):
    assert with_block("<p>x</p>", site().add("a.md", front_matter)) == "<p>x</p>"


def test_card_has_the_size_of_social_cards(site):
    shown = site()
    shown.add("a.md", OWN)
    card = shown.registry.get(shown.previews.card_token("a.md"))
    assert (card.layout.size, card.layout.is_card) == (Size(1200, 630), True)
    image = PageImage((ImageSource("image/jpeg", (("assets/x.jpeg", 1200),)),), Size(1200, 630))
    social = shown.previews.social_card("a.md", image)
    assert social.url == "https://example.org/assets/x.jpeg"
    assert (social.mime, social.alt, social.replaces) == ("image/jpeg", "A harbour", True)


@pytest.mark.parametrize(("front_matter", "has_token"), [(OWN, True), (AT_TOP, False)])
def test_error_of_a_preview_is_reported_once(site, front_matter, has_token):
    shown = site()
    settings = {"imagegen": front_matter["imagegen"] | {"preview": {"name": "unknown"}}}
    preview = shown.add("a.md", settings)
    assert not isinstance(preview.directive, Directive)
    assert bool(shown.previews.card_token("a.md")) is has_token


def lists(site, body, order=PAGES, sections=(), **facts):
    """Return the listed URLs of a list on `index.md`."""
    marker = site.registry.add_cards_block("index.md", body, {})
    assert len(list(find_shown_lists(marker))) == 1
    for uri in PAGES[1:]:
        site.add(uri, OWN)
    site.add("index.md", content=marker)
    pages = SitePages(PAGES, order, lambda uri: facts_of(uri, **facts), lambda _: sections)
    thumbnails = list(site.previews.resolve(pages))
    html = site.previews.fill_lists(marker, "")
    return [uri for uri in order if f'href="{uri.replace(".md", "/")}"' in html], thumbnails, html


def test_list_has_the_pages_of_its_globs_in_the_order_of_the_navigation(site):
    shown = site()
    order = ("b/three.md", "a/two.md", "a/one.md", "index.md")
    uris, thumbnails, html = lists(shown, "a/*\nb/**", order)
    assert uris == ["b/three.md", "a/two.md", "a/one.md"]
    assert html.index("three") < html.index("two") < html.index("one")
    assert [uri for _, uri in thumbnails] == ["index.md"] * 3


def test_list_without_globs_has_the_pages_of_its_section(site):
    uris, _, _ = lists(site(), "", sections=("index.md", "a/two.md", "unknown.md"))
    assert uris == ["a/two.md"]


def test_drafts_are_not_listed(site, caplog):
    uris, _, _ = lists(site(), "a/*", is_listed=False)
    assert uris == []
    assert '"a/*" matches no page' in caplog.text


def test_error_of_a_list_is_logged_once(site, caplog):
    lists(site(), "nope/*")
    (message,) = caplog.messages
    assert message.startswith('imagegen: docs/index.md: cards: "nope/*" matches no page')
