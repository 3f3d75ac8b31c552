"""The hook for pre-commit, in a repository with a site."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.manual.pages import ROOT
from tests.package.conftest import Distributions, run
from tests.tools import skip_or_fail

pytestmark = pytest.mark.hosts

SITE = "site_name: A site\ntheme: mkdocs\nplugins: [imagegen]\n"
PAGE = "# Page\n\n```imagegen\nA red kettle\n```\n"
PASSED = "check that no image of the site is missing" + "." * 31 + "Passed"


class Repository:
    """A git repository with a site in a subfolder, a hook, and an image that is missing."""

    def __init__(self, folder: Path, hooks: Path) -> None:
        self.folder = folder
        self._environ = {"PRE_COMMIT_HOME": str(folder.parent / "pre-commit")}
        git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            git |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.org"}
        self._environ |= git
        self.git("init", "--quiet", cwd=hooks)
        self.git("add", "--all", "--force", cwd=hooks)
        self.git("commit", "--quiet", "-m", "Publish the hooks", cwd=hooks)
        revision = self.git("rev-parse", "HEAD", cwd=hooks).strip()
        hook = {"id": "mkdocs-imagegen-check", "args": ["-f", "website/mkdocs.yml"]}
        repos = [{"repo": str(hooks), "rev": revision, "hooks": [hook]}]
        folder.mkdir()
        self.git("init", "--quiet")
        self.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": repos}))
        self.write("website/mkdocs.yml", SITE)
        self.write("website/docs/index.md", PAGE)
        self.write("website/docs/other.md", "# Page\n")
        self.write("README.md", "# About\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")
        self.git("add", name)

    def git(self, *arguments: str, cwd: Path | None = None, code: int = 0) -> str:
        return run("git", *arguments, cwd=cwd or self.folder, code=code, environ=self._environ)

    def pre_commit(self, *arguments: str, code: int = 0) -> str:
        command = (sys.executable, "-m", "pre_commit", *arguments)
        return run(*command, cwd=self.folder, code=code, environ=self._environ)


@pytest.fixture(scope="module")
def repository(
    distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    if subprocess.run(["git", "--version"], capture_output=True, check=False).returncode:
        skip_or_fail("git is missing")
    return Repository(tmp_path_factory.mktemp("hook") / "repository", distributions.source)


def test_hook_fails_while_an_image_is_missing(repository: Repository) -> None:
    output = repository.pre_commit("run", "--all-files", code=1)
    assert 'docs/index.md:3  missing  $0.015  "A red kettle"' in output
    assert "set it, use sketches with" in output
    assert "1 of 1 image is missing or invalid" in output
    assert "- exit code: 1" in output


def test_hook_checks_only_the_pages_of_a_commit(repository: Repository) -> None:
    files = ("README.md", "website/docs/other.md")
    assert PASSED in repository.pre_commit("run", "--files", *files)
    repository.pre_commit("run", "--files", "website/docs/index.md", code=1)
    repository.pre_commit("run", "--files", "website/mkdocs.yml", code=1)


def test_hook_passes_when_no_image_is_missing(repository: Repository) -> None:
    repository.pre_commit("install")
    repository.git("commit", "-m", "Add a site", code=1)
    Image.new("RGB", (1536, 1024)).save(repository.folder / "kettle.png")
    imagegen = (sys.executable, "-m", "mkdocs_imagegen", "import", "kettle.png", "index.md")
    package = {"PYTHONPATH": str(ROOT)}
    run(*imagegen, "-f", "website/mkdocs.yml", cwd=repository.folder, environ=package)
    repository.git("add", "website")
    assert PASSED in repository.git("commit", "-m", "Add a site")
