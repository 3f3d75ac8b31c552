"""The client of the AI SDK, run against the emulator.

Needs Node and a folder ``AI_SDK_HOME`` with the result of
``npm install ai@7 @ai-sdk/gateway@4`` (or ``ai@6 @ai-sdk/gateway@3`` for Node 18).
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mkdocs_imagegen.emulator.protocol import Emulator
from mkdocs_imagegen.emulator.server import EmulatorServer
from tests.tools import skip_or_fail

pytestmark = pytest.mark.servers

SCRIPT = Path(__file__).with_name("ai_sdk.mjs")
MODULES = Path(os.environ.get("AI_SDK_HOME", ".")) / "node_modules"
MANIFEST = MODULES / "@ai-sdk" / "gateway" / "package.json"


@pytest.fixture(scope="module")
def report():
    if shutil.which("node") is None:
        skip_or_fail("node is not installed")
    if not MANIFEST.is_file() or not (MODULES / "ai").is_dir():
        skip_or_fail("AI_SDK_HOME has no npm packages ai and @ai-sdk/gateway")
    major = json.loads(MANIFEST.read_text(encoding="utf-8"))["version"].split(".")[0]
    with EmulatorServer(Emulator()) as server:
        base = f"{server.url.removesuffix('/v1')}/v{major}/ai"
        command = ["node", "--input-type=module", "-", base]
        script = SCRIPT.read_text(encoding="utf-8")
        run = subprocess.run(
            command,
            input=script,
            cwd=MODULES.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_generate_image_returns_images(report):
    image = report["image"]
    assert (image["count"], image["mediaType"]) == (1, "image/webp")
    assert image["bytes"] > 5000
    assert report["two"]["count"] == 2
    assert report["two"]["warnings"] == [{"type": "unsupported", "feature": "aspectRatio"}]


def test_metadata_and_usage_are_forwarded_by_the_sdk(report):
    metadata = report["image"]["metadata"]
    assert metadata["gateway"]["cost"] == "0.005"
    assert metadata["imagegen"]["images"] == [{"sketch": True}]
    assert report["image"]["usage"]["outputTokens"] == 272


def test_sdk_reads_the_record_of_a_generation(report):
    record = report["generation"]
    assert record["id"] == report["image"]["metadata"]["gateway"]["generationId"]
    assert (record["totalCost"], record["upstreamInferenceCost"]) == (0.005, 0)
    assert (record["promptTokens"], record["completionTokens"]) == (8, 272)
    assert record["billableWebSearchCalls"] == record["cacheCreationTokens"] == 0


def test_sdk_reads_models_and_credits(report):
    assert {"openai/gpt-image-1-mini", "bfl/flux-3-image"} <= {*report["models"]}
    assert report["credits"]["totalUsed"] == "0.02"


def test_sdk_raises_its_own_errors(report):
    named = {
        name: (report[name]["name"], report[name]["status"]) for name in ("missing", "limited")
    }
    assert named == {
        "missing": ("GatewayModelNotFoundError", 404),
        "limited": ("GatewayRateLimitError", 429),
    }
    assert report["unfunded"]["status"] == 402
    assert report["flat"]["status"] == 400
