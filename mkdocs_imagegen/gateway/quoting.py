"""Text that a server wrote, made fit for a message of ours; pure.

Such text is as little to be trusted as a stranger's: it may hold control characters, a whole
web page, or the key it was called with.
"""

from __future__ import annotations

import re

_CONSIDERED = 5000
_TAG = re.compile(r"<[^<>]*>")
_NO_ID = re.compile(r"[^A-Za-z0-9_.:-]")
_SECRET = re.compile(
    r"""\b(?:vck_|sk[-_])[\w*-]{4,}          # keys of the AI gateway, of OpenAI
    |\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?        # JSON web tokens
    |\bBearer\s+[\w.~+/=-]{6,}""",
    re.VERBOSE | re.ASCII,
)


def quoted(text: str, longest: int = 200) -> str:
    """The text on one line, without control characters, markup or credentials, shortened.

    Args:
        text: what the server wrote.
        longest: how many characters are kept.
    """
    start = text[:_CONSIDERED].strip()
    words = (_TAG.sub(" ", start) if start.startswith("<") else start).split()
    plain = " ".join("".join(filter(str.isprintable, word)) for word in words)
    safe = _SECRET.sub("[redacted]", plain).strip()
    return safe if len(safe) <= longest else f"{safe[:longest]}…"


def identifier(value: object) -> str | None:
    """The value if it is a name or an id as a server gives them, made safe; else None."""
    if not isinstance(value, str):
        return None
    text = _SECRET.sub("", value[:_CONSIDERED])
    return _NO_ID.sub("", text)[:100] or None


def name(value: object) -> str | None:
    """The value if it is a model's or provider's name, made safe; else None."""
    return (quoted(value, 100) or None) if isinstance(value, str) else None
