"""Rules for the English of docstrings, comments and messages; ``python -m tests.english PATH``."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

Fault: TypeAlias = tuple[int, str]
"""Line and description of a fault."""
Definition: TypeAlias = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

OPENINGS = ("What", "Whether", "How", "Where", "Why", "Which", "Of", "The same")
"""Openings that no docstring and no entry of its sections has."""

NO_VERBS = frozenset(
    [
        *("A", "All", "An", "And", "Any", "As", "At", "By", "Each", "Every", "Everything", "For"),
        *("From", "If", "In", "It", "Its", "No", "None", "Not", "On", "One", "Only", "Some"),
        *("That", "The", "Their", "These", "They", "This", "Those", "True", "When", "While"),
    ]
)
"""Words that begin no imperative, so that no docstring of a function begins with them."""

PRONOUNS = re.compile(
    r"\b(what|whatever|who|whose|where|nothing|nobody|none|one that|those that)\b", re.IGNORECASE
)
"""Words that point instead of naming. ``None``, the constant, is not one of them."""

BANNED = re.compile(
    # Terms
    r"(?<![<./-])\bpictures?\b(?!>)|fact sheet|house style|\bstand-ins?\b|\bsuccessors?\b"
    r"|\bsalvag\w+|\bknocks?\b|\bof (?:ours|us)\b|\bthe host's\b"
    # Idioms
    r"|\bpaid for\b|\bfor nothing\b|\bmend(?:s|ed)? (?:it|that|this)\b|\bcorrect the rights\b"
    r"|\bmake room\b|\banew\b|\bby itself\b|\bof late\b|\btake it out\b"
    r"|\b(?:ran|runs?) out\b|\bholds no\b|\bwhat becomes of\b|\bhow it stands\b|\bin vain\b"
    r"|\bhas to rest\b|\bnever rest\b|\bthere already\b"
    r"|\bstands? (?:on|in|at) (?:a|an|the|its) (?:page|file|folder|line)\b"
    # Verbs
    r"|\bbuys?\b|\bbought\b|\bbuying\b|\bask(?:s|ed|ing)? for\b"
    r"|\bma(?:ke|kes|king|de) (?:an? |the |its |their )?(?:images?|originals?)\b(?! the same)"
    r"|\bimages? (?:is|are|was|were|be|being|to be) (?:being )?made\b"
    # Tone
    r"|\b(?:no|some)body\b|\bwh(?:o|at)ever\b|\bwhoever\b"
    # American spelling
    r"|\b(?:dis)?colours?\b|\bcolou?red in\b|\bbehaviours?\b|\b(?:un)?labelled\b|\blabelling\b"
    r"|\bfavours?\b|\bhonours?\b|\bneighbours?\b|\bneighbouring\b|\bgrey\b|\bcentred?\b|\blicences?\b"
    r"|\bmodelled\b|\btravelled\b|\bsignalled\b|\bartefacts?\b|\bjudgements?\b|\bwhilst\b"
    r"|\b(?:recogni|organi|normali|initiali|seriali|optimi|minimi|maximi|synchroni|summari|prioriti"
    r"|reali|emphasi|capitali|visuali|finali|analy)s(?:e|es|ed|ing|ation)\b",
    re.IGNORECASE,
)
"""Words and idioms that the project does not use, and British spellings."""

BANNED_IN_PROSE = re.compile(
    r"\b(?:we|ours?|simply|eas(?:y|ily)|please)\b|!$", re.IGNORECASE | re.MULTILINE
)
"""Words banned in docstrings and comments; messages may quote a server."""

_SENTENCE = re.compile(r"[A-Za-z]+[ ,] ?[a-z]+ ")
_SECTION = re.compile(r"^(\w+):$")
_ENTRY = re.compile(r"^    (\*{0,2}\w+(?:\.\w+)*): (.+)$")
_LOGGED = {"debug", "info", "warning", "error", "critical"}
_NO_PERIOD = re.compile(r"(?<!\.\.)(?<!etc)\.$")


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


def faults(path: Path) -> Iterator[Fault]:
    """Yield line and fault of a module, pronoun words left out."""
    yield from _opening_faults(path)
    yield from _function_faults(path)
    yield from _message_faults(path)
    for line, text in [*docstrings(path), *comments(path)]:
        yield from _banned(line, text, BANNED_IN_PROSE)
    for line, text in [*docstrings(path), *messages(path), *comments(path)]:
        yield from _banned(line, text, BANNED)


def _banned(line: int, text: str, words: re.Pattern[str]) -> Iterator[Fault]:
    for match in words.finditer(re.sub(r"``?[^`]*``?", "``", text)):
        # Next to the American spelling, a British one is data: words of prompts.
        if match[0] != "grey" or "gray" not in text:
            yield line, f"{match[0]!r} is banned"


def _opening_faults(path: Path) -> Iterator[Fault]:
    """Docstrings, and the entries of their sections."""
    for line, text in docstrings(path):
        if opening := _opening(text):
            yield line, f"a docstring begins with {opening!r}"
        for section, name, description in entries(text):
            if opening := _opening(description[:1].upper() + description[1:]):
                yield line, f"{name}: the description begins with {opening!r}"
            if section == "Raises" and not description.startswith("If "):
                yield line, f"{name}: the description does not begin with 'If'"


def _opening(text: str) -> str:
    return next((each for each in OPENINGS if re.match(rf"{each}\b", text.lstrip())), "")


def entries(docstring: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, name and description of every entry, like ``Args``, ``path``, ``File.``."""
    section = ""
    for line in _dedented(docstring):
        if match := _SECTION.match(line):
            section = match[1]
        elif section in {"Args", "Attributes", "Raises"} and (match := _ENTRY.match(line)):
            yield section, match[1], match[2]


def _dedented(docstring: str) -> list[str]:
    lines = docstring.expandtabs().splitlines()
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(indents, default=0)
    return [lines[0].strip(), *(line[margin:].rstrip() for line in lines[1:])] if lines else []


def _function_faults(path: Path) -> Iterator[Fault]:
    """Docstrings of functions that begin with no imperative."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_no_action(node):
            continue
        first = (ast.get_docstring(node) or "").partition(" ")[0].rstrip(",.:")
        if first in NO_VERBS:
            yield node.lineno, f"{node.name}: the docstring begins with {first!r}, not with a verb"


def _is_no_action(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return True for a property, and for a test, whose docstring states a behavior."""
    names = {ast.unparse(each).rpartition(".")[2] for each in node.decorator_list}
    return node.name.startswith("test_") or any("property" in name for name in names)


def _message_faults(path: Path) -> Iterator[Fault]:
    """Texts of errors and log records that end with a period."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and _is_message(node.func):
            for each in [*node.args, *(keyword.value for keyword in node.keywords)]:
                text = _tail(each)
                if _NO_PERIOD.search(text):
                    yield each.lineno, f"a message ends with a period: {text[-40:]!r}"


def _is_message(function: ast.expr) -> bool:
    name = ast.unparse(function)
    owner, _, method = name.rpartition(".")
    return name.endswith("Error") or (owner.split(".")[-1] == "log" and method in _LOGGED)


def _tail(node: ast.expr) -> str:
    """Return the last constant part of a string."""
    if isinstance(node, ast.JoinedStr):
        node = node.values[-1] if node.values else node
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return node.value if is_text else ""


def main(roots: list[str]) -> int:
    """Print the violations of modules and folders; return 1 if there are any."""
    found = [
        f"{path}:{line}: {fault}"
        for root in map(Path, roots)
        for path in (sorted(root.rglob("*.py")) if root.is_dir() else [root])
        for line, fault in sorted(faults(path))
    ]
    sys.stdout.write("\n".join(found or ["no violations"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["mkdocs_imagegen"]))
