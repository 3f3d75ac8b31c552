"""The reference of environment variables is complete."""

from __future__ import annotations

import re

from mkdocs_imagegen.gateway.credentials import KEY_VARIABLE, OIDC_VARIABLE
from tests.manual.pages import DOCS, ROOT


def test_reference_has_every_variable_that_the_package_reads() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "mkdocs_imagegen").rglob("*.py"))
    read = {*re.findall(r'environ(?:\.get\(|\[)"(\w+)"', sources), KEY_VARIABLE, OIDC_VARIABLE}
    page = (DOCS / "reference/environment.md").read_text()
    assert {*re.findall(r"^## `(\w+)`", page, re.MULTILINE)} == read
