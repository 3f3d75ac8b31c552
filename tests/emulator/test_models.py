"""Models on offer, their prices and limits, and the comparison with the client's table."""

import json
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import httpx
import pytest

from mkdocs_imagegen.emulator.faults import SHUTDOWN_FAULTS
from mkdocs_imagegen.emulator.models import (
    MODELS,
    OTHER_MODELS,
    SHUT_DOWN,
    price_usd,
    unsupported_size,
)
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
from tests.emulator.support import IMAGES, KEY, MODEL, checked, decoded_image, refused
from tests.waiting import MAX_WAIT_S


def test_models_are_listed_without_a_credential():
    emulator = Emulator()
    body = json.loads(emulator.handle("GET", "/v1/models", {}, b"").body)
    kinds = {entry["id"]: entry["type"] for entry in body["data"]}
    assert kinds[MODEL] == kinds[SKETCH_MODEL] == "image"
    assert "language" in kinds.values()
    prices = [price for entry in body["data"] for price in entry["pricing"].items()]
    usd = [price for name, price in prices if name != "image_dimension_quality_pricing"]
    assert all(isinstance(price, str) and Decimal(price) >= 0 for price in usd)
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


@pytest.mark.parametrize("slash", ["%2F", "%2f", "/"])
def test_slash_of_a_model_can_be_encoded(server, slash):
    name = MODEL.replace("/", slash)
    assert httpx.get(f"{server.url}/models/{name}").json()["id"] == MODEL
    assert httpx.get(f"{server.url}/models/{name}/endpoints").json()["data"]["id"] == MODEL
    assert httpx.get(f"{server.url}/models/no{slash}such").status_code == 404


def test_shut_down_model_is_not_listed(make_api):
    api = make_api(shut_down=[MODEL])
    refused(api.generate(), 404, "model_not_found", {"modelId": MODEL})
    assert MODEL not in api.get("/v1/models").body.decode()
    assert api.get(f"/v1/models/{MODEL}").status == 404


@pytest.mark.parametrize(
    ("today", "is_offered"), [(date(2026, 11, 30), True), (date(2026, 12, 1), False)]
)
def test_model_is_offered_until_its_shutdown_date(make_api, today, is_offered):
    api = make_api(today=today)
    entries = {entry["id"]: entry for entry in json.loads(api.get("/v1/models").body)["data"]}
    assert (MODEL in entries) == is_offered
    assert api.generate().status == (200 if is_offered else 404)
    assert "openai/gpt-image-1" not in entries
    assert "deprecated_at" not in entries["openai/gpt-image-2"]
    if is_offered:
        assert entries[MODEL]["deprecated_at"] == 1796083200


def test_offered_models_do_not_depend_on_the_clock(make_api):
    api = make_api(clock=lambda: 1_900_000_000.0)
    assert MODEL in api.get("/v1/models").body.decode()
    assert api.generate().status == 200


@pytest.mark.parametrize("fault", SHUTDOWN_FAULTS)
def test_shut_down_model_answers_with_the_chosen_fault(make_api, fault):
    api = make_api(shut_down=[MODEL], shutdown_fault=fault, lists_shut_down=True)
    assert MODEL in api.get("/v1/models").body.decode()
    assert api.get(f"/v1/models/{MODEL}").status == 200
    assert MODEL in api.get("/v4/ai/config").body.decode()
    expected = make_api().generate(fault=fault)
    response = api.generate()
    assert (response.status, response.body) == (expected.status, expected.body)
    assert api.emulator.bill.images == 0
    refused(api.generate(model="no/such"), 404, "model_not_found", {"modelId": "no/such"})
    assert api.generate(model="openai/gpt-image-2").status == 200


def test_fallback_model_answers_for_a_model_that_was_shut_down(make_api):
    api = make_api(today=date(2026, 12, 1), shutdown_fault="shut-down-410")
    options = {"gateway": {"models": ["openai/gpt-image-1.5", "openai/gpt-image-2"]}}
    gateway = checked(api.generate(providerOptions=options), IMAGES)["provider_metadata"]["gateway"]
    assert gateway["routing"]["canonicalSlug"] == "openai/gpt-image-2"


def test_unknown_model_cannot_be_shut_down():
    with pytest.raises(OptionError, match='did you mean "openai/gpt-image-2"'):
        Emulator(shut_down=["openai/gpt-imag-2"])


def test_sketch_model_accepts_any_size_and_quality_at_no_cost(make_api):
    api = make_api(balance_usd=Decimal(0))
    body = checked(api.generate(model=SKETCH_MODEL, size="333x77", quality="superb"), IMAGES)
    assert decoded_image(body["data"][0]["b64_json"]).size == (333, 77)
    assert body["provider_metadata"]["gateway"]["cost"] == "0"


# From OpenAI's calculator, as public tables and posts repeat it.
TOKENS = [
    ("gpt-image-2", "1024x1024", "low 196, medium 1756, high 7024"),
    ("gpt-image-2", "1536x1024", "medium 1372, high 5488"),
    ("gpt-image-2", "1792x1024", "high 5063"),
    ("gpt-image-2", "3584x2048", "high 12329"),
    ("gpt-image-2", "2048x2048", "high 14272"),
    ("gpt-image-2.5-flare", "1024x1024", "low 196, medium 439, high 1756, xhigh 3122, max 7024"),
    ("gpt-image-2.5-flare", "3840x2160", "low 371, medium 865, high 3336, xhigh 5930, max 13342"),
    ("gpt-image-2.5-flare", "3072x1024", "low 103, medium 247, high 988, xhigh 1729, max 3952"),
    ("gpt-image-2.5-sunburst", "1536x1024", "medium 343"),
    ("gpt-image-2.5-sunburst", "1024x1536", "medium 343"),
    ("gpt-image-2.5-sunburst", "1024x928", "low 166"),  # 14.5 cells are rounded to 14
    ("gpt-image-2.6-flare", "1024x1024", "low 784, medium 1756, high 1756, xhigh 3122, max 7024"),
    ("gpt-image-2.6-sunburst", "1536x1024", "medium 1372, high 1372"),
]


@pytest.mark.parametrize(
    ("name", "size", "quality", "tokens"),
    [
        (name, size, quality, int(tokens))
        for name, size, listed in TOKENS
        for quality, tokens in (pair.split() for pair in listed.split(", "))
    ],
)
@pytest.mark.usefixtures("cached_sketches")
def test_image_has_the_published_number_of_tokens(api, name, size, quality, tokens):
    body = checked(api.generate(model=f"openai/{name}", size=size, quality=quality), IMAGES)
    assert body["usage"]["output_tokens"] == tokens
    if size not in ("1024x1024", "1536x1024") or "2." in name:
        cost = body["provider_metadata"]["gateway"]["cost"]
        assert Decimal(cost) == tokens * Decimal("0.00003")


# OpenAI's published prices, and those that users computed from tokens.
PUBLISHED_USD = [
    *[("gpt-image-2", "1024x1024", each) for each in ("low 0.006", "medium 0.053", "high 0.211")],
    *[("gpt-image-2", "1024x1536", each) for each in ("low 0.005", "medium 0.041", "high 0.165")],
    ("gpt-image-2", "3840x2160", "high 0.400"),
    ("gpt-image-2", "2048x2048", "high 0.428"),
    ("gpt-image-2.5-flare", "1536x1024", "medium 0.0103"),
    ("gpt-image-2.5-flare", "1024x1024", "high 0.0527"),
    ("gpt-image-2.5-flare", "1024x1024", "max 0.211"),
    ("gpt-image-2.6-sunburst", "1536x1024", "max 0.165"),
    ("gpt-image-1-mini", "1536x1024", "medium 0.015"),
]


@pytest.mark.parametrize(("name", "size", "price"), PUBLISHED_USD)
def test_price_is_within_one_percent_of_the_published_one(name, size, price):
    quality, usd = price.split()
    charged = price_usd(f"openai/{name}", Size(*map(int, size.split("x"))), quality)
    assert charged == pytest.approx(Decimal(usd), rel=Decimal("0.01"))


@pytest.mark.parametrize(
    ("model", "size", "quality", "usd"),
    [
        ("bfl/flux-2-pro", "1536x1024", "medium", "0.03"),
        ("bfl/flux-3-image", "1024x1024", "medium", "0.024"),
        ("bfl/flux-3-image", "1536x1536", "high", "0.035"),
        ("bfl/flux-3-image", "1536x1024", "high", "0.024"),
        ("bytedance/seedream-5.0-pro", "2048x2048", "high", "0.035"),
        ("google/gemini-nano-banana-2.1", "1024x1024", "medium", "0.0336"),
        ("google/gemini-nano-banana-2.1", "1536x1024", "medium", "0.0504"),
        ("google/gemini-nano-banana-2.1", "4096x4096", "medium", "0.1134"),
        ("recraft/recraft-v4.1", "1536x1024", "medium", "0.035"),
        ("spacexai/grok-imagine-image-2.0", "1024x1024", "medium", "0.06"),
        ("spacexai/grok-imagine-image-2.0", "1024x1024", "low", "0.04"),
        ("spacexai/grok-imagine-image-2.0", "2048x2048", "high", "0.08"),
        ("spacexai/grok-imagine-image-2.0", "2048x2048", "low", "0.06"),
    ],
)
@pytest.mark.usefixtures("cached_sketches")
def test_model_of_another_maker_is_charged_by_its_row(server, model, size, quality, usd):
    listed = {each["id"]: each for each in httpx.get(f"{server.url}/models").json()["data"]}
    assert listed[model]["pricing"] == OTHER_MODELS[model]
    assert listed[model]["tags"][0] == "image-generation"
    fields = {"model": model, "prompt": "x", "size": size, "quality": quality}
    body = post_image(server, fields)
    assert body["provider_metadata"]["gateway"]["cost"] == usd
    assert str(Size(*decoded_image(body["data"][0]["b64_json"]).size)) == size


def post_image(server, fields):
    # A large sketch takes seconds on a loaded machine.
    url = f"{server.url}/images/generations"
    return httpx.post(url, json=fields, headers=KEY, timeout=MAX_WAIT_S).json()


def test_list_has_every_layout_of_prices():
    layouts = {frozenset(each) for each in OTHER_MODELS.values()}
    rows = "image_dimension_quality_pricing"
    assert layouts >= {frozenset(), frozenset({"image"}), frozenset({"image", rows})}
    sizes = {row.get("size") for each in OTHER_MODELS.values() for row in each.get(rows, [])}
    assert sizes >= {"default", "1K", "2K", "4K", "1024x1024", None}


# The emulator and the client have tables of their own, so that a wrong value in one of them is
# noticed here.
SIZES = [
    *[Size(1024, 1024), Size(1536, 1024), Size(1024, 1536), Size(512, 512), Size(1000, 1000)],
    *[Size(3840, 2160), Size(2160, 3840), Size(3840, 2176), Size(3856, 2048), Size(3856, 2160)],
    *[Size(3072, 1024), Size(1024, 3072), Size(3088, 1024), Size(1024, 3088), Size(2880, 2880)],
    *[Size(800, 800), Size(816, 816), Size(816, 800), Size(640, 1024), Size(640, 1008)],
    *[Size(1024, 1032), Size(1032, 1024), Size(2896, 2896), Size(16, 16)],
]
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


@pytest.mark.parametrize("model", KNOWN_MODELS)
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
