"""Answers become originals: checked, recorded, and never let go of."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from mkdocs_imagegen.errors import ImageError, InvalidResponseError, StoreError
from mkdocs_imagegen.gateway.wire import ImageResponse
from mkdocs_imagegen.imaging.decode import ImageInfo, inspect_image
from mkdocs_imagegen.jobs.job import Result
from mkdocs_imagegen.originals.record import Record
from mkdocs_imagegen.originals.store import Original, OriginalStore
from mkdocs_imagegen.request import ImageRequest


class Keeper:
    """Puts what came where it is safe.

    Args:
        store: where originals are kept.
    """

    def __init__(self, store: OriginalStore) -> None:
        self._store = store

    def keep(self, request: ImageRequest, answer: ImageResponse, server: str) -> Result:
        """Store an image; where that fails, it is saved elsewhere and the result says so.

        Raises:
            InvalidResponseError: it is no image we accept; its bytes are in quarantine.
            StoreError: nowhere is any room for it.
        """
        decoded = self._decoded(request, answer)
        record = _original(request, answer, decoded, server)
        remarks = list(answer.warnings)
        if decoded.size != request.size:
            remarks.append(f"asked for {request.size}, got {decoded.size}: it is cut to fit")
        alarm = ""
        try:
            original = self._store.put(record, answer.image)
        except StoreError as error:
            original = _rescued(record, answer.image)
            alarm = f"{error}; this image is in {original.path}"
        return Result(original, made=True, remarks=tuple(remarks), alarm=alarm)

    def quarantine(self, name: str, content: bytes) -> str | None:
        """Keep what was paid for and is no image; the words that say where, if it worked."""
        path = self._store.put_in_quarantine(name, content)
        return f"the answer is in {path}" if path else None

    def _decoded(self, request: ImageRequest, answer: ImageResponse) -> ImageInfo:
        try:
            return inspect_image(answer.image)
        except ImageError as error:
            hint = self.quarantine(f"{request.key}.picture", answer.image)
            fault = f"the image that came is broken, and was paid for: {error}"
            raise InvalidResponseError(fault, hint=hint) from None


def _original(
    request: ImageRequest, answer: ImageResponse, decoded: ImageInfo, server: str
) -> Record:
    asked = request.as_sketch if answer.is_sketch else request
    return Record(
        key=asked.key,
        subject=asked.subject_key,
        sha256=hashlib.sha256(answer.image).hexdigest(),
        bytes=len(answer.image),
        mime=decoded.mime,
        width=decoded.size.width,
        height=decoded.size.height,
        has_alpha=decoded.has_alpha,
        model=asked.model,
        answered_by=answer.model,
        prompt=asked.prompt,
        take=asked.take,
        cost_usd=answer.cost_usd,
        cost_is_estimate=answer.cost_is_estimate,
        generation_id=answer.generation_id,
        server=server,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        warnings=answer.warnings,
    )


def _rescued(record: Record, content: bytes) -> Original:
    """The image in the system's folder for temporary files, since the store did not take it.

    Raises:
        StoreError: that folder does not take it either.
    """
    try:
        original = Original(record, Path(tempfile.mkdtemp(prefix="imagegen-rescued-")))
        original.path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"a image that was paid for could be kept nowhere: {error}") from None
    return original
