"""No call of the system at which storing stops or fails loses or spoils what was stored."""

import shutil
import sys

import pytest

from tests.soak.figures import check
from tests.soak.syscalls import soak
from tests.tools import lacking


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
@pytest.mark.timeout(300)
def test_no_point_of_a_put_loses_or_spoils(tmp_path):
    if shutil.which("strace") is None:
        lacking("there is no strace")
    check(soak(140, tmp_path))
