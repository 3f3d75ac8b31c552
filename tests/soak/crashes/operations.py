"""Operations that are stopped half way, and checks of their files."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from mkdocs_imagegen.errors import ImagegenError
from mkdocs_imagegen.gateway.wire import ImageResponse, decode_response
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.gateway import GatewaySettings
from mkdocs_imagegen.spending.journal import Intent
from mkdocs_imagegen.spending.ledger import Refusal
from mkdocs_imagegen.spending.recovery import recover, recover_all
from mkdocs_imagegen.spending.storing import Stores, open_stores, store_response
from tests.originals.support import record

Ack = Callable[[str], None]
"""Function that records a promise, which no later failure may break."""


def _png(color: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3, 2), color).save(file, "png")
    return file.getvalue()


CONTENT, OTHER_CONTENT = _png("red"), _png("blue")
REQUEST = ImageRequest("a/b", "Ein roter Ballon 🎈", Size(3, 2))
KEY = REQUEST.key
BODY = json.dumps({"data": [{"b64_json": base64.b64encode(CONTENT).decode()}]}).encode()
INTENT = Intent(REQUEST, "https://x.org/v1", "png", None, "2026-11-23T17:00:00+00:00")
REFUSAL = Refusal("a/b", "2026-11-23", "the prompt was refused")


def _original(content: bytes) -> Record:
    facts = {"key": KEY, "subject": REQUEST.subject_key, "mime": "image/png"}
    return replace(record(content=content), **facts)  # type: ignore[arg-type]  # all are strings


def _response() -> ImageResponse:
    return decode_response(BODY, REQUEST, replace(GatewaySettings(), output_format="png"))


@dataclass(frozen=True, slots=True)
class Workspace:
    """Folder in which an operation is stopped."""

    folder: Path

    @property
    def acks(self) -> Path:
        """File of the promises."""
        return self.folder / "acks"

    def stores(self) -> Stores:
        """Return the stores of a site, as a build opens them."""
        settings = Settings(root=self.folder)
        quarantine = settings.cache_path / "quarantine"
        return open_stores(settings, OriginalStore(settings.originals_path, quarantine))


@dataclass(frozen=True, slots=True)
class Operation:
    """Operation that writes files.

    Attributes:
        act: Function that is stopped.
        prepare: Function that runs before it, and is not stopped.
    """

    act: Callable[[Stores, Ack], None]
    prepare: Callable[[Stores, Ack], None] = lambda _stores, _ack: None


def _put(stores: Stores, ack: Ack) -> None:
    stores.originals.put(_original(CONTENT), CONTENT)
    ack("stored")


def _put_another(stores: Stores, ack: Ack) -> None:
    """Store another image under the same key, as a slower build does."""
    stores.originals.put(_original(OTHER_CONTENT), OTHER_CONTENT)
    ack("stored")


def _begin(stores: Stores, ack: Ack) -> None:
    stores.journal.begin(INTENT)
    ack("begun")


def _answered(stores: Stores, ack: Ack) -> None:
    _begin(stores, ack)
    if stores.journal.save_response(KEY, BODY):
        ack("spooled")


def _call(stores: Stores, ack: Ack) -> None:
    """Write all files of an image that is generated."""
    with stores.claims.claim(KEY) as is_ours:
        assert is_ours
        _answered(stores, ack)
        if not store_response(stores.originals, REQUEST, _response(), INTENT.server).alarm:
            ack("stored")
            stores.journal.end(KEY)


def _lose(stores: Stores, ack: Ack) -> None:
    stores.journal.end_as_unknown(INTENT)
    if not stores.journal.open_keys():
        ack("listed")


def _claim(stores: Stores, ack: Ack) -> None:
    with stores.claims.claim(KEY) as is_ours:
        assert is_ours
        ack("claimed")


def _refuse(stores: Stores, ack: Ack) -> None:
    stores.refusals.remember(KEY, REFUSAL)
    if stores.refusals.find(KEY):
        ack("refused")


def _recover(stores: Stores, ack: Ack) -> None:
    with stores.claims.claim(KEY) as is_ours:
        assert is_ours
        if recover(stores, KEY):
            ack("stored")


OPERATIONS = {
    "put": Operation(_put),
    "put another": Operation(_put_another, prepare=_put),
    "call": Operation(_call),
    "lose": Operation(_lose, prepare=_begin),
    "claim": Operation(_claim),
    "refuse": Operation(_refuse),
    "recover": Operation(_recover, prepare=_answered),
}


def judge(workspace: Workspace, acked: set[str]) -> Counter[str]:
    """Count the faults of the files: ``wrong``, ``lost``, ``next`` and ``strange``."""
    faults: Counter[str] = Counter()
    before = workspace.stores()
    faults["wrong"] += _read_stored(before) not in (None, CONTENT, OTHER_CONTENT)
    faults["wrong"] += before.refusals.find(KEY) not in (None, REFUSAL)
    faults["strange"] += len(_find_strange_files(before.originals.folder))
    stores = workspace.stores()
    recover_all(stores)
    content = _read_stored(stores)
    unknown = [each.request.key for each in stores.journal.unknown_intents()]
    faults["lost"] += content is None and bool(acked & {"stored", "spooled"})
    faults["lost"] += content is None and KEY not in unknown and bool(acked & {"begun", "listed"})
    faults["lost"] += "refused" in acked and stores.refusals.find(KEY) is None
    faults["strange"] += len(_open_calls(stores)) + _count_quarantined(stores)
    faults["next"] += not _next_succeeds(workspace.stores(), content)
    return faults


def _read_stored(stores: Stores) -> bytes | None:
    original = stores.originals.find_verified(KEY)
    return stores.originals.read(original) if original else None


def _open_calls(stores: Stores) -> list[Path]:
    """Return intents and answers that recovery has left in the journal."""
    folder = stores.journal.unknown_path.parent
    return [path for kind in ("intent", "answer") for path in folder.glob(f"*.{kind}")]


def _count_quarantined(stores: Stores) -> int:
    return sum(1 for _ in stores.originals.quarantine.glob("*"))


def _find_strange_files(folder: Path) -> list[Path]:
    """Return files that are neither complete nor named as temporary."""
    images = (CONTENT, OTHER_CONTENT)
    names = {f"{KEY}.{hashlib.sha256(each).hexdigest()[:16]}.png" for each in images}
    names |= {f"{KEY}.json", f"{KEY}.refused.json", f"{KEY}.lock", ".gitignore"}
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp")
    return [path for path in found if path.name not in names]


def _next_succeeds(stores: Stores, before: bytes | None) -> bool:
    """Return True if the image can be generated now, and an image that was stored stays."""
    try:
        with stores.claims.claim(KEY) as is_ours:
            stores.originals.put(_original(CONTENT), CONTENT)
    except ImagegenError:
        return False
    return is_ours and _read_stored(stores) == (before or CONTENT)
