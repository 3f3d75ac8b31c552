"""Responses with images: usage, echoed values, metadata and generation ids."""

from tests.emulator.support import IMAGES, checked, decoded_image


def test_response_has_the_image_usage_options_and_metadata(api):
    body = checked(api.generate(size="1536x1024", output_format="webp"), IMAGES)
    image = decoded_image(body["data"][0]["b64_json"])
    assert (image.format, image.size) == ("WEBP", (1536, 1024))
    assert (body["size"], body["output_format"], body["quality"]) == ("1536x1024", "webp", "low")
    assert body["usage"]["output_tokens"] == 400
    assert body["provider_metadata"]["gateway"]["cost"] == "0.006"
    assert body["provider_metadata"]["imagegen"] == {"sketch": True}


def test_each_of_several_images_is_drawn_and_charged(api):
    body = checked(api.generate(n=2), IMAGES)
    first, second = (image["b64_json"] for image in body["data"])
    assert first != second
    assert body["provider_metadata"]["gateway"]["cost"] == "0.01"
    assert len(body["provider_metadata"]["openai"]["images"]) == 2
    assert api.emulator.bill.images == 2


def test_equal_requests_get_equal_images_from_any_emulator(make_api):
    images = {
        checked(make_api().generate(**extra), IMAGES)["data"][0]["b64_json"]
        for extra in ({}, {}, {"quality": "high"}, {"model": "openai/gpt-image-1.5"})
    }
    assert len(images) == 1


def test_generation_ids_depend_on_the_count_only(make_api):
    def ids():
        api = make_api()
        bodies = [checked(api.generate(), IMAGES) for _ in range(2)]
        return [body["provider_metadata"]["gateway"]["generationId"] for body in bodies]

    first, again = ids(), ids()
    assert first == again
    assert len(set(first)) == 2


def test_transparent_image_has_an_alpha_channel(api):
    body = checked(api.generate(background="transparent", output_format="webp"), IMAGES)
    assert decoded_image(body["data"][0]["b64_json"]).mode == "RGBA"
    assert body["background"] == "transparent"


def test_compression_changes_the_file_size(api):
    def size_at(level):
        response = api.generate(output_format="jpeg", output_compression=level)
        return len(checked(response, IMAGES)["data"][0]["b64_json"])

    assert size_at(20) < size_at(95)
