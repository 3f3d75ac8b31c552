"""Wheel and source distribution: content, and use in environments of their own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml

from mkdocs_imagegen import __version__
from tests.manual.pages import ROOT
from tests.package.conftest import Distributions, Environment, build, run
from tests.package.test_metadata import PYPROJECT

pytestmark = pytest.mark.hosts

EPOCH = 1_700_000_000
QUICK = "  - imagegen:\n      variants: {widths: [320], formats: [jpeg], blur: false}\n"
"""The plugin in mkdocs.yml, with variants that take little time."""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tracked_files() -> set[str]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--", "."],
        cwd=ROOT,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    if done.returncode or not done.stdout:
        pytest.skip("not a checkout of the repository")
    names = done.stdout.rstrip("\0").split("\0")
    return {name for name in names if (ROOT / name).exists()}


def test_package_index_accepts_the_distributions(distributions: Distributions) -> None:
    run(
        sys.executable, "-m", "twine", "check", "--strict", distributions.wheel, distributions.sdist
    )


def test_source_distribution_has_all_files_of_the_repository(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as archive:
        names = {each.name.partition("/")[2] for each in archive if each.isfile()}
    assert tracked_files() - names == set()


def test_wheel_has_only_the_package(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as archive:
        names = {*archive.namelist()}
    package = {name for name in tracked_files() if name.startswith("mkdocs_imagegen/")}
    about = f"mkdocs_imagegen-{__version__}.dist-info"
    files = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    assert package | {f"{about}/{name}" for name in files} <= names
    assert {name.partition("/")[0] for name in names} == {"mkdocs_imagegen", about}
    assert "mkdocs_imagegen/py.typed" in names


def test_entry_for_the_catalogs_is_that_of_the_wheel(distributions: Distributions) -> None:
    """Their CI looks for the entry point of the plugin in the published package."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.partition('```yaml title="projects.yaml"\n')[2].partition("```")[0]
    (entry,) = yaml.safe_load(textwrap.dedent(block))
    with zipfile.ZipFile(distributions.wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("entry_points.txt"))
        points = archive.read(name).decode()
    assert f"[mkdocs.plugins]\n{entry['mkdocs_plugin']} = " in points
    assert entry["pypi_id"] == "mkdocs-imagegen"
    assert f'Source = "https://github.com/{entry["github_id"]}"' in PYPROJECT
    assert entry["labels"] == ["plugin"]


def test_two_builds_of_a_version_have_the_same_bytes(
    distributions: Distributions, tmp_path: Path
) -> None:
    """The wheel of the unpacked source distribution, whose files are from another time."""
    (wheel,) = build(distributions.source, tmp_path / "again", "--wheel")
    assert sha256(wheel) == sha256(distributions.wheel)
    dated = build(distributions.source, tmp_path / "dated", "--wheel", epoch=EPOCH)[0]
    with zipfile.ZipFile(dated) as archive:
        days = {each.date_time[:3] for each in archive.infolist()}
    assert days == {datetime.fromtimestamp(EPOCH, timezone.utc).timetuple()[:3]}


def test_example_site_builds_with_an_installed_wheel(
    distributions: Distributions, environment: Environment, tmp_path: Path
) -> None:
    environment.install(f"mkdocs-imagegen[site] @ {distributions.wheel.as_uri()}")
    source = tmp_path / "source"
    shutil.copytree(distributions.source, source)
    shutil.rmtree(source / "mkdocs_imagegen")  # the package comes from the wheel alone
    config = source / "example_site/mkdocs.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("  - imagegen:\n", QUICK), encoding="utf-8")
    output = environment.run("mkdocs", "build", "--strict", cwd=config.parent)
    assert "sketches drawn" in output
    assert [*(config.parent / "site/assets/imagegen").glob("*.jpg")]


def test_oldest_dependencies_build_a_site(
    distributions: Distributions, environment: Environment, tmp_path: Path
) -> None:
    environment.install("-c", ROOT / ".ci/oldest.txt", distributions.wheel)
    (tmp_path / "docs").mkdir()
    page = "# Page\n\n```imagegen\nA red kettle\n```\n\n![A lighthouse](imagegen:){ width=320 }\n"
    (tmp_path / "docs/index.md").write_text(page, encoding="utf-8")
    config = (
        "site_name: A site\n"
        "theme: mkdocs\n"
        "markdown_extensions: [attr_list]\n"
        'plugins: [{imagegen: {gateway: {url: "sketch:"}, variants: {widths: [64]}}}]\n'
    )
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    environment.run("mkdocs-imagegen", "check", cwd=tmp_path, code=1)
    assert "2 sketches drawn" in environment.run("mkdocs", "build", "--strict", cwd=tmp_path)
    assert "no images are missing" in environment.run("mkdocs-imagegen", "check", cwd=tmp_path)
    version = environment.run("mkdocs-imagegen", "--version", cwd=tmp_path)
    assert version.strip().endswith(__version__)


def test_tests_run_from_the_unpacked_source_distribution(distributions: Distributions) -> None:
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0")
    run(*pytest_, "-m", "", "--collect-only", cwd=distributions.source)
    files = ("tests/package/test_metadata.py", "tests/manual/test_developer_guide.py")
    assert "passed" in run(*pytest_, *files, "tests/test_size.py", cwd=distributions.source)
