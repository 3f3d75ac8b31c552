"""Directives in Markdown, by case files.

A case has a name, `under` (the sets of Markdown extensions below), `markdown`, and `finds`: the
images that the page shows, in order, each with the facts that the case is about. It can have
`settings` of the site, `page` (the `imagegen:` entry of the front matter) and `page_fault` (the
error in it), `files` that are included, `configs` of extensions, and `html` that the page must
contain. In a case `{options}` stands for the names of all options.
"""

from __future__ import annotations

from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace

import markdown
import pytest
from markdown.treeprocessors import Treeprocessor

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import InvalidDirective
from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.directives.marker import find_shown_images
from mkdocs_imagegen.directives.options import DirectiveOptions
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.option_parsers import OptionsError, option_names
from mkdocs_imagegen.pipeline.context import Page
from mkdocs_imagegen.pipeline.placements import Placements
from mkdocs_imagegen.settings import read_settings
from tests.support import read_yaml

COMMON = ["attr_list", "tables", "md_in_html", "admonition", "footnotes", "def_list"]
PYMDOWNX = ["pymdownx.tabbed", "pymdownx.details", "pymdownx.snippets", "pymdownx.inlinehilite"]
UNDER = {
    "superfences": ["pymdownx.superfences", *COMMON, *PYMDOWNX],
    "extra": ["pymdownx.extra", "admonition", *PYMDOWNX],
    "fenced": ["fenced_code", *COMMON],
    "codehilite": ["fenced_code", "codehilite", *COMMON],
    "highlight": ["fenced_code", "pymdownx.highlight", *COMMON],
    "no attributes": ["fenced_code", "tables"],
    "nothing": [],
}
OPTIONS = ", ".join(sorted(option_names(DirectiveOptions)))
CASES = [
    pytest.param(case, UNDER[under], id=f"{path.stem}: {case['name']} ({under})")
    for path in sorted(Path(__file__).with_name("cases").glob("*.yml"))
    for case in read_yaml(path.read_text().replace("{options}", OPTIONS))
    for under in case["under"]
]


class PageTreeprocessor(Treeprocessor):
    """Double of MkDocs' own processor, which knows the page."""

    file = SimpleNamespace(src_uri="page.md")


@pytest.mark.parametrize(("case", "extensions"), CASES)
def test_page_shows(case, extensions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in case.get("files", {}).items():
        Path(name).write_text(text)
    registry = Registry(site_defaults(read_settings(case.get("settings", {}), tmp_path)))
    open_page(registry, case)
    md = markdown.Markdown(
        extensions=[*extensions, *case.get("more", []), ImagegenExtension(lambda: registry)],
        extension_configs=case.get("configs", {}),
    )
    md.treeprocessors.register(PageTreeprocessor(), "relpath", 0)
    html = md.convert(case["markdown"])
    shown = list(shown_by(html, registry, case["markdown"]))
    found = [
        {fact: each.get(fact, "absent") for fact in facts}
        for each, facts in zip_longest(shown, case["finds"], fillvalue={})
    ]
    assert found == case["finds"], html
    for part in case.get("html", []):
        assert part in html


def open_page(registry, case):
    fault = case.get("page_fault")
    with pytest.raises(OptionsError, match=fault) if fault else nullcontext():
        registry.open_page("page.md", {"imagegen": case.get("page")})


def shown_by(html, registry, source):
    """Yield the facts of each image of the page."""
    page, placements = a_page(source), Placements(registry.source_of)
    placements.open_page(page)
    for image in find_shown_images(html):
        found = registry.get(image.address)
        if found is None:
            yield {"by hand": image.address}
            continue
        placements.add(page, image.address)
        location = placements.locate(list(placements)[-1], found)
        yield facts(found) | {"line": location.line}


def a_page(source):
    return Page("docs/page.md", "page.md", "page/", lambda: source)


def facts(found):
    if isinstance(found, InvalidDirective):
        return {"error": found.text}
    request = found.request
    return {
        "prompt": request.prompt,
        "model": request.model,
        "size": str(request.size),
        "quality": request.quality,
        "background": request.background,
        "take": request.take,
        "is_exact": found.is_exact,
        "alt": found.alt,
        "caption": found.caption,
        "note": found.note,
        "dark": found.dark and found.dark.prompt,
        "layout": facts_of_layout(found.layout),
        "sizes": found.sizes,
        "percent": found.percent,
        "layout_size": str(found.layout_size),
        "attributes": dict(found.attributes),
    }


def facts_of_layout(layout):
    widths = None if layout.widths is None else list(layout.widths)
    return {"size": str(layout.size), "widths": widths, "focus": list(layout.focus)}
