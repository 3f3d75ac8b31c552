"""Soak of bad disks, at a small size."""

import sys

import pytest

from tests.soak.disk import soak
from tests.soak.figures import assert_within_bounds


@pytest.mark.timeout(700)
@pytest.mark.skipif(sys.platform != "linux", reason="mounts small disks")
def test_no_bad_disk_breaks_a_build_or_loses_an_image(tmp_path):
    assert_within_bounds(soak(1, tmp_path))
