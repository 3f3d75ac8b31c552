"""Soak of faulty servers, at a small size."""

import sys

import pytest

from tests.soak.faults import soak
from tests.soak.figures import assert_within_bounds


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.timeout(300)
def test_every_call_ends_in_time_with_an_image_or_a_gateway_error(tmp_path):
    assert_within_bounds(soak(300, tmp_path))
