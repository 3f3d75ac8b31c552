"""What is found in Markdown, by case files: what is written, and what it stands for.

A case has a name, `under` (the sets of Markdown extensions below), `markdown`, and `finds`: what
the page shows, in order, each with those facts that the case is about. It may have `settings` of
the site, `page` (the `imagegen:` entry of the front matter), `files` that are included, `configs`
of extensions, and `html` that has to be in the page.
"""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace

import markdown
import pytest
import yaml
from markdown.treeprocessors import Treeprocessor

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.directive import Mistake
from mkdocs_imagegen.directives.extension import ImagegenExtension
from mkdocs_imagegen.directives.marker import shown_pictures
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.settings import read_settings
from mkdocs_imagegen.sightings import Page, Sightings

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
CASES = [
    pytest.param(case, UNDER[under], id=f"{path.stem}: {case['name']} ({under})")
    for path in sorted(Path(__file__).with_name("cases").glob("*.yml"))
    for case in yaml.safe_load(path.read_text())
    for under in case["under"]
]


class HostsPaths(Treeprocessor):
    """As MkDocs' own, which knows the page."""

    file = SimpleNamespace(src_uri="page.md")


@pytest.mark.parametrize(("case", "extensions"), CASES)
def test_a_page_shows(case, extensions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in case.get("files", {}).items():
        Path(name).write_text(text)
    registry = Registry(site_defaults(read_settings(case.get("settings", {}), tmp_path)))
    registry.open_page("page.md", {"imagegen": case.get("page")})
    md = markdown.Markdown(
        extensions=[*extensions, *case.get("more", []), ImagegenExtension(registry)],
        extension_configs=case.get("configs", {}),
    )
    md.treeprocessors.register(HostsPaths(), "relpath", 0)
    html = md.convert(case["markdown"])
    found = list(what_is_shown(html, registry, case["markdown"]))
    wanted = case["finds"]
    told = [
        {fact: each.get(fact, "nothing") for fact in facts}
        for each, facts in zip_longest(found, wanted, fillvalue={})
    ]
    assert told == wanted, html
    for part in case.get("html", []):
        assert part in html


def what_is_shown(html, registry, source):
    """What stands behind each picture of the page, as a case may state it."""
    page, sightings = Page("docs/page.md", "page.md", "page/", lambda: source), Sightings()
    sightings.open_page(page)
    for picture in shown_pictures(html):
        found = registry.get(picture.address)
        if found is None:
            yield {"by hand": picture.address}
            continue
        sightings.add(page, picture.address)
        yield facts(found) | {"line": list(sightings)[-1].place(found).line}


def facts(found):
    if isinstance(found, Mistake):
        return {"mistake": found.text}
    asked = found.request
    return {
        "prompt": asked.prompt,
        "model": asked.model,
        "size": str(asked.size),
        "quality": asked.quality,
        "background": asked.background,
        "take": asked.take,
        "insists": found.insists,
        "alt": found.alt,
        "caption": found.caption,
        "layout": str(found.layout),
        "attributes": dict(found.attributes),
    }
