"""Rules for the English of docstrings, comments and messages; ``python -m tests.english PATH``."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

OPENINGS = ("What", "Whether", "How", "Where", "Why", "Which", "Of")

PRONOUNS = re.compile(
    r"\b(what|whatever|who|whose|where|nothing|nobody|none|one that|those that)\b", re.IGNORECASE
)
"""Words that point instead of naming. ``None``, the constant, is not one of them."""

BANNED = re.compile(
    r"(?<![<./])\bpictures?\b(?!>)|fact sheet|house style|\bpaid for\b|\bfor nothing\b"
    r"|\bmend(?:s|ed)? (?:it|that|this)\b|\bcorrect the rights\b|\bmake room\b|\banew\b"
    r"|\bby itself\b|\bof late\b|\bbuys?\b|\btake it out\b|\b(?:ran|runs) out\b"
    r"|\bholds no\b|\bwhat becomes of\b|\bhow it stands\b|\b(?:no|some)body\b|\bin vain\b"
    r"|\bwh(?:o|at)ever\b|\bhas to rest\b|\bnever rest\b|\bstand-ins?\b|\bknocks?\b"
    r"|\bof (?:ours|us)\b|\bthe host's\b|\bsalvag\w+|\bsuccessors?\b|\bcolour\b"
    r"|\bbehaviour\b|\blabelled\b",
    re.IGNORECASE,
)
"""Words and idioms that the project does not use."""

_SENTENCE = re.compile(r"[A-Za-z]+[ ,] ?[a-z]+ ")


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every docstring, attribute docstrings included."""
    for node in ast.walk(ast.parse(path.read_text())):
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_docstring and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every string constant that reads as a sentence."""
    known = {text for _, text in docstrings(path)}
    for node in ast.walk(ast.parse(path.read_text())):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node.value not in known and _SENTENCE.search(node.value):
            yield node.lineno, node.value


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every comment."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def pronouns(path: Path) -> tuple[int, int]:
    """Return the number of pronoun words and of all words in the docstrings of a module."""
    text = " ".join(text for _, text in docstrings(path))
    found = [word for word in PRONOUNS.findall(text) if word != "None"]
    return len(found), len(re.findall(r"[A-Za-z']+", text))


def faults(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and fault of a module, pronoun words left out."""
    for line, text in docstrings(path):
        if text.split(maxsplit=1)[:1] and text.split(maxsplit=1)[0] in OPENINGS:
            yield line, f"a docstring begins with {text.split(maxsplit=1)[0]!r}"
    for line, text in [*docstrings(path), *messages(path), *comments(path)]:
        for match in BANNED.finditer(text):
            yield line, f"{match[0]!r} is banned"


def main(roots: list[str]) -> None:
    """Print every fault and the share of pronoun words of each module."""
    words = count = 0
    for root in map(Path, roots):
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            for line, fault in sorted(faults(path)):
                sys.stdout.write(f"{path}:{line}: {fault}\n")
            some, all_words = pronouns(path)
            count, words = count + some, words + all_words
            if some * 1000 > 5 * all_words:
                sys.stdout.write(f"{path}: {some} pronoun words in {all_words}\n")
    share = 1000 * count / max(1, words)
    sys.stdout.write(f"{share:.1f} pronoun words per 1,000 words of docstrings\n")


if __name__ == "__main__":
    main(sys.argv[1:] or ["mkdocs_imagegen"])
