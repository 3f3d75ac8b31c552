"""Soak of system calls that are killed or fail, at a small size."""

import shutil
import sys

import pytest

from tests.soak.figures import assert_within_bounds
from tests.soak.syscalls import soak
from tests.tools import skip_or_fail


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
@pytest.mark.timeout(300)
def test_no_system_call_loses_or_damages_an_original(tmp_path):
    if shutil.which("strace") is None:
        skip_or_fail("strace is not installed")
    assert_within_bounds(soak(140, tmp_path))
