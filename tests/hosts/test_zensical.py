"""Zensical, whose builds render each page on its own and keep pages in a cache."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.environments import Environment
from tests.hosts.site import ShownPage, broken_references, read_site
from tests.hosts.test_generators import NEWEST, expected  # noqa: F401 - a fixture
from tests.hosts.zensicals import (
    BRIDGE,
    VERSIONS,
    create_zensical,
    write_config,
    write_zensical_site,
)
from tests.paid import MODEL, PaidEmulator, fence, snapshot
from tests.repository import commit_all
from tests.support import QUICK
from tests.waiting import wait_until

pytestmark = pytest.mark.hosts


@pytest.fixture(params=VERSIONS)
def zensical(
    request: pytest.FixtureRequest, environment: Callable[..., Environment]
) -> Environment:
    return create_zensical(environment, request.param)


@pytest.fixture
def newest(environment: Callable[..., Environment]) -> Environment:
    return create_zensical(environment, VERSIONS[-1])


@dataclass
class PaidZensical:
    """A site of Zensical whose images are charged."""

    folder: Path
    emulator: PaidEmulator
    environment: Environment
    options: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    def write(self, name: str, text: str) -> None:
        path = self.folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def save(self, name: str = "mkdocs.yml") -> Path:
        fixed = {"gateway": {"url": self.emulator.url, "auth": "none"}, "model": MODEL}
        return write_config(
            self.folder / name, {**fixed, "variants": QUICK, **self.options}, **self.config
        )

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.environment.run(module, *arguments, cwd=self.folder)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("mkdocs_imagegen", *arguments)

    def build(self, *arguments: str) -> str:
        """Build, and return the messages of the package."""
        done = self.run("zensical", "build", *arguments)
        assert done.returncode == 0, done.stderr
        assert broken_references(self.folder / "site") == []
        return "".join(each for each in done.stderr.splitlines(True) if "No issues" not in each)

    def files(self, page: str = "index.html") -> list[str]:
        """Return the image files that a page names, each once."""
        return sorted(set(re.findall(r"assets/imagegen/([\w.-]+)", self.html(page))))

    def html(self, page: str = "index.html") -> str:
        return (self.folder / "site" / page).read_text()

    def placeholders(self, page: str = "index.html") -> int:
        return sum(each.startswith("missing-") for each in self.files(page))


@pytest.fixture
def site(tmp_path: Path, paid: PaidEmulator, newest: Environment) -> PaidZensical:
    site = PaidZensical(tmp_path / "site", paid, newest, config={"watch": ["imagegen-originals"]})
    site.write("index.md", f"# Home\n\n{fence('A balloon')}{fence('A ferry', size='1024x1024')}")
    site.save()
    return site


@pytest.mark.parametrize("config_file", ["mkdocs.yml", "zensical.toml"])
def test_site_looks_as_in_mkdocs(
    zensical: Environment,
    config_file: str,
    tmp_path: Path,
    expected: dict[str, ShownPage],  # noqa: F811
) -> None:
    write_zensical_site(tmp_path, config_file)
    generated = zensical.run("mkdocs_imagegen", "generate", cwd=tmp_path)
    assert generated.returncode == 0, generated.stderr
    done = zensical.run("zensical", "build", "--strict", cwd=tmp_path)
    assert (done.returncode, "imagegen" in done.stderr) == (0, False), done.stderr
    assert broken_references(tmp_path / "site") == []
    for page, shown in read_site(tmp_path / "site").items():
        assert shown.images == expected[page].images, page
        assert shown.card == expected[page].card, page
        assert shown.style_sheets == 2, page
        assert "red balloon" not in shown.text


def test_build_generates_no_image_and_names_their_number_once(site: PaidZensical) -> None:
    site.write("guide.md", f"# Guide\n\n{fence('A bottle')}")
    (site.folder / "imagegen-originals").mkdir()
    messages = site.build()
    assert site.emulator.requests == 0
    assert (site.placeholders(), site.placeholders("guide/index.html")) == (2, 1)
    assert messages.count("\n") == 1
    assert "3 images are missing: `zensical` generates no images" in messages
    assert "run `mkdocs-imagegen generate` first" in messages


def test_sizes_follow_the_column_of_the_page(site: PaidZensical) -> None:
    site.write("wide.md", f"---\nhide: [toc]\n---\n# Wide\n\n{fence('A ferry')}")
    assert site.command("generate").returncode == 0
    site.build()
    first, lazy = re.findall(r' sizes="([^"]*)"', site.html())
    assert first.startswith("(min-width: 2000px) 826px, ")
    assert lazy.startswith("auto, (min-width: 2000px) 826px, ")
    assert ' sizes="(min-width: 2000px) 1126px, ' in site.html("wide/index.html")


def test_locked_build_shows_committed_images_alone(site: PaidZensical) -> None:
    assert site.command("generate").returncode == 0
    (site.folder / ".gitignore").write_text(".cache/\nsite/\n")
    commit_all(site.folder)
    site.write("guide.md", f"# Guide\n\n{fence('A bottle')}")
    assert site.command("generate").returncode == 0
    site.options["locked"] = True
    site.save()
    shutil.rmtree(site.folder / ".cache")
    messages = site.build("--clean")
    assert (site.placeholders(), site.placeholders("guide/index.html")) == (0, 1)
    assert "docs/guide.md:3: the image is missing: not locked, since the record" in messages
    assert site.command("generate").stderr.startswith("Error: locked is true")
    assert site.command("lock", "--check").returncode == 1
    commit_all(site.folder)
    assert site.command("lock", "--check").returncode == 0
    assert (site.build("--clean"), site.placeholders("guide/index.html")) == ("", 0)
    assert site.emulator.requests == 3


def test_locked_build_ends_with_one_error_if_git_does_not_answer(site: PaidZensical) -> None:
    assert site.command("generate").returncode == 0
    commit_all(site.folder)
    (site.folder / ".git/index").write_bytes(b"DIRC")
    site.options["locked"] = True
    site.save()
    done = site.run("zensical", "build")
    assert done.returncode != 0
    assert "locked is true, and git failed in" in done.stderr
    assert "Traceback" not in done.stderr


def test_generate_is_shown_by_the_next_build(site: PaidZensical) -> None:
    (site.folder / "imagegen-originals").mkdir()
    site.build()
    assert site.command("generate").returncode == 0
    assert (site.emulator.requests, site.build()) == (2, "")
    assert site.placeholders() == 0
    site.build()
    assert (site.emulator.requests, site.placeholders()) == (2, 0)


def test_clean_build_loses_no_original(site: PaidZensical) -> None:
    assert site.command("generate").returncode == 0
    before = snapshot(site.folder / "imagegen-originals")
    site.build("--clean")
    assert snapshot(site.folder / "imagegen-originals") == before
    assert site.placeholders() == 0
    assert site.command("generate").returncode == 0
    assert site.emulator.requests == 2


def test_clean_build_of_a_fresh_checkout_shows_the_originals(site: PaidZensical) -> None:
    assert site.command("generate").returncode == 0
    shown = site.folder / "docs" / "assets"
    shutil.rmtree(shown)
    shutil.rmtree(site.folder / ".cache")
    assert site.build("--clean") == ""
    assert (site.placeholders(), site.emulator.requests) == (0, 2)


def test_on_missing_error_ends_the_build(site: PaidZensical) -> None:
    site.options["on_missing"] = "error"
    site.save()
    (site.folder / "imagegen-originals").mkdir()
    done = site.run("zensical", "build")
    assert done.returncode == 1
    first, *rest = (each for each in done.stderr.splitlines() if each != "No issues found")
    assert first == "imagegen: the build ends because on_missing is error:"
    assert "2 images are missing: `zensical` generates no images" in rest[0]
    assert len(rest) == 1


@pytest.mark.parametrize("config_file", ["mkdocs.yml", "zensical.toml"])
def test_commands_read_the_site(site: PaidZensical, config_file: str) -> None:
    (site.folder / "mkdocs.yml").unlink()
    site.save(config_file)
    assert "2 images" in site.command("plan").stdout
    assert site.command("check").returncode == 1
    assert site.command("generate", "--dry-run").returncode == 0
    assert (site.emulator.requests, (site.folder / "imagegen-originals").exists()) == (0, False)
    assert site.command("generate").returncode == 0
    assert site.command("check").returncode == 0
    assert site.command("gallery", "gallery.html").returncode == 0
    assert (
        site.command("candidates", "docs/index.md:3", "-n", "2", "-o", "takes.html").returncode == 0
    )
    assert site.emulator.requests == 3
    assert site.command("verify").returncode == 0
    pruned = site.command("prune")
    assert pruned.returncode == 0, pruned.stderr
    assert site.command("check").returncode == 0


def test_plan_compares_the_site_with_a_revision(site: PaidZensical) -> None:
    assert site.command("generate").returncode == 0
    commit_all(site.folder)
    site.write("index.md", f"# Home\n\n{fence('A red balloon')}")
    site.write("guide.md", f"# Guide\n\n{fence('A bottle')}")
    done = site.command("plan", "--since", "main")
    assert [line.split("  ")[:3] for line in done.stdout.splitlines()[:3]] == [
        ["added", "docs/guide.md:3", "missing"],
        ["changed", "docs/index.md:3", "missing"],
        ["dropped", "docs/index.md:7", "-"],
    ], done.stderr


def test_options_of_a_folder_apply_in_generate_and_in_the_build(site: PaidZensical) -> None:
    site.config["plugins"] = ["search", "meta"]
    site.options["report"] = "report.json"
    site.save()
    site.write("guide/.meta.yml", "imagegen: {style: Woodcut., size: 1024x1024}\n")
    site.write("guide/one.md", f"---\nimagegen: {{quality: low}}\n---\n# One\n\n{fence('A tug')}")
    generated = site.command("generate")
    assert (generated.returncode, site.emulator.requests) == (0, 3)
    assert generated.stderr.count("an effect in Zensical") == 1
    messages = site.build("--clean")
    assert messages.count("\n") == 1
    assert "mkdocs.yml: options without an effect in Zensical" in messages
    page = "guide/one/index.html"
    assert 'width="1024" height="1024"' in site.html(page)
    assert site.placeholders(page) == 0


def test_files_that_no_page_uses_are_removed_by_the_second_generate(site: PaidZensical) -> None:
    published = site.folder / "docs" / "assets" / "imagegen"
    site.command("generate")
    before = set(published.iterdir())
    site.write("index.md", f"# Home\n\n{fence('A balloon')}")
    site.command("generate")
    assert set(published.iterdir()) > before  # a page in the cache of Zensical may show them
    site.command("generate")
    site.build()
    left = {each.name for each in published.iterdir()}
    assert left == {*site.files(), ".gitignore", ".imagegen.json"}
    assert any(each.startswith("main.") for each in left)


def test_files_of_the_author_stay(site: PaidZensical) -> None:
    published = site.folder / "docs" / "assets" / "imagegen"
    published.mkdir(parents=True)
    (published / "own.png").write_bytes(b"own")
    for _ in range(3):
        site.command("generate")
    assert (published / "own.png").read_bytes() == b"own"
    assert not (published / ".gitignore").exists()


def test_one_folder_of_originals_serves_both_generators(
    site: PaidZensical, environment: Callable[..., Environment]
) -> None:
    """From MkDocs to Zensical and back, with one configuration: no further request."""
    fixed = {"gateway": {"url": site.emulator.url, "auth": "none"}, "model": MODEL}
    options = {**fixed, "variants": QUICK, "previews": {"default": "About {title}"}}
    site.options.update(options)
    site.config = {"plugins": ["search", {"imagegen": options}]}
    site.write("index.md", f"# Home\n\n{fence('A balloon')}![A kite](imagegen:)\n")
    site.save()

    def mkdocs() -> list[str]:
        done = environment(*NEWEST).run("mkdocs", "build", "--strict", cwd=site.folder)
        assert done.returncode == 0, done.stderr
        assert broken_references(site.folder / "site") == []
        html = (site.folder / "site" / "index.html").read_text()
        assert html.count('alt="A balloon"') == html.count('alt="A kite"') == 1
        images = (site.folder / "site" / "assets" / "imagegen").iterdir()
        return sorted(each.name for each in images)

    first = mkdocs()
    assert site.emulator.requests == 3
    site.build("--clean")
    shown = set(site.files())
    assert shown
    assert (site.placeholders(), shown <= set(first)) == (0, True)
    (site.folder / "docs" / "assets" / "imagegen" / "earlier.webp").write_bytes(b"of a page before")
    assert mkdocs() == first
    assert site.emulator.requests == 3


def test_generate_advises_to_watch_the_originals(site: PaidZensical) -> None:
    assert "watch" not in site.command("generate").stderr
    site.config = {}
    site.save()
    assert "add `watch: [imagegen-originals]`" in site.command("generate").stderr


def test_site_without_the_extension_names_it(site: PaidZensical) -> None:
    path = site.save("zensical.toml")
    path.write_text(path.read_text().replace(BRIDGE, "admonition"))
    done = site.command("plan", "-f", "zensical.toml")
    assert done.returncode == 2
    table = f'[project.markdown_extensions."{BRIDGE}"]'
    assert f"add the table `{table}`" in done.stderr


_COUNT = """\
from markdown.extensions import Extension

class Count(Extension):
    def extendMarkdown(self, md):
        with open("renders.log", "a") as file:
            file.write("rendered\\\\n")

def makeExtension():
    return Count()
"""


@contextmanager
def serving(site: PaidZensical) -> Iterator[str]:
    """Serve a site, and yield the URL once the first page is there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with (site.folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [site.environment.python, "-m", "zensical", "serve", "-a", address],
            cwd=site.folder,
            env=environ | {"PYTHONPATH": str(site.folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until((site.folder / "site" / "index.html").is_file)
            yield f"http://{address}/"
        finally:
            process.kill()
            process.wait()


def test_serve_shows_an_image_after_the_next_save_and_renders_no_page_endlessly(
    site: PaidZensical, zensical: Environment
) -> None:
    site.environment = zensical
    (site.folder / "imagegen-originals").mkdir()
    (site.folder / "count.py").write_text(_COUNT)
    path = site.save()
    path.write_text(path.read_text().replace("- attr_list", "- attr_list\n- count"))
    log = site.folder / "renders.log"
    with serving(site) as url:
        wait_until(lambda: site.placeholders() == 2)
        assert site.command("generate").returncode == 0
        site.write("index.md", f"# Saved\n\n{fence('A balloon')}")
        wait_until(lambda: "Saved" in site.html() and site.placeholders() == 0)
        for name in site.files():
            with urllib.request.urlopen(f"{url}assets/imagegen/{name}") as response:  # noqa: S310
                assert response.status == 200
        site.write("index.md", "# Last")
        wait_until(lambda: "Last" in site.html())
        rendered = len(log.read_text().splitlines())
        site.write("other.md", "# Other")
        wait_until((site.folder / "site" / "other" / "index.html").is_file)
        # One page more, and those of a build that the saved originals can still cause.
        assert len(log.read_text().splitlines()) <= rendered + 3
    assert site.emulator.requests == 2
