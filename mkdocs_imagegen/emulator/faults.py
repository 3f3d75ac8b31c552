"""Everything that can go wrong, by name; pure.

A fault that is an error (``refusals``) is answered at once and costs nothing. The others compute
the image, charge for it, and spoil what is delivered: its content (``spoiled``) or the way that
it takes over a socket (``transports``). Source: fact sheet "gateway protocol", section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mkdocs_imagegen.emulator.records import Fault
from mkdocs_imagegen.emulator.refusals import REFUSALS
from mkdocs_imagegen.emulator.spoiled import SPOILED
from mkdocs_imagegen.emulator.transports import BROKEN
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.options import did_you_mean, quoted_value

OK = "ok"
"""In a plan: nothing goes wrong this time."""

SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "A": "nested: the gateway's normal error",
        "B": "flat: `error` is a text",
        "C": "nested: the provider's error, wrapped by the gateway",
        "D": "nested: the provider's own error, as it came",
        "E": "HTML, text or nothing, from something in front of the gateway",
        "success": "the image is computed, and something is wrong with the answer",
        "transport": "the socket misbehaves",
    }
)

FAULTS: Mapping[str, Fault] = MappingProxyType({**REFUSALS, **SPOILED, **BROKEN})
"""Every fault by the name that a plan or the header ``x-imagegen-fault`` gives it."""


def unknown_fault(name: str) -> OptionError:
    """The error for a fault that does not exist."""
    return OptionError(
        f"there is no fault {quoted_value(name)}",
        accepted=f"known: {OK}, {', '.join(FAULTS)}",
        hint=did_you_mean(name, [OK, *FAULTS]),
    )
