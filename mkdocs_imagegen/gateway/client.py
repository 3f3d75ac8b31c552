"""HTTP client of an image API, the only module that imports httpx.

Three rules hold for every request: one timeout from the first byte to the last, one limit on the
bytes that are read, and no exception of httpx leaves, since it has the request and with it the
credential. Therefore errors are created where they are caught, and raised from a frame that has no
part of the request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from functools import partial

import anyio
import anyio.to_thread
import httpx

from mkdocs_imagegen import __version__
from mkdocs_imagegen.errors import (
    DownloadError,
    GatewayError,
    InvalidResponseError,
    OutcomeUnknownError,
    RejectedRequestError,
    UnreachableError,
)
from mkdocs_imagegen.gateway.credentials import Credential, missing_credential
from mkdocs_imagegen.gateway.exchange import (
    ClientRequest,
    ClientResponse,
    ConnectionTrace,
    Handler,
    SaveBody,
    body_for,
)
from mkdocs_imagegen.gateway.failures import MAY_BE_CHARGED, as_unbilled, success_body
from mkdocs_imagegen.gateway.links import FetchFailure, fetch_image
from mkdocs_imagegen.gateway.models import check_retention
from mkdocs_imagegen.gateway.offers import MODELS_PATH, Offer, read_offers
from mkdocs_imagegen.gateway.untrusted import safe_text
from mkdocs_imagegen.gateway.wire import (
    NO_ATTACHMENTS,
    Attachments,
    ImageResponse,
    decode_response,
    encode_request,
    image_link,
    sends_provider_options,
)
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings import GatewaySettings
from mkdocs_imagegen.settings.gateway import LOOPBACK

CONNECT_TIMEOUT_S = 10.0
GET_TIMEOUT_S = 20.0
"""Timeout of a free request, such as the list of models."""

_EMBEDDED_URL = "http://sketch.invalid/v1"
_DIRECT = {f"all://{f'[{host}]' if ':' in host else host}": None for host in LOOPBACK}
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NOT_SENDABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol)


class Gateway:
    """Client of one server.

    Args:
        settings: Settings of the server.
        credential: Credential of the server, or None.
        handler: Server in this process; with it, no socket is opened.

    Raises:
        UnreachableError: If the environment names an unusable proxy or certificate file.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        credential: Credential | None,
        handler: Handler | None = None,
    ) -> None:
        self._settings = settings
        self._credential = credential
        self._needs_key = settings.auth != "none" and handler is None
        self._url = _EMBEDDED_URL if settings.is_sketch else settings.url
        self._auth = _CredentialHeader(credential, settings.auth) if credential else None
        client = _open_client(_embedded_transport(handler) if handler else None)
        if isinstance(client, GatewayError):
            raise client
        self._http = client

    async def generate(
        self,
        request: ImageRequest,
        save_body: SaveBody | None = None,
        attachments: Attachments = NO_ATTACHMENTS,
    ) -> ImageResponse:
        """Generate an image by one request.

        Args:
            request: Request for the image.
            save_body: Writes the body of a successful response to disk before it is decoded, so
                that no charged image is lost. Runs in a worker thread; must not raise.
            attachments: Reference images and mask that the request names.

        Raises:
            GatewayError: If the server returned no image. Its billing class says whether it was
                charged.
        """
        settings = self._settings
        if self._needs_key and self._credential is None:
            raise missing_credential(settings)
        if sends_provider_options(settings):
            check_retention(request.model, settings.provider_options)
        encoded = encode_request(request, settings, attachments, self._url)
        body = await self._fetch_body(encoded)
        if save_body:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(save_body, body)
        return await self.open_response(body, request)

    async def open_response(self, body: bytes, request: ImageRequest) -> ImageResponse:
        """Return the image in the body of a successful response, or behind its link.

        Raises:
            DownloadError: If the link cannot be fetched now, and may be later.
            InvalidResponseError: If the response has no usable image.
        """
        link = image_link(body) if self._settings.accept_urls else None
        fetched = await fetch_image(link, self._send, self._settings.timeout) if link else None
        if isinstance(fetched, FetchFailure):
            fault = f"the image was generated, but its link cannot be fetched: {fetched.fault}"
            raise (DownloadError if fetched.is_transient else InvalidResponseError)(
                fault, body=body
            )
        return decode_response(body, request, self._settings, fetched)

    async def fetch_offers(self) -> tuple[Offer, ...]:
        """Return the image models that the server offers now, with prices.

        Raises:
            GatewayError: If the list is unavailable.
        """
        return read_offers(await self.fetch(MODELS_PATH))

    async def fetch(self, path: str) -> bytes:
        """Return the body of a free resource of the server.

        Args:
            path: Path relative to the server's URL.

        Raises:
            GatewayError: If it is unavailable.
        """
        request = ClientRequest("GET", f"{self._url}/{path}", GET_TIMEOUT_S, has_credential=True)
        try:
            return await self._fetch_body(request)
        except OutcomeUnknownError as error:
            failure = as_unbilled(error)
        raise failure

    async def aclose(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _fetch_body(self, request: ClientRequest) -> bytes:
        result = await self._send(request)
        if isinstance(result, GatewayError):
            raise result
        return success_body(result, self._credential, time.time(), request.model)

    async def _send(self, request: ClientRequest) -> ClientResponse | GatewayError:
        trace = ConnectionTrace()
        with anyio.move_on_after(request.timeout_s):
            try:
                return await self._transfer(request, trace)
            except GatewayError as error:
                return error.with_traceback(None)
            except Exception as error:  # noqa: BLE001 - every exception may have the request
                text = safe_text(self._redact(str(error)))
                detail = f"{type(error).__name__}: {text}".removesuffix(": ")
                return transport_error(type(error), detail, is_connecting=trace.is_connecting)
        host = httpx.URL(request.url).host
        if trace.is_connecting:
            return _unreachable(f"none to {host} within {request.timeout_s:g} s")
        fault = f"{host} did not respond completely within {request.timeout_s:g} s"
        return OutcomeUnknownError(fault, hint=MAY_BE_CHARGED)

    async def _transfer(self, request: ClientRequest, trace: ConnectionTrace) -> ClientResponse:
        async with self._http.stream(
            request.method,
            request.url,
            content=request.body,
            headers=dict(request.headers),
            auth=self._auth if request.has_credential else None,
            extensions={"trace": trace.note, "sni_hostname": request.server_name},
        ) as response:
            encoding = response.headers.get("content-encoding", "")
            collector = body_for(response.status_code, encoding)
            async for chunk in response.aiter_raw():
                if not collector.add(chunk):
                    break
            headers = {name: self._redact(value) for name, value in response.headers.items()}
            body = collector.finish()
            if not response.is_success and self._credential:
                body = self._credential.redact(body)
            return ClientResponse(response.status_code, headers, body, collector.problem)

    def _redact(self, text: str) -> str:
        """Return the text without the credential, which a server or httpx may repeat."""
        if self._credential is None:
            return text
        return self._credential.redact(text.encode("utf-8", "replace")).decode()


OpenGateway = Callable[[GatewaySettings], Gateway]
"""Opens the client."""


def transport_error(
    kind: type[Exception], detail: str, *, is_connecting: bool = False
) -> GatewayError:
    """Return the package's error for an exception of httpx.

    A request counts as sent unless the exception certainly comes before it is sent.

    Args:
        kind: Class of the exception.
        detail: Name and text of the exception, redacted.
        is_connecting: True if the connection was being established.
    """
    if issubclass(kind, _NOT_SENDABLE):
        hint = "check gateway.url and the proxy variables of the environment"
        return RejectedRequestError(f"the request cannot be sent ({detail})", hint=hint)
    if is_connecting or issubclass(kind, _NOT_SENT):
        return _unreachable(detail)
    fault = f"the connection broke after the request was sent ({detail})"
    return OutcomeUnknownError(fault, hint=MAY_BE_CHARGED)


def _unreachable(detail: str) -> UnreachableError:
    hint = "check the network, gateway.url and the proxy variables of the environment"
    return UnreachableError(f"no connection to the server ({detail})", hint=hint)


class _CredentialHeader(httpx.Auth):
    """Adds the credential to a request, read when the request is sent."""

    def __init__(self, credential: Credential, style: str) -> None:
        self._credential = credential
        self._style = style

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header of the configured style."""
        if self._style == "api-key":
            request.headers["api-key"] = self._credential.read()
        else:
            request.headers["Authorization"] = f"Bearer {self._credential.read()}"
        yield request


def _open_client(transport: httpx.MockTransport | None) -> httpx.AsyncClient | UnreachableError:
    """Return a client that follows no redirect, reuses no connection and requests no compression.

    A server can close a reused connection at the moment of the next request, and then it is
    unknown whether that request was charged. A new connection takes little time next to an image.
    A server on this machine is never reached through the proxy of the environment, which would
    read its API key.
    """
    try:
        return httpx.AsyncClient(
            transport=transport,
            mounts=_DIRECT,
            headers={
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": f"mkdocs-imagegen/{__version__}",
            },
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            follow_redirects=False,
        )
    except (ValueError, OSError, ImportError, httpx.InvalidURL) as error:
        hint = "check HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
        kind = type(error).__name__
        return UnreachableError(f"the proxy or certificate file is unusable ({kind})", hint=hint)


def _embedded_transport(handler: Handler) -> httpx.MockTransport:
    """Return a transport that passes each request to a server in this process."""

    async def respond(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        call = partial(handler, request.method, path, dict(request.headers), request.content)
        response = await anyio.to_thread.run_sync(call, abandon_on_cancel=True)
        stream = httpx.ByteStream(response.body)
        return httpx.Response(response.status, headers=dict(response.headers), stream=stream)

    return httpx.MockTransport(respond)
