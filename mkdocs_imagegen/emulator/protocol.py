"""The gateway's routes, answered on this machine; no socket, no file.

The clock and the pause come in as parameters. What is drawn comes from ``sketch``, which is
imported with the first image, since the image library is heavy.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from mkdocs_imagegen.emulator import asking, catalogue
from mkdocs_imagegen.emulator.account import Account
from mkdocs_imagegen.emulator.answers import (
    Charge,
    as_native,
    as_openai,
    generation_record,
    metadata,
)
from mkdocs_imagegen.emulator.bodies import RefusalError, as_json, nested
from mkdocs_imagegen.emulator.faults import FAULTS, OK, unknown_fault
from mkdocs_imagegen.emulator.forms import read_fields, read_form
from mkdocs_imagegen.emulator.records import Answer, Bill, Call, Fault, Job, Response, Seen
from mkdocs_imagegen.errors import OptionError

__all__ = ["FAULT_HEADER", "Bill", "Emulator", "Response", "Seen"]

FAULT_HEADER = "x-imagegen-fault"
"""The request header that names a fault."""

GENERATION_DELAY_S = 2.0
"""How long ``GET /v1/generation`` says 404 before it knows of an image."""

_REAL_KEY = "vck_"
_BAD_KEY = "bad-"
_NO_FAULT = Fault(about="nothing goes wrong", shape="success")
_IMAGES = "/v1/images/generations"
_EDITS = "/v1/images/edits"
_READERS = {_IMAGES: asking.read_openai, _EDITS: asking.read_edit}
_NATIVE = re.compile(r"/v[34]/ai/image-model")


class Emulator:
    """A gateway on this machine; every method may be called from any thread.

    Args:
        plan: names of faults, one for each request for images; ``ok`` for none.
        require_key: whether a request has to bring a credential where the gateway demands one.
        latency_s: seconds that drawing takes at least.
        balance_usd: dollars of credit; an image that costs more than what is left is refused.
        retired: models that are gone.
        clock: seconds since 1970.
        pause: waits for a number of seconds.

    Raises:
        OptionError: the plan names a fault that does not exist.
    """

    def __init__(  # noqa: PLR0913 - one argument for each thing a test may set
        self,
        *,
        plan: Sequence[str] = (),
        require_key: bool = True,
        latency_s: float = 0.0,
        balance_usd: Decimal = Decimal(100),
        retired: Collection[str] = catalogue.RETIRED,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        for name in plan:
            _fault(name)
        self._account = Account(balance_usd, plan)
        self._require_key = require_key
        self._latency_s = latency_s
        self._retired = frozenset(retired)
        self._clock, self._pause = clock, pause

    @property
    def bill(self) -> Bill:
        """Images computed, delivered or not, and dollars charged for them."""
        return self._account.bill

    @property
    def log(self) -> Sequence[Seen]:
        """The requests so far, in order; never a credential."""
        return self._account.seen

    def watch(self, watcher: Callable[[Seen], None]) -> Callable[[], None]:
        """Call ``watcher`` with every request as it is answered; the result stops that."""
        return self._account.watch(watcher)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """The answer to one request.

        Args:
            method: in capitals.
            path: with the query, where there is one.
            headers: names in any case.
            body: empty where there is none.
        """
        lowered = {name.lower(): value for name, value in headers.items()}
        place, _, query = path.partition("?")
        call = Call(method, place, query, lowered, body)
        number, fault = self._account.next_request(), self._fault_name(call)
        try:
            response = self._routed(call, fault)
        except RefusalError as refusal:
            response = refusal.response
        self._account.note(_seen(call, fault, response.status))
        ids = {"x-request-id": f"req_{number:012d}", "x-vercel-id": f"emulator::{number:012d}"}
        return replace(response, headers={**response.headers, **ids})

    def _fault_name(self, call: Call) -> str:
        if not _asks_for_images(call):
            return OK
        return call.headers.get(FAULT_HEADER) or self._account.next_fault(OK)

    def _routed(self, call: Call, fault: str) -> Response:
        _refuse_real_key(call)
        if _asks_for_images(call):
            return self._images(call, fault)
        public = re.fullmatch(r"/v1/models(?:/([^/]+/[^/]+)(/endpoints)?)?", call.path)
        readable = {
            "/v1/credits": self._credits,
            "/v1/generation": self._generation,
            "/v3/ai/config": self._config,
            "/v4/ai/config": self._config,
        }
        if _draws(call.path):
            raise _wrong_method("POST")
        if not public and call.path not in readable:
            raise _not_found(f"There is nothing at {call.path}.")
        if call.method != "GET":
            raise _wrong_method("GET")
        if public:
            return self._models(public[1], endpoints=public[2] is not None)
        self._check_key(call)
        return readable[call.path](call)

    def _models(self, name: str | None, *, endpoints: bool) -> Response:
        if name is None:
            return as_json(200, catalogue.feed(self._retired))
        if name not in (*catalogue.offered(self._retired), catalogue.LANGUAGE_MODEL):
            message, param = f"Model '{name}' not found", {"modelId": name}
            raise RefusalError(nested(404, "model_not_found", message, param=param))
        return as_json(200, catalogue.endpoints(name) if endpoints else catalogue.entry(name))

    def _credits(self, _: Call) -> Response:
        return as_json(200, self._account.credits)

    def _config(self, call: Call) -> Response:
        return as_json(200, catalogue.native_config(call.path.split("/")[1], self._retired))

    def _generation(self, call: Call) -> Response:
        match = re.search(r"(?:^|&)id=([^&]*)", call.query)
        record = self._account.generation(match[1]) if match else None
        if record is None or self._clock() < record["created_at"] / 1000 + GENERATION_DELAY_S:
            raise _not_found("Generation not found.")
        made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record["created_at"] / 1000))
        return as_json(200, {"data": record | {"created_at": made}})

    def _images(self, call: Call, fault_name: str) -> Response:
        fault = self._fault(call, fault_name)
        if fault.error is not None:
            return _with_headers(fault.error(_asked_model(call) or "unknown"), fault, self._clock())
        self._check_key(call)
        read = _READERS.get(call.path, asking.read_native)
        write = as_openai if call.path in _READERS else as_native
        job = read(call, catalogue.offered(self._retired))
        _check_references(job)
        response = write(fault.told(self._drawn(job, fault)))
        return replace(fault.sent(response), transport=fault.transport)

    def _fault(self, call: Call, name: str) -> Fault:
        try:
            fault = _fault(name)
        except OptionError as error:
            refusal = nested(400, "invalid_request_error", str(error), param=FAULT_HEADER)
            raise RefusalError(refusal) from error
        if fault.only_with and fault.only_with not in _fields(call):
            return _NO_FAULT
        return fault

    def _drawn(self, job: Job, fault: Fault) -> Answer:
        start, usd = self._clock(), catalogue.price(job) * job.count
        name = self._account.charge(usd, job.count)
        if name is None:
            message = "Insufficient funds. Please add credits to your account to continue."
            raise RefusalError(nested(402, "insufficient_funds", message))
        begun = self._clock()
        images = _sketches(fault.drawn(job))
        self._pause(max(0.0, self._latency_s - (self._clock() - begun)))
        end = self._clock()
        charge = Charge(name, usd, int(start * 1000), int(end * 1000))
        self._account.remember(generation_record(job, charge))
        return Answer(job, int(end), images, metadata(job, charge))

    def _check_key(self, call: Call) -> None:
        _, value = _credential(call)
        if value.startswith(_BAD_KEY):
            raise RefusalError(nested(401, "authentication_error", "Invalid API key."))
        if self._require_key and not value:
            message = "No API key: send `Authorization: Bearer …`; any word will do here."
            raise RefusalError(nested(401, "authentication_error", message))


def _asks_for_images(call: Call) -> bool:
    return call.method == "POST" and _draws(call.path)


def _draws(path: str) -> bool:
    return path in _READERS or _NATIVE.fullmatch(path) is not None


def _check_references(job: Job) -> None:
    if job.references:
        from mkdocs_imagegen.emulator.insets import check  # noqa: PLC0415 - Pillow is heavy

        check(job)


def _fault(name: str) -> Fault:
    if name == OK:
        return _NO_FAULT
    if name not in FAULTS:
        raise unknown_fault(name)
    return FAULTS[name]


def _with_headers(response: Response, fault: Fault, now: float) -> Response:
    return replace(response, headers={**response.headers, **fault.headers(now)})


def _credential(call: Call) -> tuple[str, str]:
    bearer = call.headers.get("authorization", "").strip()
    if bearer.lower().startswith("bearer "):
        return "bearer", bearer[len("bearer ") :].strip()
    key = call.headers.get("api-key", "").strip()
    return ("api-key", key) if key else ("none", "")


def _refuse_real_key(call: Call) -> None:
    if any(_REAL_KEY in value for value in call.headers.values()):
        message = (
            "This is an emulator on a local machine, not the gateway: no real key should be sent "
            "to it. Any other word will do in its place."
        )
        raise RefusalError(nested(401, "authentication_error", message))


def _wrong_method(allowed: str) -> RefusalError:
    response = nested(405, "method_not_allowed", f"Only {allowed} is accepted here.")
    return RefusalError(replace(response, headers={**response.headers, "allow": allowed}))


def _not_found(message: str) -> RefusalError:
    return RefusalError(nested(404, "not_found", message))


def _fields(call: Call) -> Mapping[str, object]:
    try:
        return read_form(call).fields if call.path == _EDITS else read_fields(call.body)
    except RefusalError:
        return {}


def _asked_model(call: Call) -> str | None:
    model = call.headers.get("ai-model-id") or _fields(call).get("model")
    return model if isinstance(model, str) else None


def _seen(call: Call, fault: str, status: int) -> Seen:
    asked = _asks_for_images(call)
    prompt = _fields(call).get("prompt") if asked else None
    return Seen(
        method=call.method,
        path=call.path,
        model=_asked_model(call) if asked else None,
        prompt=prompt if isinstance(prompt, str) else None,
        fault=fault,
        status=status,
        credential=_credential(call)[0],
    )


def _sketches(job: Job) -> tuple[str, ...]:
    from mkdocs_imagegen.emulator.sketch import draw  # noqa: PLC0415 - Pillow is heavy

    files = (
        draw(
            job.prompt,
            job.size.width,
            job.size.height,
            background=job.background,
            output_format=job.output_format,
            seed=str(number) if job.take == 1 else f"{number}, take {job.take}",
            label=job.label,
            compression=job.compression,
            references=job.references,
            mask=job.mask,
        )
        for number in range(job.count)
    )
    return tuple(base64.b64encode(file).decode("ascii") for file in files)
