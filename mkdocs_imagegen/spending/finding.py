"""Which original answers a request."""

from __future__ import annotations

from mkdocs_imagegen.originals.store import Original, OriginalStore
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import Settings


class Finder:
    """Finds originals.

    Args:
        store: where they are.
        settings: of the site.
    """

    def __init__(self, store: OriginalStore, settings: Settings) -> None:
        self._store = store
        self._enabled = settings.enabled
        self._server = settings.gateway.url
        self._is_vercel = settings.gateway.is_vercel

    def may_have(self, request: ImageRequest) -> bool:
        """Whether there is a record for a request, whatever it says."""
        if not self._enabled:
            return False
        return self._store.has_record(request.key) or (
            not self._is_vercel and self._store.has_record(request.as_sketch.key)
        )

    def usable(self, request: ImageRequest, *, is_exact: bool) -> Original | None:
        """The original of a request; or one of its subject, unless only its own will do.

        Raises:
            StoreError: something is there and cannot be read.
        """
        if not self._enabled:
            return None
        exact = self.exact(request)
        if exact is not None or is_exact:
            return exact
        return self._store.find_by_subject(request.subject_key, request.model)

    def exact(self, request: ImageRequest) -> Original | None:
        """The request's own original, or the sketch that the server which is set drew for it.

        Raises:
            StoreError: something is there and cannot be read.
        """
        return self._store.find(request.key) or self._sketch_of_this_server(request)

    def _sketch_of_this_server(self, request: ImageRequest) -> Original | None:
        """A sketch by the very server that is set now, which would draw the same again."""
        original = None if self._is_vercel else self._store.find(request.as_sketch.key)
        return original if original and original.record.server == self._server else None
