"""No fault, no random answer and no bomb keeps a call past its deadline or breaks it."""

import sys

import pytest

from tests.soak.faults import soak
from tests.soak.figures import check


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.timeout(300)
def test_every_call_ends_in_time_and_with_our_error(tmp_path):
    check(soak(300, tmp_path))
