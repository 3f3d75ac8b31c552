"""Lines of directives in source files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkdocs_imagegen.directives.directive import SourceExcerpt
from mkdocs_imagegen.directives.source_lines import SourceLines, swallowed_blocks


def fence(first_words):
    return SourceExcerpt("fence", first_words)


def image(text, target="imagegen:", title=""):
    return SourceExcerpt("inline image", text, target, title)


@pytest.mark.parametrize(
    ("source", "text", "occurrence", "line"),
    [
        (fence("A"), "\n```imagegen\nA\n```\n```imagegen\nA\n```", 1, 5),
        (fence("A"), "```imagegen\nA\n```", 7, 1),
        (fence("A"), "```imagegen\nB\n```", 0, None),
        (fence("A"), "```python\nA\n```", 0, None),
        (fence("A"), "\r\n```imagegen\r\n\r\n   A  \r\n```\r\n", 0, 2),
        (fence("> A"), "```imagegen\n> A\n```", 0, 1),
        (fence("A"), "> ~~~ { .imagegen }\n> A\n> ~~~", 0, 1),
        (fence("A"), "\x0c a \u2028 b\n```imagegen\nA\n```", 0, 2),
        (fence("A"), "````\n```imagegen\nA\n```\n````\n- ```imagegen\n  A\n  ```", 0, 6),
        (fence("A"), "````\n```imagegen\nA\n```\n````\n", 0, 2),
        (image("A"), "```\n![A](imagegen:)\n```\n![A](imagegen:)", 0, 4),
        (image("A", "imagegen:x"), "![A](imagegen:)\n![A](imagegen:x)", 0, 2),
        (image("", "imagegen:x"), "![B](imagegen:x)\n![](imagegen:x)", 0, 2),
        (image("A"), "![B](imagegen:)", 0, None),
        (image("A"), "![A](imagegen:nope)", 0, None),
        (image("A"), "![A](imagegen:nope) ![A](imagegen:)", 0, 1),
        (image("A"), "![A](imagegen:?take=2)\n![A](imagegen:)", 0, 2),
        (image("A", "imagegen:x"), "![A](imagegen:xy)\n![A](<imagegen:x>)", 0, 2),
        (image("A", "imagegen:a.b"), "![A](imagegen:aXb)", 0, None),
        (image("A"), "![A]( imagegen: )", 0, 1),
        (image("A", title="T"), '![A](imagegen: "T")', 0, 1),
        (image("A"), "![A][a]\n\n[a]: imagegen:", 0, 3),
        (image("A"), "![A b](imagegen:)\n![A](imagegen:)", 0, 2),
        (image("A"), "![A](imagegen:)\nA\nA\n![A](imagegen:)", 1, 4),
        (image("A"), "", 0, None),
        (fence(""), "", 0, None),
    ],
)
def test_find_returns_the_line_of_a_directive(source, text, occurrence, line):
    assert SourceLines(text).find(source, occurrence) == line


@given(st.text("`~>- \nimagegen:![]()A", max_size=80), st.integers(0, 3))
def test_find_never_fails(text, occurrence):
    for source in (fence("A"), image("A")):
        line = SourceLines(text).find(source, occurrence)
        assert line is None or 1 <= line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```yaml\na\n\n```imagegen\nA\n```", [("```yaml", False, "A")]),
        ("```yaml\na\n```\n\n```imagegen\nA\n```", []),
        ("````\n```imagegen\nA\n```\n````", []),
        ("~~~\n```imagegen\nA\n```\n~~~", []),
        ("~~~\n```imagegen\nA\n```", [("~~~", False, "A")]),
        ("> ```yaml\n> a\n\n```imagegen\nA\n```", [("```yaml", False, "A")]),
        ("\t```yaml\n\ta\n```imagegen\nA\n```", [("```yaml", False, "A")]),
        ("```yaml\r\na\r\n```imagegen\r\nA\r\n```", [("```yaml", False, "A")]),
        ("```yaml\n```imagegen-cards\n*.md\n```", [("```yaml", False, "*.md")]),
        ("```yaml\n``` { .imagegen }\nA\n```", [("```yaml", False, "A")]),
        ("```yaml\n```imagegenerator\nA\n```", []),
        (
            '```yaml title="a" hl_lines="1"\n```imagegen\nA\n```',
            [('```yaml title="a" hl_lines="1"', False, "A")],
        ),
        ("```yaml title=a\n```\n\n```imagegen\nA\n```", [("```yaml title=a", True, "A")]),
        ("```yaml title=a\n```\n\n```py\n```\n\n```imagegen\nA\n```", []),
    ],
)
def test_swallowed_blocks_are_found(text, found):
    blocks = swallowed_blocks(text.split("\n"), lambda line: "=a" not in line)
    assert [(each.header, each.is_closed, each.words) for each in blocks] == found


@given(st.text("`~> \nimagegen={}A", max_size=80))
def test_swallowed_blocks_never_fail(text):
    lines = text.split("\n")
    for each in swallowed_blocks(lines, lambda line: "=" not in line):
        assert each.header in text
