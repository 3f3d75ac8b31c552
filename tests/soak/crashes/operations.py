"""Operations that are stopped half way, and checks of their files."""

from __future__ import annotations

import base64
import contextlib
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
from mkdocs_imagegen.imaging.decode import inspect_image
from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.originals.judge import Original
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import OriginalStore
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings
from mkdocs_imagegen.settings.gateway import GatewaySettings
from mkdocs_imagegen.spending.journal import Intent
from mkdocs_imagegen.spending.ledger import attempt_of
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
EARLIER = replace(INTENT, begun="2026-11-22T17:00:00+00:00")
REFUSAL = attempt_of(EARLIER, "refused", "the prompt was refused")
UNKNOWN = attempt_of(INTENT, "unknown", "the connection was lost")


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
        return open_stores(settings, OriginalStore(settings.originals_path, inspect_image))


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
    if stores.journal.save_response(INTENT, BODY):
        ack("spooled")


def _call(stores: Stores, ack: Ack) -> None:
    """Write all files of an image that is generated."""
    with stores.claims.claim(KEY) as is_ours:
        assert is_ours
        _answered(stores, ack)
        if not store_response(stores.originals, INTENT, _response()).alarm:
            ack("stored")
            stores.journal.end(KEY)


def _lose(stores: Stores, ack: Ack) -> None:
    """Note a request without a response, and remove its intent."""
    with contextlib.suppress(OSError):
        stores.attempts.add(KEY, UNKNOWN)
        ack("listed")
        stores.journal.end(KEY)


def _claim(stores: Stores, ack: Ack) -> None:
    with stores.claims.claim(KEY) as is_ours:
        assert is_ours
        ack("claimed")


def _refuse(stores: Stores, ack: Ack) -> None:
    with contextlib.suppress(OSError):
        stores.attempts.add(KEY, REFUSAL)
        ack("refused")


def _refuse_and_lose(stores: Stores, ack: Ack) -> None:
    _refuse(stores, ack)
    _begin(stores, ack)


def _replace(stores: Stores, ack: Ack) -> None:
    """Store another image in place of the first, as ``generate --again`` does."""
    stores.originals.replace(_original(OTHER_CONTENT), OTHER_CONTENT)
    ack("replaced")


def _damage_record(stores: Stores, ack: Ack) -> None:
    _put(stores, ack)
    path = _record_path(stores)
    path.write_bytes(path.read_bytes().replace(b'"take": 1', b'"take": 0'))


def _repair(stores: Stores, ack: Ack) -> None:
    """Write a damaged record again, as ``verify --repair`` does."""
    stores.originals.repair(Original(_original(CONTENT), _record_path(stores).parent))
    ack("stored")


def _record_path(stores: Stores) -> Path:
    return stores.originals.folder / KEY[:2] / f"{KEY}.json"


def _recover(stores: Stores, ack: Ack) -> None:
    with stores.claims.claim(KEY) as is_ours:
        assert is_ours
        if recover(stores, KEY):
            ack("stored")


OPERATIONS = {
    "put": Operation(_put),
    "put another": Operation(_put_another, prepare=_put),
    "replace": Operation(_replace, prepare=_put),
    "repair": Operation(_repair, prepare=_damage_record),
    "call": Operation(_call),
    "lose": Operation(_lose, prepare=_refuse_and_lose),
    "claim": Operation(_claim),
    "refuse": Operation(_refuse),
    "recover": Operation(_recover, prepare=_answered),
}


def judge(workspace: Workspace, acked: set[str]) -> Counter[str]:
    """Count the faults of the files: ``wrong``, ``lost``, ``next`` and ``strange``."""
    faults: Counter[str] = Counter()
    before = workspace.stores()
    expected = {OTHER_CONTENT} if "replaced" in acked else {None, CONTENT, OTHER_CONTENT}
    faults["wrong"] += _read_stored(before) not in expected
    faults["wrong"] += not {*before.attempts.find(KEY)} <= {REFUSAL, UNKNOWN}
    faults["strange"] += len(_find_strange_files(before.originals.folder))
    stores = workspace.stores()
    recover_all(stores)
    content = _read_stored(stores)
    attempts = {each.billing for each in stores.attempts.find(KEY)}
    faults["lost"] += content is None and bool(acked & {"stored", "spooled"})
    is_listed = content is not None or "unknown" in attempts
    faults["lost"] += not is_listed and bool(acked & {"begun", "listed"})
    faults["lost"] += "refused" in acked and "refused" not in attempts
    faults["strange"] += len(stores.journal.open_keys()) + _count_quarantined(stores)
    faults["next"] += not _next_succeeds(workspace.stores(), content)
    return faults


def _read_stored(stores: Stores) -> bytes | None:
    """Return the image as a build finds it, also while its record is put aside."""
    original = stores.originals.find_exact(REQUEST, "")
    return stores.originals.read(original)[1] if original else None


def _count_quarantined(stores: Stores) -> int:
    """Return the number of files in quarantine but damaged records, which a command puts aside."""
    found = stores.originals.quarantine.glob("*")
    return sum(not path.name.startswith(f"{KEY}.json.") for path in found)


def _find_strange_files(folder: Path) -> list[Path]:
    """Return files that are neither complete nor named as temporary, or in quarantine."""
    images = (CONTENT, OTHER_CONTENT)
    names = {f"{KEY}.{hashlib.sha256(each).hexdigest()[:16]}.png" for each in images}
    names |= {f"{KEY}.json", f"{KEY}.attempts.json", f"{KEY}.lock", f"{KEY}.intent"}
    names |= {".gitignore", ".gitattributes"}
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp")
    return [path for path in found if path.name not in names and not _is_kept(path)]


def _is_kept(path: Path) -> bool:
    return path.parent.name == "quarantine" or path.suffix == ".answer"


def _next_succeeds(stores: Stores, before: bytes | None) -> bool:
    """Return True if the image can be generated now, and an image that was stored stays."""
    try:
        with stores.claims.claim(KEY) as is_ours:
            stores.originals.put(_original(CONTENT), CONTENT)
    except ImagegenError:
        return False
    return is_ours and _read_stored(stores) == (before or CONTENT)
