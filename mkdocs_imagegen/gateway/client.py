"""The only module that speaks HTTP.

Three things hold for every call: one deadline from the first byte to the last, one limit on the
bytes that are taken, and no exception of the HTTP library ever leaves, since those hold the
request and with it the key. That is why errors are made where they are caught and raised where
nothing of the call is left in sight.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from functools import partial

import anyio
import anyio.to_thread
import httpx

from mkdocs_imagegen import __version__
from mkdocs_imagegen.errors import (
    DownloadError,
    GatewayError,
    InvalidResponseError,
    ModelUnavailableError,
    OutcomeUnknownError,
    RejectedRequestError,
    UnreachableError,
)
from mkdocs_imagegen.gateway.addresses import Unfetched, fetch
from mkdocs_imagegen.gateway.answer import ImageResponse
from mkdocs_imagegen.gateway.bodies import bounded
from mkdocs_imagegen.gateway.calls import Call, Handler, Keep, Progress, Reply
from mkdocs_imagegen.gateway.catalogue import check_retention
from mkdocs_imagegen.gateway.credentials import Credential, missing
from mkdocs_imagegen.gateway.edits import NOTHING, Attached, Posted, posted
from mkdocs_imagegen.gateway.offers import Offer, offers_in_words, read_offers
from mkdocs_imagegen.gateway.policy import Sleep, asking
from mkdocs_imagegen.gateway.quoting import quoted
from mkdocs_imagegen.gateway.replies import body_of_success, for_nothing
from mkdocs_imagegen.gateway.wire import (
    image_link,
    read_answer,
    sends_provider_options,
)
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings

CONNECT_S = 10.0
SHORT_CALL_S = 20.0
"""The deadline of what is only read, like the list of models."""

_EMBEDDED_URL = "http://sketch.invalid/v1"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_SENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol)
_CHARGED = "it may have been charged: look into the server's log before it is asked again"


class Gateway:
    """The server that draws, as the settings name it.

    Args:
        settings: which server, and how it is spoken to.
        credential: the key, if there is one.
        handler: a server inside this process; with it no socket is opened.
        sleep: waits so many seconds between two attempts.

    Raises:
        UnreachableError: the environment names a proxy or certificates that cannot be used.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        credential: Credential | None,
        handler: Handler | None = None,
        *,
        sleep: Sleep = anyio.sleep,
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._needs_key = settings.auth != "none" and handler is None
        self._url = _EMBEDDED_URL if settings.is_sketch else settings.url
        self._auth = _KeyHeader(credential, settings.auth) if credential else None
        self._sleep = sleep
        self._offers: tuple[Offer, ...] | None = None
        self._asking_offers = anyio.Lock()
        client = _client(_embedded(handler) if handler else None)
        if isinstance(client, GatewayError):
            raise client
        self._http = client

    async def generate(
        self, request: ImageRequest, keep: Keep | None = None, attached: Attached = NOTHING
    ) -> ImageResponse:
        """The image that was asked for.

        What certainly was not charged is asked again after a while, anything else is asked once.

        Args:
            request: what to draw.
            keep: takes the body of a success, in a worker thread, before anything reads it; so
                that what was paid for is on disk first. Must not raise.
            attached: the images that the request names.

        Raises:
            GatewayError: there is no image; its billing class says what that means.
        """
        settings = self._settings
        if self._needs_key and self._credential is None:
            raise missing(settings)
        if sends_provider_options(settings):
            check_retention(request.model, settings.provider_options)
        payload = posted(request, settings, attached)
        try:
            body: bytes = await asking(settings.timeout, self._sleep)(self._draw, payload)
        except ModelUnavailableError as error:
            gone = error
        else:
            if keep:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(keep, body)
            return await self.open_answer(body, request)
        raise await self._naming_offers(gone, request.model)

    async def models(self) -> tuple[Offer, ...]:
        """The image models that the server offers now, with prices; asked for once.

        Raises:
            GatewayError: the list cannot be had.
        """
        async with self._asking_offers:
            if self._offers is None:
                self._offers = read_offers(await self.read("models"))
        return self._offers

    async def read(self, path: str) -> bytes:
        """The body of what the server tells at a path below its address, as it is now.

        Raises:
            GatewayError: it cannot be had.
        """
        call = Call("GET", f"{self._url}/{path}", SHORT_CALL_S, with_key=True)
        try:
            return body_of_success(await self._exchange(call), self._credential, time.time())
        except OutcomeUnknownError as error:
            failed = for_nothing(error)
        raise failed

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _draw(self, payload: Posted) -> bytes:
        url, content, headers = f"{self._url}/{payload.path}", payload.content, payload.headers
        call = Call("POST", url, self._settings.timeout, content, with_key=True, headers=headers)
        return body_of_success(await self._exchange(call), self._credential, time.time())

    async def open_answer(self, body: bytes, request: ImageRequest) -> ImageResponse:
        """The image in a raw answer, or behind the link in it.

        Raises:
            DownloadError: the link cannot be fetched now.
            InvalidResponseError: there is none.
        """
        link = image_link(body) if self._settings.accept_urls else None
        fetched = await fetch(link, self._attempt, self._settings.timeout) if link else None
        if isinstance(fetched, Unfetched):
            fault = f"the image was made, and the link to it cannot be fetched: {fetched.fault}"
            raise (DownloadError if fetched.is_for_now else InvalidResponseError)(fault, body=body)
        return read_answer(body, request, self._settings, fetched)

    async def _naming_offers(
        self, gone: ModelUnavailableError, model: str
    ) -> ModelUnavailableError:
        """The same error with what the server offers now; without, if that cannot be had."""
        try:
            offers = await self.models()
        except GatewayError:
            self._offers = offers = ()
        gone.accepted = f"it offers: {offers_in_words(offers, model)}" if offers else None
        return gone.with_traceback(None)

    async def _exchange(self, call: Call) -> Reply:
        outcome = await self._attempt(call)
        if isinstance(outcome, GatewayError):
            raise outcome
        return outcome

    async def _attempt(self, call: Call) -> Reply | GatewayError:
        progress = Progress()
        with anyio.move_on_after(call.deadline_s):
            try:
                return await self._transfer(call, progress)
            except GatewayError as error:
                return error.with_traceback(None)
            except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the request
                return self._translated(error, progress)
        host = httpx.URL(call.url).host
        if progress.connecting:
            return UnreachableError(f"no connection to {host} within {call.deadline_s:g} s")
        fault = f"{host} gave no whole answer within {call.deadline_s:g} s"
        return OutcomeUnknownError(fault, hint=_CHARGED)

    async def _transfer(self, call: Call, progress: Progress) -> Reply:
        extensions = {"trace": progress.trace, "sni_hostname": call.server_name}
        async with self._http.stream(
            call.method,
            call.url,
            content=call.content,
            headers=dict(call.headers),
            auth=self._auth if call.with_key else None,
            extensions=extensions,
        ) as response:
            taken = bounded(response.is_success, response.headers.get("content-encoding", ""))
            async for chunk in response.aiter_raw():
                if not taken.add(chunk):
                    break
            headers = {name: self._redacted(value) for name, value in response.headers.items()}
            body = taken.taken()
            if not response.is_success and self._credential:
                body = self._credential.redact(body)
            return Reply(response.status_code, headers, body, taken.problem)

    def _translated(self, error: Exception, progress: Progress) -> GatewayError:
        """The error of ours for one of the HTTP library's, in which nothing of it is left."""
        said = f"{type(error).__name__}: {quoted(self._redacted(str(error)))}".removesuffix(": ")
        return translated(type(error), said, connecting=progress.connecting)

    def _redacted(self, text: str) -> str:
        """The text without the key, wherever a server or the library repeats it."""
        if self._credential is None:
            return text
        return self._credential.redact(text.encode("utf-8", "replace")).decode()


def translated(kind: type[Exception], detail: str, *, connecting: bool = False) -> GatewayError:
    """The error of ours for a kind of error of the HTTP library.

    Whatever is not known to come before the request is sent counts as sent.

    Args:
        kind: the exception's class.
        detail: its name and text, safe to show.
        connecting: whether the connection was still being made, whatever the error.
    """
    if issubclass(kind, _NOT_SENDABLE):
        hint = "check gateway.url and the proxy that the environment names"
        return RejectedRequestError(f"the request cannot be sent ({detail})", hint=hint)
    if connecting or issubclass(kind, _NOT_SENT):
        hint = "check the network, gateway.url and the proxy that the environment names"
        return UnreachableError(f"no connection to the server ({detail})", hint=hint)
    fault = f"the connection broke after the request was sent ({detail})"
    return OutcomeUnknownError(fault, hint=_CHARGED)


class _KeyHeader(httpx.Auth):
    """Puts the key into the request, read at the moment of the call."""

    def __init__(self, credential: Credential, style: str) -> None:
        self._credential = credential
        self._style = style

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the one header that the server wants."""
        if self._style == "api-key":
            request.headers["api-key"] = self._credential.read()
        else:
            request.headers["Authorization"] = f"Bearer {self._credential.read()}"
        yield request


def _client(transport: httpx.MockTransport | None) -> httpx.AsyncClient | UnreachableError:
    """A client that follows nothing, keeps no connection and asks for bodies as they are.

    A connection that is kept can be closed by the server just as it is used again, and then
    nobody knows whether the image was paid for; a new one costs little beside an image.
    """
    try:
        return httpx.AsyncClient(
            transport=transport,
            headers={
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": f"mkdocs-imagegen/{__version__}",
            },
            timeout=httpx.Timeout(None, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            follow_redirects=False,
        )
    except (ValueError, OSError, ImportError, httpx.InvalidURL) as error:
        hint = "check HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
        what = type(error).__name__
        return UnreachableError(f"the environment's proxy or certificates ({what})", hint=hint)


def _embedded(handler: Handler) -> httpx.MockTransport:
    """A transport that hands each request to a server inside this process."""

    async def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        call = partial(handler, request.method, path, dict(request.headers), request.content)
        given = await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
        stream = httpx.ByteStream(given.body)
        return httpx.Response(given.status, headers=dict(given.headers), stream=stream)

    return httpx.MockTransport(answer)
