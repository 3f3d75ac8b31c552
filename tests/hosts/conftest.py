"""Environments of the tests of site generators."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.environments import Environment, create_environment

_IN_CI = ("newest", "alone", "zensical")
"""Environments that are made without `--full`."""


@pytest.fixture(scope="session")
def environment(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[..., Environment]:
    """Returns an environment: ``environment("alone", "properdocs==1.6.7")``."""
    folder: Path = tmp_path_factory.getbasetemp()
    base = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def create(name: str, *requirements: str) -> Environment:
        if not (request.config.getoption("full") or name.startswith(_IN_CI)):
            pytest.skip(f"the environment {name!r} needs --full")
        return create_environment(base / "environments", name, *requirements)

    return create
