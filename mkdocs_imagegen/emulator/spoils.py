"""How faults spoil a success, and errors with more to them than a line; pure."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from mkdocs_imagegen.emulator.bodies import as_json, nested, page
from mkdocs_imagegen.emulator.records import Answer, Job, Response
from mkdocs_imagegen.options import Size

_ADDRESS = "https://pictures.example.invalid/sketch.png"


def moderation_blocked() -> Response:
    """OpenAI's refusal of a prompt, with what it objects to."""
    error = {
        "message": "Your request was rejected by the safety system. Request id: req_emulator.",
        "type": "image_generation_user_error",
        "param": None,
        "code": "moderation_blocked",
        "moderation_details": {"moderation_stage": "input", "categories": ["violence"]},
    }
    return as_json(400, {"error": error})


def response_format_refused() -> Response:
    """OpenAI's refusal of ``response_format``."""
    message, param = "Unknown parameter: 'response_format'.", "response_format"
    return nested(400, "invalid_request_error", message, param=param, code="unknown_parameter")


def images_per_minute() -> Response:
    """OpenAI's limit of images in a minute."""
    message = "Rate limit reached for images per minute. Please try again in 1s."
    return nested(429, "input-images", message, code="rate_limit_exceeded")


def camel_case(answer: Answer) -> Answer:
    """Metadata under the other spelling of its name."""
    return replace(answer, camel_case=True)


def no_metadata(answer: Answer) -> Answer:
    """No metadata."""
    return replace(answer, metadata=None)


def numeric_cost(answer: Answer) -> Answer:
    """The cost as a JSON number."""
    return _with_cost(answer, float)


def odd_cost(answer: Answer) -> Answer:
    """The cost as text that is no number."""
    return _with_cost(answer, lambda _: "free")


def _with_cost(answer: Answer, spoil: Callable[[str], object]) -> Answer:
    metadata: dict[str, Any] = dict(answer.metadata or {})
    gateway = dict(metadata["gateway"])
    gateway["cost"] = spoil(gateway["cost"])
    return replace(answer, metadata=metadata | {"gateway": gateway})


def no_images(answer: Answer) -> Answer:
    """An empty list of images."""
    return replace(answer, images=())


def empty_image(answer: Answer) -> Answer:
    """Base64 of nothing."""
    return _each(answer, lambda _: "")


def svg(answer: Answer) -> Answer:
    """Base64 of a drawing that would run a script."""
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    return _each(answer, lambda _: base64.b64encode(drawing).decode())


def bad_base64(answer: Answer) -> Answer:
    """Text that is almost base64."""
    return _each(answer, lambda image: f"{image[:20]}!*{image[20:]}")


def no_image(answer: Answer) -> Answer:
    """Base64 of text."""
    return _each(answer, lambda _: base64.b64encode(b"this is no image").decode())


def half_image(answer: Answer) -> Answer:
    """Base64 of the first half of the file."""
    return _each(answer, lambda image: image[: len(image) // 8 * 4])


def data_prefix(answer: Answer) -> Answer:
    """Base64 behind what makes it a data: address."""
    return _each(answer, lambda image: _data(answer.job, image))


def as_address(answer: Answer) -> Answer:
    """An https address that leads nowhere."""
    return replace(_each(answer, lambda _: _ADDRESS), as_url=True)


def as_data_address(answer: Answer) -> Answer:
    """A data: address in the field for addresses."""
    return replace(data_prefix(answer), as_url=True)


def _data(job: Job, image: str) -> str:
    return f"data:image/{job.output_format};base64,{image}"


def _each(answer: Answer, spoil: Callable[[str], str]) -> Answer:
    return replace(answer, images=tuple(map(spoil, answer.images)))


def other_format(job: Job) -> Job:
    """Draw in a format that was not asked for."""
    return replace(job, output_format="jpeg" if job.output_format == "png" else "png")


def other_size(job: Job) -> Job:
    """Draw at a size that was not asked for."""
    return replace(job, size=Size(job.size.width // 2 + 8, job.size.height // 2 + 4))


def half(response: Response) -> Response:
    """The first half of a body."""
    return replace(response, body=response.body[: len(response.body) // 2])


def body(content: bytes) -> Callable[[Response], Response]:
    """The given body in place of the answer's own."""
    return lambda response: replace(response, body=content)


def as_page(response: Response) -> Response:
    """A page of HTML in place of a body."""
    return replace(response, body=page(200, "Welcome to the network").body)


def error_in_success(response: Response) -> Response:
    """An error's body under the status of a success."""
    error = nested(500, "internal_server_error", "Something went wrong.")
    return replace(response, body=error.body)


def accepted(_: Response) -> Response:
    """The promise of an image."""
    return as_json(202, {"id": "job_emulator", "status": "queued"})


def late(status: int) -> Callable[[Response], Response]:
    """An error, though the image was computed."""
    kind = "timeout_error" if status == 504 else "internal_server_error"  # noqa: PLR2004 - 504 is a timeout
    return lambda _: nested(status, kind, "The answer came too late.")


def cost(number: bytes) -> Callable[[Response], Response]:
    """The given number as the cost, whatever it is."""

    def spoil(response: Response) -> Response:
        spoilt = re.sub(rb'"cost":"[^"]*"', b'"cost":' + number, response.body, count=1)
        return replace(response, body=spoilt)

    return spoil


def encoded(encoding: str) -> Callable[[Response], Response]:
    """The body as it is, under the name of an encoding."""
    return lambda response: replace(
        response, headers={**response.headers, "content-encoding": encoding}
    )


def gzipped(response: Response) -> Response:
    """The body compressed."""
    return replace(encoded("gzip")(response), body=gzip.compress(response.body, mtime=0))


def cut_gzip(response: Response) -> Response:
    """The first half of the compressed body."""
    return half(gzipped(response))
