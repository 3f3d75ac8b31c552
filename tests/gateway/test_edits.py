"""A image that follows others: what is posted, and where."""

import base64
import hashlib
import json
from dataclasses import replace
from email import message_from_bytes

import pytest

from mkdocs_imagegen.emulator.request_bodies import decode_edit
from mkdocs_imagegen.emulator.wire_types import HttpRequest
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.gateway.catalogue import check
from mkdocs_imagegen.gateway.edits import NOTHING, Attached, Attachment, posted
from mkdocs_imagegen.options import Size
from mkdocs_imagegen.settings import GatewaySettings

PNG = b"\x89PNG\r\n\x1a\n\r\n--\r\n\x00\xff"
CUP, MASK = Attachment(PNG, "image/png"), Attachment(b"\x00mask\r\n", "image/png")
PHOTO = Attachment(b"\xff\xd8\xff", "image/jpeg")
BOTH = Attached((CUP, PHOTO), MASK)
LOCAL = GatewaySettings(url="http://127.0.0.1:1/v1", output_format="png")


@pytest.fixture
def following(tools):
    hashes = tuple(hashlib.sha256(each.content).hexdigest() for each in BOTH.references)
    return replace(tools.REQUEST, references=hashes)


def form_of(sent):
    head = f"Content-Type: {sent.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + sent.content).get_payload()
    return [(each.get_param("name", header="content-disposition"), each) for each in parts]


def test_without_references_nothing_changes(tools):
    sent = posted(tools.REQUEST, GatewaySettings(), NOTHING)
    assert sent.path == "images/generations"
    assert json.loads(sent.content)["prompt"] == "A red balloon"


def test_the_gateway_gets_json_with_its_provider_options(following):
    options = {"gateway": {"order": ["azure"]}}
    sent = posted(following, GatewaySettings(provider_options=options), BOTH)
    body = json.loads(sent.content)
    assert (sent.path, sent.headers) == ("images/edits", {"content-type": "application/json"})
    assert body["providerOptions"] == options
    data = base64.b64encode(PNG).decode()
    assert body["images"][0] == {"image_url": f"data:image/png;base64,{data}"}
    assert body["images"][1]["image_url"].startswith("data:image/jpeg;")
    assert body["mask"]["image_url"].startswith("data:image/png;")


def test_other_servers_get_a_form_that_others_can_read(following):
    sent = posted(following, LOCAL, BOTH)
    parts = form_of(sent)
    names = ["model", "prompt", "n", "size", "quality", "output_format"]
    assert [name for name, _ in parts] == [*names, "image[]", "image[]", "mask"]
    assert parts[1][1].get_payload() == "A red balloon"
    files = [(each.get_filename(), each.get_content_type()) for _, each in parts[-3:]]
    assert files == [
        ("reference-1.png", "image/png"),
        ("reference-2.jpeg", "image/jpeg"),
        ("mask.png", "image/png"),
    ]


def test_one_image_has_the_name_of_one(following):
    assert "image" in dict(form_of(posted(following, LOCAL, Attached((CUP,)))))


@pytest.mark.parametrize("settings", [GatewaySettings(output_format="png"), LOCAL])
def test_every_byte_arrives(following, settings):
    said = replace(following, prompt='Über "allem"\r\n--x')
    sent = posted(said, settings, BOTH)
    form = decode_edit(
        HttpRequest("POST", "/v1/images/edits", "", dict(sent.headers), sent.content)
    )
    assert form.references == (CUP.content, PHOTO.content)
    assert form.mask == MASK.content
    assert form.fields["prompt"] == said.prompt
    assert form.fields["n"] == 1


def test_the_same_request_is_the_same_bytes(following):
    assert posted(following, LOCAL, BOTH) == posted(following, LOCAL, BOTH)


def test_options_that_another_server_is_to_get_stand_in_the_form(following):
    options = {"openai": {"style": "vivid"}}
    chosen = replace(LOCAL, provider_options=options, send_provider_options="true")
    sent = posted(following, chosen, BOTH)
    assert json.loads(dict(form_of(sent))["providerOptions"].get_payload()) == options


def test_only_the_emulator_inside_is_told_of_takes(tools, following):
    sketches = replace(LOCAL, url="sketch:")
    for request, attached in [(tools.REQUEST, NOTHING), (following, BOTH)]:
        other = replace(request, take=3)
        assert posted(other, sketches, attached).headers["x-imagegen-take"] == "3"
        for settings in (LOCAL, GatewaySettings()):
            assert posted(other, settings, attached) == posted(request, settings, attached)


def test_the_client_asks_for_an_edit_and_takes_the_image(tools):
    import anyio

    from mkdocs_imagegen.gateway.client import Gateway

    server = tools.Script(
        [tools.Given(503, {"retry-after": "0"}), tools.Given(body=tools.answer_body())]
    )

    async def once():
        gateway = Gateway(GatewaySettings(url="sketch:"), None, server, sleep=tools.Naps())
        try:
            return await gateway.generate(tools.REQUEST, None, BOTH)
        finally:
            await gateway.aclose()

    assert anyio.run(once).image == tools.PNG
    assert [path for _, path, _, _ in server.asked] == ["/v1/images/edits"] * 2
    (_, _, headers, body), again = server.asked
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert again[3] == body


def test_more_than_a_model_takes_is_refused_before_it_is_asked(tools):
    many = replace(tools.REQUEST, references=("a" * 64,) * 17)
    with pytest.raises(OptionError, match=r"17 references.*up to 16"):
        check(many, "webp")
    check(replace(many, references=many.references[:16], size=Size(1024, 1024)), "webp")
