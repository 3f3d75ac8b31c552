"""Emulators for many requests at once: one per prompt, with its own plan and bill."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from mkdocs_imagegen.emulator import protocol
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.wire_types import DrawRequest, HttpResponse

_draw = cache(protocol._draw_images)


def drawn_once(request: DrawRequest) -> tuple[str, ...]:
    """Replacement of ``protocol._draw_images`` for tests that need no distinct sketches."""
    return _draw(replace(request, prompt="x", requested_model=request.model))


class Switchboard:
    """Forwards each request to the emulator of its prompt.

    Args:
        plans: Faults of the requests, in order, by prompt.
    """

    def __init__(self, plans: Mapping[str, Sequence[str]]) -> None:
        self._others = Emulator(require_key=False)
        self.emulators = {
            prompt: Emulator(plan=plan, require_key=False) for prompt, plan in plans.items()
        }

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        prompt = json.loads(body)["prompt"] if body else ""
        return self.emulators.get(prompt, self._others).handle(method, path, headers, body)
