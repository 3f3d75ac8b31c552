"""Strings that break things, five hundred of them, the same every time."""

from __future__ import annotations

import itertools

_PAYLOADS = [
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" onload="alert(1)',
    "' onmouseover='alert(1)",
    "</figcaption></figure><script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "<!-- comment",
    "--> <b>",
    "<![CDATA[x]]>",
    "</textarea><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "![a](javascript:alert(1))",
    "[a](javascript:alert(1))",
    "![x](imagegen:)",
    "imagegen:t0123456789012345678901234567890123456789",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{: onclick=alert(1) }",
    "{ .x onclick=alert(1) }",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "/etc/passwd",
    "C:\\con\\nul",
    "file:///etc/passwd",
    "http://127.0.0.1/",
    "con.png",
    "a\u202etxt.exe",
    "\u200b\u200e\u200f",
    "\ufeffbom",
    "e\u0301 and \u00e9",
    "\U0001f1e9\U0001f1ea \U0001f468\u200d\U0001f469",
    "田中さんにあげて下さい",
    "الكل في المجمو عة",
    "ﷺﷺﷺ",
    "\x00null\x01\x08",
    "tab\tand\x0bvertical",
    "\x1b[31mred\x1b[0m",
    "\u0002wzxhzdk:0\u0003",
    "\u0002klzzwxh:0001\u0003",
    "\u000242\u0003",
    "%00%0a%0d",
    "%s %d %n {0} {x} ${x}",
    "$(touch /tmp/x) `touch /tmp/x`",
    "'; DROP TABLE cache; --",
    "null",
    "true",
    "NaN",
    "-1",
    "1e309",
    "0x10",
    "99999999999999999999",
    "---",
    "- - -",
    "size: 3",
    "alt: x",
    "\\",
    "\\\\n",
    "*" * 50,
    "[" * 200,
    "(" * 200,
    "&" * 100,
    '"' * 99,
    "a" * 5000,
    "word " * 400,
]
_AROUND = ["{0}", " {0} ", "x {0}", "{0} y", "{0}{0}", '"{0}"', "'{0}'", "<{0}>", "# {0}"]


def naughty_strings(number: int = 500) -> list[str]:
    """That many strings, without line breaks and backticks, which would end where they stand."""
    made = (frame.replace("{0}", payload) for frame in _AROUND for payload in _PAYLOADS)
    plain = (text.replace("`", "").replace("\n", " ") for text in made)
    return list(itertools.islice(dict.fromkeys(plain), number))
