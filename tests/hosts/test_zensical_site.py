"""The pages of a site of Zensical, read from the disk without Zensical."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click import ClickException
from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from mkdocs.config.base import load_config
from mkdocs.structure.files import get_files
from mkdocs.structure.nav import get_navigation

from mkdocs_imagegen.errors import SiteError
from mkdocs_imagegen.hosts import zensical_look
from mkdocs_imagegen.hosts.mkdocs.build import _plain_text
from mkdocs_imagegen.hosts.zensical import makeExtension
from mkdocs_imagegen.hosts.zensical_look import open_site
from mkdocs_imagegen.hosts.zensical_site import ZensicalSite
from mkdocs_imagegen.log import run_filter
from mkdocs_imagegen.option_parsers import OptionsError
from mkdocs_imagegen.pages.columns import theme_named
from mkdocs_imagegen.pipeline.context import BuildMode

HEADINGS = [
    "# The `run` command { #run }",
    "# Use [MkDocs](https://mkdocs.org) *&amp; more* `<T>` \\*",
    "# See [one][1], [two] and <https://e.org/> <!-- > -->\n\n[1]: a.md\n[two]: b.md",
    "\nSetext title\n============\nText",
    "```\n# install it\n```",
    "Text\n\n# Second",
    "# First\ntext\n\n# Second",
    "## Second",
    "#Tight#",
    '# "Quoted" -- it\'s ![A cat](a.png "t") { .c }',
    "# A <b>b</b> ![A balloon](imagegen:)",
    "<!-- note -->\n# Title",
    "",
]


def create_site(folder: Path, **config: Any) -> ZensicalSite:
    fixed = {
        "root_dir": str(folder),
        "docs_dir": "docs",
        "site_dir": "site",
        "use_directory_urls": True,
        "markdown_extensions": ["attr_list", "smarty"],
        "mdx_configs": {},
        "plugins": {},
    }
    return ZensicalSite({**fixed, **config}, folder / "mkdocs.yml")


def test_theme_has_the_columns_of_material_unless_the_site_changes_them(tmp_path: Path) -> None:
    material = theme_named("material", follows_palette=True)
    theme = {"name": None, "features": ["toc.integrate"], "custom_dir": None}
    assert create_site(tmp_path).theme == material
    assert not create_site(tmp_path, theme={"name": "other"}).theme.widths
    assert create_site(tmp_path, theme=theme).theme.column({}) == material.column({"hide": "toc"})
    (tmp_path / "own").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "own/main.html").write_text("<style>.md-grid { max-width: 100rem }</style>")
    (tmp_path / "docs/own.css").write_text("img { width: auto }")
    assert create_site(tmp_path, theme=theme | {"custom_dir": "own"}).theme.column({}) == ()
    assert not create_site(tmp_path, theme=theme, extra_css=["own.css"]).theme.has_auto_sizes


class Context(Extension, Preprocessor):
    """Extension that names the page, like the one of Zensical."""

    def __init__(self, page: object, config: dict[str, Any]) -> None:
        super().__init__()
        self.page, self.config = page, config

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        md.preprocessors.register(self, "rendering_context", 0)

    def run(self, lines: list[str]) -> list[str]:
        return lines


@pytest.mark.parametrize("body", ["", "\n", "# Title"])
def test_preview_of_a_page_is_shown_even_if_its_body_is_empty(tmp_path: Path, body: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(
        f"---\nimagegen: {{preview: A balloon, preview_position: top}}\n---\n{body}"
    )
    options = {"gateway": {"url": "sketch:"}}
    name = "mkdocs_imagegen.hosts.zensical"
    config = create_site(tmp_path, mdx_configs={name: options}, site_url="https://e.org").config
    page = SimpleNamespace(path="index.md", meta={})
    md = Markdown(extensions=[Context(page, config), makeExtension(**options)])
    assert "assets/imagegen/" in md.convert(body)
    assert "assets/imagegen/" in page.meta["image"]
    assert not md.convert("")


def render(config: dict[str, Any], path: str, body: str) -> str:
    page = SimpleNamespace(path=path, meta={})
    return Markdown(
        extensions=[Context(page, config), "pymdownx.superfences", makeExtension()]
    ).convert(body)


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the folders that were listed."""
    names: list[str] = []
    scandir = os.scandir

    def spy(path: Any) -> Any:
        names.append(Path(path).name)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", spy)
    return names


CARDS = "```imagegen-cards\nguide/*.md\n```\n![A kite](imagegen:)\n"


def write_pages(folder: Path, *names: str) -> dict[str, Any]:
    """Write pages of an hour ago, and return the configuration of their site."""
    for name in names:
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\nimagegen: {{preview: About {path.stem}}}\n---\n# {path.stem}\n")
    (folder / "docs" / "assets" / "imagegen").mkdir(parents=True)
    make_old(folder / "docs")
    options = {"gateway": {"url": "sketch:"}, "prompts": "prompts.yml"}
    (folder / "prompts.yml").touch()
    make_old(folder / "prompts.yml")
    return create_site(folder, mdx_configs={"mkdocs_imagegen.hosts.zensical": options}).config


def make_old(path: Path) -> None:
    hour_ago = time.time() - 3600
    for each in (path, *path.rglob("*")):
        os.utime(each, (hour_ago, hour_ago))


def test_pages_of_one_build_list_the_docs_folder_once(tmp_path: Path, listed: list[str]) -> None:
    config = write_pages(tmp_path, "guide/a.md", "guide/b.md", "index.md")
    listed.clear()
    for name in ("index.md", "guide/a.md", "guide/b.md"):
        assert "imagegen-cards" in render(config, name, CARDS)
    assert [listed.count(name) for name in ("docs", "guide")] == [1, 1]
    render(dict(config), "index.md", CARDS)
    assert listed.count("docs") == 2


@pytest.mark.parametrize("is_new", [True, False])
def test_cards_follow_a_page_that_is_saved_while_serving(tmp_path: Path, *, is_new: bool) -> None:
    config = write_pages(tmp_path, "guide/a.md", "index.md")
    render(config, "index.md", CARDS)
    (tmp_path / "docs" / "guide" / ("b.md" if is_new else "a.md")).write_text("# Saved")
    cards = render(config, "index.md", CARDS)
    assert (len(re.findall(r"<li\b", cards)), "Saved" in cards) == (1 + is_new, True)


def test_named_prompts_are_read_again_after_a_change(tmp_path: Path) -> None:
    config = write_pages(tmp_path, "index.md")
    (tmp_path / "prompts.yml").write_text("hero: A ferry")
    make_old(tmp_path / "prompts.yml")
    assert 'alt="A ferry"' in render(config, "index.md", "![](imagegen:hero)")
    (tmp_path / "prompts.yml").write_text("hero: A kite in the sky")
    assert 'alt="A kite in the sky"' in render(config, "index.md", "![](imagegen:hero)")


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Pages that were rendered, in a site whose configuration and pages a double reads."""
    uris: list[str] = []
    config = write_pages(tmp_path, "guide/a.md", "index.md")
    config |= {"markdown_extensions": list(config["mdx_configs"]), "watch": []}
    (tmp_path / "mkdocs.yml").touch()

    def render(body: str, uri: str, *_: object) -> dict[str, str]:
        uris.append(uri)
        page = SimpleNamespace(path=uri, meta={})
        context = Context(page, config)
        extensions = [context, "pymdownx.superfences", makeExtension()]
        return {"content": Markdown(extensions=extensions).convert(body)}

    parsed = SimpleNamespace(parse_config=lambda _: config)
    monkeypatch.setitem(sys.modules, "zensical.config", parsed)
    monkeypatch.setitem(sys.modules, "zensical.markdown.render", SimpleNamespace(render=render))
    return uris


def test_generate_renders_each_page_once(tmp_path: Path, rendered: list[str]) -> None:
    docs = tmp_path / "docs"
    (docs / "index.md").write_text(CARDS)
    mode = BuildMode(generate=True, publish=False)
    site = zensical_look.look(tmp_path / "mkdocs.yml", mode, None, ())
    assert [row.state.word for row in site.rows] == ["generated"] * 2
    assert rendered == ["guide/a.md", "index.md"]
    published = {each.name for each in (docs / "assets" / "imagegen").iterdir()}
    config = sys.modules["zensical.config"].parse_config("")
    html = render(config, "index.md", CARDS)
    assert set(re.findall(r"assets/imagegen/([\w.-]+)", html)) < published


@pytest.mark.parametrize("text", HEADINGS)
@pytest.mark.parametrize("name", ["index.md", "a/README.md", "a/How_to-do.md", "a/how-to_do.md"])
def test_title_is_that_of_mkdocs(tmp_path: Path, name: str, text: str) -> None:
    page = tmp_path / "docs" / name
    page.parent.mkdir(parents=True)
    page.write_text(text)
    options = "plugins: []\nmarkdown_extensions: [attr_list, smarty]\n"
    (tmp_path / "mkdocs.yml").write_text(f"site_name: x\n{options}")
    config = load_config(str(tmp_path / "mkdocs.yml"))
    files = get_files(config)
    get_navigation(files, config)
    known = files.get_file_from_path(name).page
    known.read_source(config)
    known.render(config, files)
    title = create_site(tmp_path).facts(name).title
    expected = _plain_text(known.title)
    # The plugin takes the text of its own images out of the heading.
    assert title == expected.replace("A balloon", "").strip()


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"glob": ["drafts/*"]}, ["a/x.md", "x.md"]),
        ({"glob": ["x.md", "*/y.md"]}, ["a/x.md", "drafts/x.md"]),
        ({"glob": ["**/x.md"]}, ["drafts/sub/y.md"]),
        ({"glob": ["{drafts,a}/*"]}, ["x.md"]),
        ({"glob": ["{a/x,{drafts/sub/y,drafts/x}}.md"]}, ["x.md"]),
        ({"glob": ["{**/,}x.md"]}, ["drafts/sub/y.md"]),
        ({"glob": ["*/{x,}.md"]}, ["drafts/sub/y.md", "x.md"]),
        ({"regex": ["drafts/.*x", "y"]}, ["a/x.md", "drafts/sub/y.md", "x.md"]),
        ({"glob": ["*"], "enabled": False}, ["a/x.md", "drafts/sub/y.md", "drafts/x.md", "x.md"]),
    ],
)
def test_pages_that_the_exclude_plugin_leaves_out_are_not_read(
    tmp_path: Path, options: dict[str, Any], left: list[str]
) -> None:
    """The expected pages are those that Zensical 0.1.3 writes."""
    for name in ("x.md", "a/x.md", "drafts/x.md", "drafts/sub/y.md"):
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).touch()
    known = {"enabled": True, "glob": [], "regex": []}
    site = create_site(tmp_path, plugins={"exclude": {"config": {**known, **options}}})
    assert site.uris == left


ROOT_META = """\
---
imagegen: {style: Root, size: 400x200}
tags: [root]
"""


def test_front_matter_of_folders_is_merged_by_the_meta_plugin(tmp_path: Path) -> None:
    """The expected values are those that Zensical 0.0.73 and 0.1.3 pass to extensions."""
    write_pages(tmp_path, "index.md", "a/b/x.md")
    (tmp_path / "docs" / ".meta.yml").write_text(ROOT_META)
    (tmp_path / "docs" / "a" / ".meta.yml").write_text("imagegen: {style: A, quality: low}\n")
    own = "---\nimagegen: {style: Own}\ntags: [own]\n---\n# B\n"
    (tmp_path / "docs" / "a" / "b" / "x.md").write_text(own)
    make_old(tmp_path / "docs")
    options = {"enabled": True, "meta_file": ".meta.yml"}
    site = create_site(tmp_path, plugins={"meta": {"config": options}})
    assert site.source("a/b/x.md").meta == {
        "imagegen": {"style": "Own", "size": "400x200", "quality": "low"},
        "tags": ["root", "own"],
    }
    assert site.source("index.md").meta["tags"] == ["root"]
    (tmp_path / "docs" / ".meta.yml").write_text("tags: [saved]")
    assert site.source("a/b/x.md").meta["tags"] == ["saved", "own"]
    options["enabled"] = False
    assert site.source("a/b/x.md").meta == {"imagegen": {"style": "Own"}, "tags": ["own"]}


@pytest.mark.parametrize(
    ("options", "unused"),
    [
        (
            {"serve": "sketch", "report": "r.json", "draft": {"quality": "low"}},
            "serve, draft, report",
        ),
        ({"serve_delay": 5}, "serve_delay"),
        ({"serve": "placeholder", "report": None, "quality": "low"}, ""),
    ],
)
def test_options_without_an_effect_are_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, options: dict[str, Any], unused: str
) -> None:
    run_filter.begin_run()
    name = "mkdocs_imagegen.hosts.zensical"
    for _ in range(2):
        _ = create_site(tmp_path, mdx_configs={name: options}).settings
    assert len(caplog.messages) == bool(unused)
    assert all(each.endswith(f": {unused}") for each in caplog.messages)


@pytest.mark.parametrize(
    ("originals_dir", "watch", "created"),
    [
        ("imagegen-originals", "imagegen-originals", ["imagegen-originals"]),
        ("my pics", "./my pics", ["my pics"]),
        ("a/b", "a/b", ["a", "a/b"]),
        ("a/b", "a", ["a"]),
        ("pics", "other", None),
        ("pics", "pics/old", None),
    ],
)
def test_only_generate_creates_the_originals_folder_that_is_watched(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    originals_dir: str,
    watch: str,
    created: list[str] | None,
) -> None:
    def parse_config(path: str) -> dict[str, Any]:
        if not (Path(path).parent / watch).exists():
            raise ClickException(f"Watch path does not exist: {watch}")
        name = "mkdocs_imagegen.hosts.zensical"
        options = {name: {"originals_dir": originals_dir}}
        return create_site(tmp_path, markdown_extensions=[name], mdx_configs=options).config

    monkeypatch.setitem(sys.modules, "zensical.config", SimpleNamespace(parse_config=parse_config))
    for creates_watched in (False, True):
        with pytest.raises(ClickException) if created is None else contextlib.nullcontext():
            open_site(tmp_path / "mkdocs.yml", creates_watched=creates_watched)
        left = sorted(each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*"))
        assert left == (created if created and creates_watched else [])


@pytest.mark.parametrize("is_ours", [True, False])
def test_error_that_ends_a_build_is_shown_without_traceback(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    is_ours: bool,
) -> None:
    others: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *each: others.append(each))
    options = {"mkdocs_imagegen.hosts.zensical": {"modle": "a/b"}}
    config = create_site(tmp_path, mdx_configs=options).config
    with pytest.raises(OptionsError) as caught:
        render(config, "index.md", CARDS)
    caplog.clear()
    text = f"OptionsError: {caught.value}\nTraceback: ..." if is_ours else "KeyError"
    sys.excepthook(RuntimeError, RuntimeError(f"Python error: {text}"), None)
    assert (len(caplog.messages), len(others)) == ((1, 0) if is_ours else (0, 1))
    if is_ours:
        assert caplog.messages == [f"imagegen: {caught.value}"]


def test_broken_configuration_is_an_error_without_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def parse_config(path: str) -> dict[str, Any]:
        raise ValueError(f"Expected '=' after a key\n(in {Path(path).name})")

    monkeypatch.setitem(sys.modules, "zensical.config", SimpleNamespace(parse_config=parse_config))
    file = tmp_path / "zensical.toml"
    file.write_text("[project\n")
    with pytest.raises(SiteError, match=r"cannot be read: Expected '=' after a key \(in zensical"):
        zensical_look.settings_of(file)
