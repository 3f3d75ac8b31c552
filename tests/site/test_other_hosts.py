"""The extension in site generators without a front door, and in MkDocs next to the plugin."""

from __future__ import annotations

import base64
import io
import re

import markdown
import pytest
from PIL import Image

from mkdocs_imagegen.errors import SiteError
from mkdocs_imagegen.hosts.look import Host, find_site
from mkdocs_imagegen.hosts.zensical import makeExtension
from mkdocs_imagegen.log import run_filter
from mkdocs_imagegen.option_parsers import OptionsError
from mkdocs_imagegen.pages.style_sheets import SHEET
from tests.paid import MODEL, PaidSite, fence

EXTENSIONS = ["mkdocs_imagegen.directives.extension", "mkdocs_imagegen.hosts.zensical"]
PAGE = f"# Page\n\n{fence('A red balloon', size='1024x1024')}"


@pytest.fixture(autouse=True)
def _new_run(paid_site: PaidSite, monkeypatch: pytest.MonkeyPatch) -> None:
    run_filter.begin_run()
    monkeypatch.chdir(paid_site.folder)


def render(site: PaidSite, extension: str, text: str = PAGE, **more: object) -> str:
    options = {"model": MODEL, "gateway": site.options["gateway"], **more}
    return markdown.markdown(
        text,
        extensions=[extension, "pymdownx.superfences"],
        extension_configs={extension: options},
    )


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_page_contains_the_image_of_its_original(paid_site, caplog, extension) -> None:
    paid_site.write("index.md", PAGE)
    assert paid_site.requests_of_build() == 1
    html = render(paid_site, extension)
    data = re.search(r'src="data:image/webp;base64,([^"]+)"', html)
    assert data, html
    assert Image.open(io.BytesIO(base64.b64decode(data[1]))).size == (1024, 1024)
    assert "assets/imagegen" not in html
    assert "srcset" not in html
    sheet = re.search(r'<link rel="stylesheet" href="data:text/css;base64,([^"]+)">', html)
    assert sheet, html
    assert base64.b64decode(sheet[1]) == SHEET
    assert paid_site.emulator.requests == 1
    assert "this site generator is not supported" in caplog.text


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_missing_image_is_a_placeholder_and_a_warning(paid_site, caplog, extension) -> None:
    html = render(paid_site, extension)
    assert 'src="data:image/svg+xml;base64,' in html
    assert "<code" not in html
    assert paid_site.emulator.requests == 0
    messages = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert len(messages) == 2
    assert "the image is missing: this site generator is not supported" in messages[1]


def test_on_missing_error_ends_the_build(paid_site) -> None:
    with pytest.raises(SiteError, match="the build ends because on_missing is error"):
        render(paid_site, EXTENSIONS[0], on_missing="error")


def test_page_without_images_is_the_same(paid_site, caplog) -> None:
    assert render(paid_site, EXTENSIONS[0], "# Page") == "<h1>Page</h1>"
    assert caplog.text == ""


def test_extension_stands_aside_for_the_plugin(paid_site) -> None:
    paid_site.config["markdown_extensions"].insert(0, {EXTENSIONS[1]: paid_site.options})
    paid_site.write("index.md", PAGE)
    assert paid_site.requests_of_build() == 1
    assert paid_site.built.warnings == []
    assert paid_site.built.page("index.html").count("<img") == 1
    assert len(paid_site.built.images()) == 2


def test_options_that_are_invalid_are_named(paid_site) -> None:
    with pytest.raises(OptionsError, match="concurrency"):
        render(paid_site, EXTENSIONS[0], concurrency="many")


def test_extension_of_each_renderer_is_its_own() -> None:
    assert makeExtension() is not makeExtension()


LISTED = f"markdown_extensions: {{{EXTENSIONS[1]}: {{}}}}"


@pytest.mark.parametrize(
    ("lines", "host"),
    [
        ([f"markdown_extensions: [{EXTENSIONS[1]}]"], "Zensical"),
        (["markdown_extensions:", f"  - {EXTENSIONS[1]}:"], "Zensical"),
        (
            ["watch: [imagegen-originals]", LISTED],
            "Zensical",
        ),
        (
            ["watch:", "  - imagegen-originals", LISTED],
            "Zensical",
        ),
        (
            ["plugins:", "  - imagegen:", LISTED],
            "MkDocs",
        ),
        (
            ["plugins: [search, imagegen]", LISTED],
            "MkDocs",
        ),
        (["plugins:", "  - imagegen"], "MkDocs"),
    ],
)
def test_generator_of_a_configuration(tmp_path, monkeypatch, lines, host) -> None:
    monkeypatch.setattr(Host, "is_installed", True)
    path = tmp_path / "mkdocs.yml"
    path.write_text("\n".join(lines))
    assert find_site(str(path))[0].name == host
