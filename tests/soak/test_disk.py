"""No full, read-only or restored disk breaks a build, or loses what was paid for."""

import sys

import pytest

from tests.soak.disk import soak
from tests.soak.figures import check


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="mounts small disks")
def test_no_bad_disk_breaks_a_build_or_loses_a_image(tmp_path):
    check(soak(1, tmp_path))
