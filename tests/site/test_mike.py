"""Versions of a site, deployed by mike into a branch of a git repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

from tests.site.test_other_plugins import assert_images_resolve, assert_no_token
from tests.site.test_previews import FRONT, card, tags
from tests.support import Built, Site
from tests.tools import skip_or_fail

pytestmark = pytest.mark.hosts

Run = Callable[..., None]
COMMANDS = str(Path(sys.executable).parent)
WRITER = {
    "GIT_AUTHOR_NAME": "A Writer",
    "GIT_AUTHOR_EMAIL": "writer@example.org",
    "GIT_COMMITTER_NAME": "A Writer",
    "GIT_COMMITTER_EMAIL": "writer@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@pytest.fixture
def run(site: Site) -> Run:
    """Runs a command in the folder of the site, a git repository with one commit."""
    if find_spec("mike") is None or which("git") is None:
        skip_or_fail("mike or git is not installed")
    path = os.pathsep.join([COMMANDS, os.environ["PATH"]])

    def run(*command: str) -> None:
        done = subprocess.run(
            command,
            cwd=site.folder,
            env=os.environ | WRITER | {"PATH": path, "NO_MKDOCS_2_WARNING": "1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("git", "init", "--quiet")
    run("git", "commit", "--quiet", "--allow-empty", "--message=The docs begin")
    return run


def deployed(site: Site, run: Run) -> Built:
    """Two versions, as they are in the branch.

    The first is of a site that does not name mike, which then puts itself before us; the second
    names it after us, and has a page more.
    """
    site.config["theme"] = {"name": "material", "font": False}
    site.write("index.md", f"{FRONT}# Home\n\n```imagegen\nA harbour\n```\n")
    site.save()
    run("mike", "deploy", "1.0")
    site.config["plugins"].append("mike")
    site.write("guide/page.md", f"{FRONT}# Page\n\n![A lighthouse](imagegen:)\n")
    site.save()
    run("mike", "deploy", "2.0", "latest")
    run("git", "clone", "--quiet", "--branch=gh-pages", ".", "branch")
    return Built(site.folder / "branch")


def test_every_version_has_its_own_images_and_cards(site: Site, run: Run) -> None:
    branch = deployed(site, run)
    pages = {
        "1.0/index.html": "A harbour",
        "2.0/index.html": "A harbour",
        "2.0/guide/page/index.html": "A lighthouse",
    }
    for page, quote_value in pages.items():
        assert f'alt="{quote_value}"' in branch.page(page)
        address = tags(branch, page)["og:image"]
        version = page.partition("/")[0]
        assert address.startswith(f"https://example.org/docs/{version}/assets/imagegen/")
        assert card(branch, address).size == (1200, 630)
    assert assert_images_resolve(branch) == len(pages)
    assert_no_token(branch)
