"""Prompts that pages show are requested once, and no others."""

from __future__ import annotations

from collections import Counter

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from tests.support import Site

PAGE = """\
# Page

```imagegen
Shown: plain
```

- In a list

    ```imagegen
    Shown: in a list
    ```

    1. deeper ![Shown: in a nested list](imagegen:)

=== "Tab"

    ```imagegen
    Shown: in a tab
    ```

!!! note

    ```imagegen
    size: 1024x1024
    ---
    Shown: in an admonition
    ```

??? note

    ![x](imagegen: "Shown: in details")

> ```imagegen
> Shown: in a quote
> ```

| A | B |
|---|---|
| ![Shown: in a table](imagegen:) | y |

[![Shown: in a link](imagegen:)](https://example.org)

Text ![x](imagegen:named) and ![x][ref].

[ref]: imagegen:?size=1024x1024 "Shown: by reference"

--8<-- "snippet.md"

{% include-markdown "include.md" %}

{{ macro_picture }}

<div markdown="1">
```imagegen
Shown: in an HTML block
```
</div>

```mermaid
graph TD; A-->B
```

<!--
```imagegen
Hidden: in a comment
```
-->

<!-- ![Hidden: in a comment](imagegen:) -->

    ```imagegen
    Hidden: indented code
    ```

````markdown
```imagegen
Hidden: in a longer fence
```
![Hidden: in a longer fence](imagegen:)
````

~~~markdown
```imagegen
Hidden: in tildes
```
~~~

`![Hidden: in a code span](imagegen:)` and \\![Hidden: escaped](imagegen:)

<textarea>
```imagegen
Hidden: in a text area
```
</textarea>

<script>
// ![Hidden: in a script](imagegen:)
</script>
"""

EXTENSIONS = [
    "admonition",
    "attr_list",
    "md_in_html",
    "tables",
    "pymdownx.details",
    {
        "pymdownx.superfences": {
            "custom_fences": [{"name": "mermaid", "class": "mermaid", "format": "!FENCE"}]
        }
    },
    {"pymdownx.tabbed": {"alternate_style": True}},
    {"pymdownx.snippets": {"base_path": ["!SNIPPETS"], "check_paths": True}},
]

SHOWN = {
    f"Shown: {where}"
    for where in (
        "plain", "in a list", "in a nested list", "in a tab", "in an admonition", "in details",
        "in a quote", "in a table", "in a link", "named", "by reference", "in a snippet",
        "in an include", "by a macro", "in an HTML block",
    )
}  # fmt: skip


@pytest.fixture
def everywhere(site: Site, gateway_url: str) -> Site:
    site.config["markdown_extensions"] = EXTENSIONS
    site.config["plugins"] = [
        "search",
        {"macros": {"on_error_fail": True}},
        "include-markdown",
        {"imagegen": {"gateway": {"url": gateway_url, "key_env": "TEST_KEY"}}},
    ]
    site.options["prompts"] = {"named": "Shown: named"}
    site.options["report"] = "report.json"
    site.config["extra"] = {"macro_picture": "![Shown: by a macro](imagegen:)"}
    site.write("index.md", PAGE)
    (site.folder / "snippets").mkdir()
    (site.folder / "snippets/snippet.md").write_text("```imagegen\nShown: in a snippet\n```\n")
    site.write("include.md", "![Shown: in an include](imagegen:)\n")
    site.config["exclude_docs"] = "include.md\n"
    text = site.save().read_text()
    text = text.replace("'!FENCE'", "!!python/name:pymdownx.superfences.fence_code_format")
    text = text.replace("'!SNIPPETS'", str(site.folder / "snippets"))
    site.save = lambda: _write(site, text)  # type: ignore[method-assign]
    return site


def _write(site: Site, text: str):
    path = site.folder / "mkdocs.yml"
    path.write_text(text)
    return path


@pytest.mark.slow
def test_each_shown_prompt_is_requested_once_and_no_other(
    everywhere: Site, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "a-key")
    built = everywhere.build(strict=True)
    asked = Counter(seen.prompt for seen in emulator.log if seen.method == "POST")
    assert asked == Counter(SHOWN)
    assert emulator.bill.images == len(SHOWN)
    page = built.page("index.html")
    assert page.count('src="assets/imagegen/') == len(SHOWN)
    assert 'class="mermaid"' in page
    assert "imagegen:t" not in page


@pytest.mark.slow
def test_locations_are_source_lines_or_first_words(
    everywhere: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "a-key")
    everywhere.build(strict=True)
    lines = {
        each["prompt"].removeprefix("Shown: "): each["line"]
        for each in everywhere.report()["pictures"]
    }
    source = PAGE.splitlines()
    for where, line in lines.items():
        if where in ("in a snippet", "in an include", "by a macro"):
            assert line is None
        elif where in ("named", "by reference"):
            assert "(imagegen:named)" in source[line - 1] or "[ref]:" in source[line - 1]
        else:
            nearby = "\n".join(source[line - 1 : line + 4])
            assert f"Shown: {where}" in nearby, where
            assert "imagegen" in source[line - 1]


def test_formatter_call_without_a_result_sends_no_request(
    site: Site, emulator: Emulator, gateway_url: str
) -> None:
    """superfences formats fences in comments and indented code, and discards the result."""
    site.options["gateway"] = {"url": gateway_url, "auth": "none"}
    site.write(
        "index.md", "<!--\n```imagegen\nHidden\n```\n-->\n\n    ```imagegen\n    Hidden\n    ```\n"
    )
    built = site.build(strict=True)
    assert list(emulator.log) == []
    assert "imagegen:t" not in built.page("index.html")
