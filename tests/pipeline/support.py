"""Contexts, pages and directives for the tests of the pipeline."""

from __future__ import annotations

from mkdocs_imagegen.directives.directive import Directive, SourceExcerpt
from mkdocs_imagegen.hosts.gateway import gateway_factory
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.page_layout import Layout
from mkdocs_imagegen.pages.columns import UNKNOWN_THEME
from mkdocs_imagegen.pipeline.context import BuildContext, BuildMode, Page, PageFacts, Run
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import read_settings
from mkdocs_imagegen.spending.permission import Permission

SKETCHES = {"gateway": {"url": "sketch:"}}


def build_context(folder, options=None, **facts):
    """Return the context of a build with the emulator as its gateway."""
    settings = read_settings(SKETCHES | (options or {}), folder)
    given = {
        "settings": settings,
        "mode": BuildMode(),
        "permission": Permission(),
        "run": Run(),
        "open_gateway": gateway_factory(settings),
        "theme": UNKNOWN_THEME,
        "site": folder / "site",
        "site_url": "https://example.org/",
        "docs": folder / "docs",
    }
    return BuildContext(**(given | facts))


def request(prompt="A balloon", **more):
    facts = {"model": SKETCH_MODEL, "prompt": prompt, "size": Size(64, 48)}
    return ImageRequest(**(facts | more))


def directive(prompt="A balloon", **more):
    """Return a directive; `model` and other facts of the request are passed through `request`."""
    facts = {
        "request": request(prompt),
        "dark": None,
        "exact_options": frozenset(),
        "alt": prompt,
        "caption": "",
        "note": "",
        "layout": Layout(Size(64, 48)),
        "width_px": None,
        "sizes": "",
        "attributes": (),
        "source": SourceExcerpt("fence", prompt),
    }
    return Directive(**(facts | more))


def page(uri, source=""):
    return Page(f"docs/{uri}", uri, uri.replace(".md", "/"), lambda: source)


def facts_of(uri, **more):
    facts = {"title": uri, "description": "", "is_listed": True, "is_written": True}
    return PageFacts(page(uri), **(facts | more))
