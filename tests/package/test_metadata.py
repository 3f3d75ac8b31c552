"""Version, changelog and metadata of the package."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import pytest
from trove_classifiers import classifiers as known_classifiers

from mkdocs_imagegen import __version__
from tests.manual.pages import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text()
"""Text of the file: Python 3.10 has no module for TOML."""
_RELEASE = re.compile(r"(\d+\.\d+\.\d+) - (\d{4}-\d\d-\d\d)")
_PYTHON = "Programming Language :: Python :: "


def changelog() -> list[tuple[str, str]]:
    """Return heading and text of each section of the changelog."""
    parts = re.split(r"^## (.+)\n", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def version_key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def quoted(name: str) -> list[str]:
    """Return the quoted values of a list in pyproject.toml."""
    return re.findall(
        r'^  "(.+?)"', PYPROJECT.partition(f"\n{name} = [")[2].partition("\n]")[0], re.MULTILINE
    )


def versions(operator: str, requirements: Iterable[str]) -> dict[str, str]:
    """Return the version of each requirement that has the operator."""
    found = (re.match(rf"([\w.-]+){operator}([\d.]+)", each) for each in requirements)
    return {match[1]: match[2] for match in found if match}


def releases() -> list[tuple[str, date]]:
    matches = [_RELEASE.fullmatch(heading) for heading, _ in changelog()]
    return [(match[1], date.fromisoformat(match[2])) for match in matches if match]


def test_newest_release_of_the_changelog_is_the_version_of_the_package() -> None:
    assert releases()[0][0] == __version__


def test_releases_are_listed_newest_first() -> None:
    assert releases() == sorted(releases(), key=lambda each: version_key(each[0]), reverse=True)
    assert [day for _, day in releases()] == sorted((day for _, day in releases()), reverse=True)


def test_only_the_first_heading_of_the_changelog_may_be_unreleased() -> None:
    headings = [heading for heading, _ in changelog() if not _RELEASE.fullmatch(heading)]
    assert headings in ([], ["Unreleased"])
    assert headings == [heading for heading, _ in changelog()[: len(headings)]]


@pytest.mark.parametrize(("heading", "text"), changelog(), ids=[each for each, _ in changelog()])
def test_sections_of_the_changelog_have_entries(heading: str, text: str) -> None:
    parts = re.split(r"^### (.+)\n", text, flags=re.MULTILINE)
    kinds = parts[1::2]
    assert kinds, heading
    order = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
    assert kinds == [each for each in order if each in kinds]
    for kind, entries in zip(kinds, parts[2::2], strict=True):
        assert re.search(r"^- \S", entries, re.MULTILINE), (heading, kind)
        assert "\n\n- " not in entries.strip(), (heading, kind)


def test_classifiers_exist() -> None:
    names = quoted("classifiers")
    assert "Framework :: MkDocs" in names
    assert "Typing :: Typed" in names
    assert [each for each in names if each not in known_classifiers] == []
    assert names == sorted(names, key=lambda each: each.replace(":: 3.", ":: 3.0"))


def test_oldest_python_is_the_same_everywhere() -> None:
    versions = [each.removeprefix(_PYTHON) for each in quoted("classifiers") if _PYTHON in each]
    oldest = versions[1]
    assert versions[0] == "3 :: Only"
    assert f'requires-python = ">={oldest}"' in PYPROJECT
    assert f'target-version = "py{oldest.replace(".", "")}"' in PYPROJECT
    for name in ("README.md", "CONTRIBUTING.md", "example_site/docs/get-started/installation.md"):
        assert f"Python {oldest} or" in (ROOT / name).read_text(), name


def test_oldest_versions_in_ci_are_those_of_the_requirements() -> None:
    pins = oldest_versions("==", (ROOT / ".ci/oldest.txt").read_text())
    bounds = oldest_versions(">=", "\n".join(quoted("dependencies")))
    assert pins == bounds | {("pymdown-extensions", ""): pins["pymdown-extensions", ""]}


def oldest_versions(operator: str, text: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the version of each requirement, by its name and the version of Python."""
    pattern = rf"^([\w.-]+){operator}([\d.]+)[^;#\n]*(?:; python_version ([<>=]+ .3\.\d+))?"
    return {
        (name, python.replace("'", '"')): version_key(f"{version}.0.0")[:3]
        for name, version, python in re.findall(pattern, text, re.MULTILINE)
    }
