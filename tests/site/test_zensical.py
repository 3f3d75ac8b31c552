"""Zensical in the folder of a site; it is not among the test dependencies."""

from __future__ import annotations

import subprocess
from shutil import which

import pytest

from tests.paid import PaidSite, snapshot

pytestmark = pytest.mark.hosts


def test_clean_build_removes_no_original(paid_site: PaidSite) -> None:
    """It deletes `.cache`, in which earlier versions kept the originals by default."""
    program = which("zensical")
    if program is None:
        pytest.skip("zensical is not installed")
    paid_site.write_prompts("A red balloon", "A glass bottle")
    assert paid_site.requests_of_build() == 2
    before = snapshot(paid_site.originals)
    cache = paid_site.folder / ".cache/plugin/imagegen"
    assert cache.exists()
    subprocess.run([program, "build", "--clean"], cwd=paid_site.folder, check=True)
    assert not cache.exists()
    assert snapshot(paid_site.originals) == before
    assert paid_site.requests_of_build() == 0
    assert paid_site.states == ["ready"] * 2
