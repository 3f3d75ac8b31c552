"""A site of Zensical in a browser: every image of every page, in both color schemes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import served
from tests.hosts.conftest import environment as environment  # noqa: PLC0414 - a fixture
from tests.hosts.environments import Environment
from tests.hosts.zensicals import VERSIONS, create_zensical, write_zensical_site

pytestmark = pytest.mark.hosts


@pytest.mark.parametrize("version", VERSIONS)
def test_every_image_is_shown_without_a_failed_request(
    version: str,
    environment: Callable[..., Environment],
    tmp_path: Path,
    visit,
) -> None:
    zensical = create_zensical(environment, version)
    write_zensical_site(tmp_path, site_url="", theme={"custom_dir": "overrides", "font": False})
    for module, command in (("mkdocs_imagegen", "generate"), ("zensical", "build")):
        done = zensical.run(module, command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    found = []
    with served(tmp_path / "site") as url:
        for page in ("", "guide/", "guide/details/"):
            for is_dark in (False, True):
                visited = visit(url + page, dark=is_dark)
                visited.read_to_the_end()
                visited.decode_hidden_images()
                images = visited.images()
                assert all(each["decoded"] for each in images), images
                assert visited.failures == []
                assert visited.external_requests() == []
            found.append(len(images))
    assert found == [9, 2, 2]  # a dark-mode image is an element of its own
