"""The site generator of a site, by its configuration file and by what is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from mkdocs_imagegen.errors import SiteError
from mkdocs_imagegen.hosts import look
from mkdocs_imagegen.hosts.look import find_site, globs_of, ignored_plugin, settings_of
from mkdocs_imagegen.option_parsers import OptionsError
from mkdocs_imagegen.settings.prompts import plugin_options

PLUGIN = "plugins:\n  - search\n  - imagegen: {size: 400x200}\n"
BRIDGE = "markdown_extensions:\n  - {0}:\n      size: 400x200\n"
TAGS = "theme:\n  custom: !!python/name:os.sep \nsite_name: !ENV [NAME, imagegen]\n"
ALL = "properdocs mkdocs zensical"

Install = Callable[[str], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """Sets the packages that are installed; the current folder is that of the site."""
    monkeypatch.chdir(tmp_path)

    def install(packages: str) -> None:
        specs = {name: ModuleSpec(name, None, origin="file") for name in packages.split()}
        monkeypatch.setattr(look, "find_spec", specs.get)

    return install


@pytest.mark.parametrize(
    ("files", "packages", "found"),
    [
        ("mkdocs.yml", ALL, "MkDocs mkdocs.yml"),
        ("mkdocs.yaml", ALL, "MkDocs mkdocs.yaml"),
        ("mkdocs.yml", "properdocs", "ProperDocs mkdocs.yml"),
        ("mkdocs.yml", "properdocs zensical", "ProperDocs mkdocs.yml"),
        ("mkdocs.yml", "zensical", "Zensical mkdocs.yml"),
        ("properdocs.yml mkdocs.yml zensical.toml", ALL, "ProperDocs properdocs.yml"),
        ("properdocs.yaml", ALL, "ProperDocs properdocs.yaml"),
        ("properdocs.yml mkdocs.yml", "mkdocs", "MkDocs mkdocs.yml"),
        ("mkdocs.yml zensical.toml", ALL, "MkDocs mkdocs.yml"),
        ("mkdocs.yml zensical.toml", "zensical", "Zensical zensical.toml"),
        ("zensical.toml", ALL, "Zensical zensical.toml"),
    ],
)
def test_site_belongs_to_a_generator(
    files: str, packages: str, found: str, install: Install
) -> None:
    install(packages)
    for name in files.split():
        Path(name).write_text(PLUGIN)
    host, file = find_site(None)
    assert f"{host.name} {file}" == found


def test_file_of_zensical_that_lists_the_extension_comes_first(install: Install) -> None:
    Path("mkdocs.yml").write_text(PLUGIN)
    Path("zensical.toml").write_text(
        '[project.markdown_extensions."mkdocs_imagegen.hosts.zensical"]'
    )
    install(ALL)
    assert find_site(None)[0].name == "Zensical"
    install("mkdocs")
    assert find_site(None)[0].name == "MkDocs"


def test_options_with_an_unhashable_key_are_none(tmp_path: Path) -> None:
    file = tmp_path / "mkdocs.yml"
    file.write_text("plugins:\n  - imagegen:\n      ? [a, b]\n      : c\n")
    assert plugin_options(file) is None


def test_named_file_decides(install: Install) -> None:
    install(ALL)
    for name, host in {
        "properdocs.de.yml": "ProperDocs",
        "de.yml": "MkDocs",
        "z.toml": "Zensical",
    }.items():
        Path(name).touch()
        assert find_site(name)[0].name == host


@pytest.mark.parametrize(
    "module", ["mkdocs_imagegen.hosts.zensical", "mkdocs_imagegen.directives.extension"]
)
@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("{bridge}", "Zensical"),
        ("{bridge}{plugin}", "MkDocs"),
        ("{bridge}nav: [imagegen]\n# - imagegen\n", "Zensical"),
        ("markdown_extensions: {{{module}: {{}}}}\nplugins: [search]\n", "Zensical"),
        ("markdown_extensions: {{{module}: {{}}}}\nplugins: {{imagegen: }}\n", "MkDocs"),
        ("INHERIT: base.yml\n{bridge}", "MkDocs"),
        ("INHERIT: base.yml\n{bridge}plugins: [search]\n", "Zensical"),
        ("# {module}: broken\nplugins: [", "MkDocs"),
    ],
)
def test_site_that_lists_the_extension_belongs_to_zensical(
    text: str, host: str, module: str, install: Install
) -> None:
    install(ALL)
    Path("base.yml").write_text(PLUGIN)
    bridge = BRIDGE.format(module)
    written = text.format(bridge=bridge, plugin=PLUGIN, module=module)
    Path("mkdocs.yml").write_text(TAGS + written)
    assert find_site(None)[0].name == host


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (None, None, "this folder has no configuration file of a site (properdocs.yml, "),
        ("missing.yml", None, "missing.yml cannot be read: No such file or directory"),
        ("a_folder", None, "a_folder cannot be read: Is a directory"),
        (
            "properdocs.yml",
            "",
            "no site generator for properdocs.yml is installed (supported: ProperDocs); install ",
        ),
        (
            "mkdocs.yml",
            "",
            "no site generator for mkdocs.yml is installed (supported: MkDocs, ProperDocs, ",
        ),
    ],
)
def test_site_that_cannot_be_built_is_an_error(
    name: str | None, content: str | None, problem: str, install: Install
) -> None:
    install("")
    Path("a_folder").mkdir()
    if name and content is not None:
        Path(name).write_text(content)
    with pytest.raises(SiteError) as caught:
        find_site(name)
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "content", [b"plugins: [", b"\xff\xfe\x00", b"INHERIT: mkdocs.yml", b"- a"]
)
def test_broken_file_is_left_to_the_generator(content: bytes, install: Install) -> None:
    install("mkdocs")
    Path("mkdocs.yml").write_bytes(content)
    assert find_site(None)[0].name == "MkDocs"
    assert ignored_plugin(Path("mkdocs.yml")) == ""


def test_folder_is_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "zensical").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert not look.ZENSICAL.is_installed


@pytest.mark.parametrize(
    ("text", "packages", "is_ignored"),
    [
        (PLUGIN, "mkdocs zensical", True),
        (PLUGIN, "zensical", True),
        (PLUGIN, "mkdocs properdocs", False),
        (PLUGIN + BRIDGE.format("mkdocs_imagegen.hosts.zensical"), "zensical", False),
        ("plugins: [search]\n", "zensical", False),
    ],
)
def test_plugin_that_zensical_ignores_is_told(
    text: str, packages: str, is_ignored: bool, install: Install
) -> None:
    install(packages)
    Path("mkdocs.yml").write_text(text)
    warning = (
        "mkdocs.yml lists the plugin under `plugins`, which Zensical ignores; to build with "
        "Zensical, add `mkdocs_imagegen.hosts.zensical` under `markdown_extensions`"
    )
    assert ignored_plugin(Path("mkdocs.yml")) == (warning if is_ignored else "")


def test_settings_are_read_without_a_generator(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("")
    options = (
        "{model: !ENV [OTHER, MODEL, a/b], concurrency: !ENV [N, 2], allowed_models: !ENV NOT_SET}"
    )
    Path("base.yml").write_text(f"plugins: {{imagegen: {options}}}\n{TAGS}")
    Path("mkdocs.yml").write_text("INHERIT: base.yml\nplugins: {search: }\n")
    monkeypatch.setenv("MODEL", "openai/gpt-image-2")
    settings = settings_of(None)
    assert (settings.model, settings.concurrency) == ("openai/gpt-image-2", 2)
    assert (settings.root, settings.config_name) == (Path(), "mkdocs.yml")
    assert settings.allowed_models is None
    Path("mkdocs.yml").write_text("plugins: [imagegen]")
    assert settings_of(None).model != settings.model
    Path("mkdocs.yml").write_text("plugins: [{imagegen: {modle: a/b}}]")
    with pytest.raises(OptionsError, match="modle"):
        settings_of(None)


@pytest.mark.parametrize(
    ("folder", "page", "name"),
    [
        ("", "site/docs/a/b.md", "a/b.md"),
        ("", "site/docs/a/*.md", "a/*.md"),
        ("", "other/../site/docs/a/b.md", "a/b.md"),
        ("", "{0}/site/docs/a/b.md", "a/b.md"),
        ("", "{0}/site/docs/a/**", "a/**"),
        ("", "{0}/site/docs/new.md", "new.md"),
        ("", "{0}/link/docs/a/b.md", "a/b.md"),
        ("", "{0}/other/b.md", "{0}/other/b.md"),
        ("", "docs/a/b.md", "a/b.md"),
        ("", "a/b.md", "a/b.md"),
        ("", "top.md", "top.md"),
        ("site", "docs/a/b.md", "a/b.md"),
        ("site", "./docs/a", "a"),
        ("site", "a", "a"),
        ("site/docs", "a/*.md", "a/*.md"),
        ("site/docs/a", "b.md", "a/b.md"),
        ("site/docs/a", "a/b.md", "a/b.md"),
        ("site/docs/a", "a/*.md", "a/*.md"),
    ],
)
def test_page_is_named_by_any_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, page: str, name: str
) -> None:
    docs = tmp_path / "site" / "docs"
    (docs / "a").mkdir(parents=True)
    (docs / "a" / "b.md").touch()
    (tmp_path / "top.md").touch()
    (tmp_path / "link").symlink_to("site")
    monkeypatch.chdir(tmp_path / folder)
    page, name = page.format(tmp_path), name.format(tmp_path)
    assert globs_of([page], docs, tmp_path / "site") == (name, f"{name}/**")


@pytest.mark.parametrize("page", ["site/docs", "site/docs/", "docs", "{0}/site/docs"])
def test_docs_folder_stands_for_all_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    docs = tmp_path / "site" / "docs"
    docs.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert globs_of([page.format(tmp_path)], docs, tmp_path / "site") == ("**",)


@pytest.mark.parametrize("page", [5000 * "a", "a\x00b"])
def test_name_that_no_file_can_have_is_a_glob(page: str, tmp_path: Path) -> None:
    assert globs_of([page], tmp_path / "docs", tmp_path) == (page, f"{page}/**")
