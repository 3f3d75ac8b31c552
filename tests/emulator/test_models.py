"""Models on offer, their prices and limits, and the comparison with the client's table."""

import json
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.models import MODELS, SHUT_DOWN, price_usd, unsupported_size
from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.request_bodies import MAX_REFERENCES
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.gateway.models import (
    KNOWN_MODELS,
    MODELS_WITHOUT_ZERO_RETENTION,
    STANDARD_SIZES,
    check_request,
)
from mkdocs_imagegen.gateway.pricing import price_usd as client_price_usd
from mkdocs_imagegen.option_parsers import SKETCH_MODEL, Size
from mkdocs_imagegen.request import ImageRequest
from tests.emulator.support import IMAGES, MODEL, checked, decoded_image, refused


def test_models_are_listed_without_a_credential():
    emulator = Emulator()
    body = json.loads(emulator.handle("GET", "/v1/models", {}, b"").body)
    kinds = {entry["id"]: entry["type"] for entry in body["data"]}
    assert kinds[MODEL] == kinds[SKETCH_MODEL] == "image"
    assert "language" in kinds.values()
    prices = [price for entry in body["data"] for price in entry["pricing"].values()]
    assert all(isinstance(price, str) and Decimal(price) >= 0 for price in prices)
    mini = json.loads(emulator.handle("GET", f"/v1/models/{MODEL}", {}, b"").body)
    assert mini["pricing"] == {
        "input": "0.000002",
        "output": "0.000008",
        "input_cache_read": "0.0000002",
    }


def test_endpoints_name_the_provider_of_a_model(api):
    data = json.loads(api.get(f"/v1/models/{MODEL}/endpoints").body)["data"]
    assert data["architecture"]["output_modalities"] == ["image"]
    assert data["endpoints"][0]["provider_name"] == "openai"
    refused(api.get("/v1/models/no/such"), 404, "model_not_found", {"modelId": "no/such"})


def test_shut_down_model_is_not_listed(make_api):
    api = make_api(shut_down=[MODEL])
    refused(api.generate(), 404, "model_not_found", {"modelId": MODEL})
    assert MODEL not in api.get("/v1/models").body.decode()
    assert api.get(f"/v1/models/{MODEL}").status == 404


def test_sketch_model_accepts_any_size_and_quality_at_no_cost(make_api):
    api = make_api(balance_usd=Decimal(0))
    body = checked(api.generate(model=SKETCH_MODEL, size="333x77", quality="superb"), IMAGES)
    assert decoded_image(body["data"][0]["b64_json"]).size == (333, 77)
    assert body["provider_metadata"]["gateway"]["cost"] == "0"


@pytest.mark.parametrize("quality", ["low", "medium", "high", "xhigh", "max", "auto"])
def test_model_without_a_list_price_is_charged(api, quality):
    body = checked(api.generate(model="openai/gpt-image-2.6-flare", quality=quality), IMAGES)
    assert Decimal(body["provider_metadata"]["gateway"]["cost"]) > 0


# The emulator and the client have tables of their own, so that a wrong value in one of them is
# noticed here.
SIZES = [
    *[Size(1024, 1024), Size(1536, 1024), Size(1024, 1536), Size(512, 512), Size(1000, 1000)],
    *[Size(3840, 2160), Size(2160, 3840), Size(3840, 2176), Size(3856, 2048), Size(3856, 2160)],
    *[Size(3072, 1024), Size(1024, 3072), Size(3088, 1024), Size(1024, 3088), Size(2880, 2880)],
    *[Size(800, 800), Size(816, 816), Size(816, 800), Size(640, 1024), Size(640, 1008)],
    *[Size(1024, 1032), Size(1032, 1024), Size(2896, 2896), Size(16, 16)],
]
WITHOUT_TOKENS = {each for each in MODELS if "-2." in each}
"""Models for which the emulator charges the price of gpt-image-2."""
QUALITIES = ["auto", "low", "medium", "high", "xhigh", "max", "standard"]


def client_accepts(request: ImageRequest, output_format: str = "png") -> bool:
    try:
        check_request(request, output_format)
    except OptionError:
        return False
    return True


def test_client_and_emulator_know_the_same_models():
    assert set(KNOWN_MODELS) == set(MODELS)
    assert set(MODELS) >= SHUT_DOWN


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_client_and_emulator_support_the_same_sizes(model):
    by_client = {size for size in SIZES if client_accepts(ImageRequest(model, "x", size))}
    assert by_client == {size for size in SIZES if unsupported_size(model, size) is None}


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_client_and_emulator_support_the_same_qualities(model):
    requests = [ImageRequest(model, "x", Size(1024, 1024), quality) for quality in QUALITIES]
    accepted = {request.quality for request in requests if client_accepts(request)}
    assert accepted == {"auto", *MODELS[model].qualities}


@pytest.mark.parametrize("model", [each for each in KNOWN_MODELS if each not in WITHOUT_TOKENS])
def test_client_and_emulator_have_the_same_prices(model):
    for size, quality in product(STANDARD_SIZES, MODELS[model].qualities):
        estimate = client_price_usd(ImageRequest(model, "x", size, quality))
        assert estimate == pytest.approx(price_usd(model, size, quality), rel=Decimal("0.01"))


def rows_of_the_manual() -> dict[str, dict[str, tuple[str, str, str]]]:
    """Return sizes, square price and other price by model and quality."""
    text = (Path(__file__).parents[2] / "example_site/docs/development/protocol.md").read_text()
    table = text.partition("<!-- models -->")[2].strip().partition("\n\n")[0]
    rows: dict[str, dict[str, tuple[str, str, str]]] = {}
    model = sizes = ""
    for line in table.splitlines()[2:]:
        named, listed, qualities, *prices = (cell.strip(" `") for cell in line.split("|")[1:-1])
        model, sizes = named or model, listed or sizes
        for quality in qualities.split(", "):
            rows.setdefault(model, {})[quality] = (sizes, *prices)
    return rows


def test_manual_has_the_models_of_client_and_emulator():
    rows = rows_of_the_manual()
    assert list(rows) == list(KNOWN_MODELS)
    for model, by_quality in rows.items():
        assert tuple(by_quality) == MODELS[model].qualities
        assert KNOWN_MODELS[model].qualities == ("auto", *by_quality)
        for quality, (sizes, *prices) in by_quality.items():
            assert sizes == (", ".join(MODELS[model].sizes) or "free")
            assert sizes == (", ".join(map(str, KNOWN_MODELS[model].sizes)) or "free")
            requests = [ImageRequest(model, "x", size, quality) for size in STANDARD_SIZES[:2]]
            usd = [round(client_price_usd(each), 3) for each in requests]
            assert [Decimal(each) for each in prices] == usd


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_client_and_emulator_limit_the_number_of_references(model):
    assert KNOWN_MODELS[model].references == MAX_REFERENCES


def test_client_and_emulator_agree_on_zero_data_retention():
    without = {name for name, limits in MODELS.items() if not limits.has_zero_retention}
    assert without == MODELS_WITHOUT_ZERO_RETENTION


@pytest.mark.parametrize("output_format", ["png", "webp", "jpeg"])
def test_client_and_emulator_refuse_transparency_in_the_same_formats(api, output_format):
    request = ImageRequest(MODEL, "x", Size(1024, 1024), background="transparent")
    response = api.generate(background="transparent", output_format=output_format)
    assert client_accepts(request, output_format) == (response.status == 200)
