"""Workflows and other files for GitHub and pre-commit."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manual.pages import ROOT
from tests.package.conftest import run
from tests.package.test_metadata import quoted

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
_PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
_PYTHON = "Programming Language :: Python :: "

workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs(path: Path) -> dict[str, Any]:
    return read(path)["jobs"]


def test_matrix_has_every_python_of_the_classifiers() -> None:
    versions = [each.removeprefix(_PYTHON) for each in quoted("classifiers") if _PYTHON in each]
    matrix = jobs(ROOT / ".github/workflows/ci.yml")["portable"]["strategy"]["matrix"]
    assert matrix["python"] == versions[1:]
    assert {each.partition("-")[0] for each in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_tests_of_the_matrix_exist() -> None:
    (command,) = (
        step["run"]
        for step in jobs(ROOT / ".github/workflows/ci.yml")["portable"]["steps"]
        if "pytest" in step.get("run", "")
    )
    assert [each for each in command.split()[3:] if not (ROOT / each).exists()] == []


@workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used
    assert [each for each in used if not _PINNED.fullmatch(each)] == []


@workflow
def test_checkout_keeps_no_credentials(path: Path) -> None:
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout@")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@workflow
def test_only_the_release_may_write(path: Path) -> None:
    granted = [
        read(path)["permissions"],
        *(job.get("permissions", {}) for job in jobs(path).values()),
    ]
    writable = [each for each in granted if "write" in each.values()]
    expected = [{"id-token": "write"}, {"contents": "write"}] if path.stem == "release" else []
    assert writable == expected


def test_audit_ignores_only_what_the_manual_explains() -> None:
    text = (ROOT / ".github/workflows/audit.yml").read_text(encoding="utf-8")
    ignored = re.findall(r"--ignore-vuln (\S+)", text)
    manual = (ROOT / "example_site/docs/concepts/privacy.md").read_text(encoding="utf-8")
    assert ignored
    assert [each for each in ignored if f"[{each}]" not in manual] == []


def test_audit_covers_a_change_of_the_dependencies() -> None:
    triggers = read(ROOT / ".github/workflows/audit.yml")[True]  # YAML reads "on" so
    for event in ("push", "pull_request"):
        assert "pyproject.toml" in triggers[event]["paths"]
    assert triggers["schedule"]


def test_package_is_published_by_a_job_of_its_own() -> None:
    job = jobs(ROOT / ".github/workflows/release.yml")["publish"]
    assert job["environment"]["name"] == "pypi"
    assert job["needs"] == "build"
    assert [step for step in job["steps"] if "run" in step] == []


@pytest.mark.slow
def test_no_known_weakness_is_in_the_workflows() -> None:
    bin_ = Path(sys.executable).parent
    run(bin_ / "zizmor", "--offline", "--pedantic", "--no-progress", ROOT / ".github")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schema", "pattern"),
    [
        ("vendor.github-workflows", ".github/workflows/*.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
        ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
    ],
)
def test_files_for_github_are_valid(schema: str, pattern: str) -> None:
    files = sorted(ROOT.glob(pattern))
    assert files
    run(Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", schema, *files)


@pytest.mark.slow
def test_hooks_for_pre_commit_are_valid() -> None:
    pre_commit = (sys.executable, "-m", "pre_commit")
    run(*pre_commit, "validate-manifest", ROOT / ".pre-commit-hooks.yaml")
    run(*pre_commit, "validate-config", ROOT / ".pre-commit-config.yaml")
