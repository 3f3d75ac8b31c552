"""The Nu HTML checker finds no problem in the markup of images.

It is a program for Java: ``npm install --ignore-scripts vnu-jar``, and its jar's path in
``VNU_JAR``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import Site
from tests.tools import skip_or_fail

pytestmark = pytest.mark.slow

THEMES = ("mkdocs", "material")
JAR = os.environ.get("VNU_JAR", "")
FORMS = """\
# Page

Words before ![In a line](imagegen:){ width=100 } and words after.

![With attributes](imagegen:){ #own .wide title="A title" loading=eager data-x=1 }

![In its own way](imagegen:?ratio=16:9&focus=left&widths=200+400&sizes=50vw)

![](imagegen:?prompt=Decoration)

```imagegen
caption: A caption & more
dark: at night
alt: Tom & "Jerry" <b>
---
A harbour
```

```imagegen
background: transparent
size: 1024x1024
---
A badge
```

- In a list ![x](imagegen:)

> [![Inside a link](imagegen:)](index.md)

| In | a table |
|---|---|
| ![x](imagegen:) | y |

![A mistake](imagegen:){ widht=3 }
"""
PLAIN = re.sub(
    r"!\[[^]]*\]\(imagegen:[^)]*\)(\{.*?\})?|```imagegen.*?```", "word", FORMS, flags=re.DOTALL
)


WRONG = '<!doctype html><html lang="en"><title>x</title><img srcset="a.png 3w" src="a.png">'


def complaints(folder: Path) -> list[dict[str, str]]:
    """Return the messages for all pages of a folder; a start takes seconds, so only one."""
    done = subprocess.run(
        ["java", "-jar", JAR, "--format", "json", "--skip-non-html", str(folder)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return list(json.loads(done.stderr)["messages"])


def write_sites(site: Site, folder: Path) -> None:
    """Three per theme: without images, and with images in each kind of disclosure."""
    for theme in THEMES:
        site.config["theme"] = {"name": theme, "font": False} if theme == "material" else theme
        site.write("index.md", PLAIN)
        site.build(strict=True, site_dir=str(folder / theme / "plain"))
        site.write("index.md", FORMS)
        for disclosure in ("caption", "badge"):
            site.options["disclosure"] = disclosure
            built = site.build(site_dir=str(folder / theme / disclosure))
            assert [each for each in built.warnings if "widht" not in each] == []
            assert built.page("index.html").count("<img") >= 10


def test_html_checker_reports_no_new_problem(site: Site, tmp_path: Path) -> None:
    if not Path(JAR).is_file():
        skip_or_fail("VNU_JAR names no jar of the Nu HTML checker")
    if shutil.which("java") is None:
        skip_or_fail("java is not installed")
    checked = tmp_path / "checked"
    write_sites(site, checked)
    (checked / "wrong.html").write_text(WRONG)
    told = complaints(checked)

    def of(name: str) -> set[str]:
        return {each["message"] for each in told if f"/{name}" in each["url"]}

    assert len(of("wrong.html")) >= 1
    for theme in THEMES:
        for disclosure in ("caption", "badge"):
            assert of(f"{theme}/{disclosure}/") - of(f"{theme}/plain/") == set()
