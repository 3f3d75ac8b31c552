"""Routes of the emulated gateway: one HTTP request in, one response out.

No socket and no file is used; clock and pause are parameters. ``sketches`` is imported with the
first image because Pillow takes long to import.
"""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from urllib.parse import unquote

from mkdocs_imagegen.emulator import models, validation
from mkdocs_imagegen.emulator.fault_bodies import retry_later
from mkdocs_imagegen.emulator.faults import NO_FAULT, OK, FaultCase, find_fault
from mkdocs_imagegen.emulator.request_bodies import decode_edit, decode_json
from mkdocs_imagegen.emulator.responses import (
    Charge,
    ModelNotOfferedError,
    RefusedError,
    generation_record,
    json_response,
    model_not_found,
    nested_error,
    openai_response,
    provider_metadata,
    sdk_response,
)
from mkdocs_imagegen.emulator.state import Bill, EmulatorState, LogEntry
from mkdocs_imagegen.emulator.wire_types import (
    DrawRequest,
    DrawResult,
    HttpRequest,
    HttpResponse,
)
from mkdocs_imagegen.errors import OptionError

FAULT_HEADER = "x-imagegen-fault"
"""Request header that names a fault."""

GENERATION_DELAY_S = 2.0
"""Seconds after which ``GET /v1/generation`` finds a new generation."""

_REAL_KEY_PREFIX = "vck_"
_INVALID_KEY_PREFIX = "bad-"
_EDITS = "/v1/images/edits"
_OPENAI_READERS = {
    "/v1/images/generations": validation.read_generation,
    _EDITS: validation.read_edit,
}
_SDK_PATH = re.compile(r"/v[34]/ai/image-model")


class Emulator:
    """Emulated gateway; every method can be called from any thread.

    Args:
        plan: Names of faults, one per image request; ``ok`` for no fault.
        require_key: True to require a credential on the paths that require one at the gateway.
        latency_s: Minimum seconds per image request.
        per_minute: Rate limit in image requests per minute, of which five may come at once; None
            for no limit.
        balance_usd: Credit in dollars; a request that costs more than the rest is refused.
        shut_down: Models that were shut down, in addition to those of ``today``.
        today: Day on which a model was shut down if its shutdown date is not later.
        shutdown_fault: Name of the fault that answers requests to a model that was shut down.
        lists_shut_down: True to keep the models that were shut down in the list of models.
        clock: Function that returns the seconds since 1970.
        pause: Function that waits for a number of seconds.

    Raises:
        OptionError: If ``plan`` or ``shutdown_fault`` is not a fault, or ``shut_down`` not a model.
    """

    def __init__(  # noqa: PLR0913 - one argument for each setting
        self,
        *,
        plan: Sequence[str] = (),
        require_key: bool = True,
        latency_s: float = 0.0,
        per_minute: float | None = None,
        balance_usd: Decimal = Decimal(100),
        shut_down: Collection[str] = (),
        today: date = models.DEFAULT_DAY,
        shutdown_fault: str = "model-not-found",
        lists_shut_down: bool = False,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        for name in plan:
            find_fault(name)
        self._state = EmulatorState(balance_usd, plan, per_minute)
        self._require_key = require_key
        self._latency_s = latency_s
        models.check_models(shut_down)
        self._shut_down = models.shut_down_by(today).union(shut_down)
        self._unlisted = frozenset() if lists_shut_down else self._shut_down
        self._shutdown_fault = find_fault(shutdown_fault)
        self._clock, self._pause = clock, pause

    @property
    def bill(self) -> Bill:
        """Images drawn, delivered or not, and dollars charged for them."""
        return self._state.bill

    @property
    def log(self) -> Sequence[LogEntry]:
        """Latest requests, in order, without credentials."""
        return self._state.log

    def watch(self, watcher: Callable[[LogEntry], None]) -> Callable[[], None]:
        """Call ``watcher`` for every later request; return a function that ends this."""
        return self._state.watch(watcher)

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> HttpResponse:
        """Return the response to one request.

        Args:
            method: HTTP method in capitals.
            path: Path, with the query if there is one.
            headers: Headers, with names in any case.
            body: Body; can be empty.
        """
        lowered = {name.lower(): value for name, value in headers.items()}
        bare_path, _, query = path.partition("?")
        request = HttpRequest(method, bare_path, query, lowered, body)
        number, fault = self._state.next_request(), self._fault_name(request)
        try:
            response = self._route(request, fault)
        except RefusedError as error:
            response = error.response
        self._state.add_to_log(_log_entry(request, fault, response.status))
        ids = {"x-request-id": f"req_{number:012d}", "x-vercel-id": f"emulator::{number:012d}"}
        return replace(response, headers={**response.headers, **ids})

    def _fault_name(self, request: HttpRequest) -> str:
        if not _is_image_request(request):
            return OK
        return request.headers.get(FAULT_HEADER) or self._state.next_fault(OK)

    def _route(self, request: HttpRequest, fault: str) -> HttpResponse:
        _refuse_real_key(request)
        if _is_image_request(request):
            return self._generate(request, fault)
        public = re.fullmatch(r"/v1/models(?:/([^/]+/[^/]+)(/endpoints)?)?", unquote(request.path))
        readable = {
            "/v1/credits": self._credits,
            "/v1/generation": self._generation,
            "/v3/ai/config": self._config,
            "/v4/ai/config": self._config,
        }
        if _is_image_path(request.path):
            raise _wrong_method("POST")
        if not public and request.path not in readable:
            raise _not_found(f"Path {request.path} not found.")
        if request.method != "GET":
            raise _wrong_method("GET")
        if public:
            return self._models(public[1], endpoints=public[2] is not None)
        self._check_key(request)
        return readable[request.path](request)

    def _models(self, name: str | None, *, endpoints: bool) -> HttpResponse:
        if name is None:
            return json_response(200, models.model_list(self._unlisted))
        if name not in (*models.offered_models(self._unlisted), models.LANGUAGE_MODEL):
            raise RefusedError(model_not_found(name))
        return json_response(
            200, models.model_endpoints(name) if endpoints else models.model_entry(name)
        )

    def _credits(self, _: HttpRequest) -> HttpResponse:
        return json_response(200, self._state.credits)

    def _config(self, request: HttpRequest) -> HttpResponse:
        return json_response(200, models.sdk_config(request.path.split("/")[1], self._unlisted))

    def _generation(self, request: HttpRequest) -> HttpResponse:
        match = re.search(r"(?:^|&)id=([^&]*)", request.query)
        record = self._state.generation(match[1]) if match else None
        if record is None or self._clock() < record["created_at"] / 1000 + GENERATION_DELAY_S:
            raise _not_found("Generation not found.")
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record["created_at"] / 1000))
        return json_response(200, {"data": record | {"created_at": created}})

    def _generate(self, request: HttpRequest, fault_name: str) -> HttpResponse:
        fault = self._fault(request, fault_name)
        if fault.error is not None:
            return fault.error(_requested_model(request) or "unknown", self._clock())
        self._check_key(request)
        if wait_s := self._state.refuse_until(self._clock()):
            raise RefusedError(retry_later(429, str(math.ceil(wait_s)), None))
        read = _OPENAI_READERS.get(request.path, validation.read_sdk_request)
        respond = openai_response if request.path in _OPENAI_READERS else sdk_response
        try:
            validated = read(request, models.offered_models(self._shut_down))
        except ModelNotOfferedError as error:
            raise self._shutdown_error(error) from error
        _check_references(validated)
        response = respond(fault.change_result(self._draw(validated, fault)))
        return replace(fault.change_response(response), transport=fault.transport)

    def _shutdown_error(self, error: ModelNotOfferedError) -> RefusedError:
        respond = self._shutdown_fault.error
        if respond is None or error.model not in self._shut_down:
            return error
        return RefusedError(respond(error.model, self._clock()))

    def _fault(self, request: HttpRequest, name: str) -> FaultCase:
        try:
            fault = find_fault(name)
        except OptionError as error:
            response = nested_error(400, "invalid_request_error", str(error), param=FAULT_HEADER)
            raise RefusedError(response) from error
        if fault.only_with and fault.only_with not in _fields(request):
            return NO_FAULT
        return fault

    def _draw(self, request: DrawRequest, fault: FaultCase) -> DrawResult:
        start = self._clock()
        usd = models.price_usd(request.model, request.size, request.quality) * request.count
        generation_id = self._state.charge(usd, request.count)
        if generation_id is None:
            message = "Insufficient funds. Please add credits to your account to continue."
            raise RefusedError(nested_error(402, "insufficient_funds", message))
        drawing_start = self._clock()
        images = _draw_images(fault.change_request(request))
        self._pause(max(0.0, self._latency_s - (self._clock() - drawing_start)))
        end = self._clock()
        charge = Charge(generation_id, usd, int(start * 1000), int(end * 1000))
        self._state.remember(generation_record(request, charge))
        return DrawResult(request, int(end), images, provider_metadata(request, charge))

    def _check_key(self, request: HttpRequest) -> None:
        _, value = _credential(request)
        if value.startswith(_INVALID_KEY_PREFIX):
            raise RefusedError(nested_error(401, "authentication_error", "Invalid API key."))
        if self._require_key and not value:
            message = "No API key: send `Authorization: Bearer …` with any word as the key."
            raise RefusedError(nested_error(401, "authentication_error", message))


def _is_image_request(request: HttpRequest) -> bool:
    return request.method == "POST" and _is_image_path(request.path)


def _is_image_path(path: str) -> bool:
    return path in _OPENAI_READERS or _SDK_PATH.fullmatch(path) is not None


def _check_references(request: DrawRequest) -> None:
    if request.references:
        from mkdocs_imagegen.emulator.sketches import reference_images  # noqa: PLC0415 - Pillow

        reference_images.check_references(request)


def _credential(request: HttpRequest) -> tuple[str, str]:
    bearer = request.headers.get("authorization", "").strip()
    if bearer.lower().startswith("bearer "):
        return "bearer", bearer[len("bearer ") :].strip()
    key = request.headers.get("api-key", "").strip()
    return ("api-key", key) if key else ("none", "")


def _refuse_real_key(request: HttpRequest) -> None:
    if any(_REAL_KEY_PREFIX in value for value in request.headers.values()):
        message = (
            "This is an emulator on a local machine, not the gateway: do not send it a real API "
            "key. Any other word is accepted as the key."
        )
        raise RefusedError(nested_error(401, "authentication_error", message))


def _wrong_method(allowed: str) -> RefusedError:
    response = nested_error(405, "method_not_allowed", f"Only {allowed} is accepted here.")
    return RefusedError(replace(response, headers={**response.headers, "allow": allowed}))


def _not_found(message: str) -> RefusedError:
    return RefusedError(nested_error(404, "not_found", message))


def _fields(request: HttpRequest) -> Mapping[str, object]:
    try:
        return decode_edit(request).fields if request.path == _EDITS else decode_json(request.body)
    except RefusedError:
        return {}


def _requested_model(request: HttpRequest) -> str | None:
    model = request.headers.get("ai-model-id") or _fields(request).get("model")
    return model if isinstance(model, str) else None


def _log_entry(request: HttpRequest, fault: str, status: int) -> LogEntry:
    is_image = _is_image_request(request)
    prompt = _fields(request).get("prompt") if is_image else None
    return LogEntry(
        method=request.method,
        path=request.path,
        model=_requested_model(request) if is_image else None,
        prompt=prompt if isinstance(prompt, str) else None,
        fault=fault,
        status=status,
        credential=_credential(request)[0],
    )


def _draw_images(request: DrawRequest) -> tuple[str, ...]:
    from mkdocs_imagegen.emulator.sketches import drawing  # noqa: PLC0415 - Pillow

    files = (drawing.draw(request, seed=str(number)) for number in range(request.count))
    return tuple(base64.b64encode(file).decode("ascii") for file in files)
