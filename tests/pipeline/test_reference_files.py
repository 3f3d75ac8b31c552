"""Tests of reference images and masks, by the hash of their bytes."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image

from mkdocs_imagegen.directives.references import FileReference
from mkdocs_imagegen.errors import OptionError
from mkdocs_imagegen.originals.store import Original
from mkdocs_imagegen.pipeline.reference_files import MAX_MASK_BYTES, ReferenceFiles
from tests.originals.support import record
from tests.pipeline.support import request

TRANSPARENT = (0, 0, 0, 0)


def image(color="red", size=(64, 48), kind="PNG"):
    file = io.BytesIO()
    Image.new("RGBA" if color == TRANSPARENT else "RGB", size, color).save(file, kind)
    return file.getvalue()


@pytest.fixture
def add(tmp_path):
    """Adds a file to the docs folder, and returns its hash."""
    files = ReferenceFiles()

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return files.add_file(FileReference(name), tmp_path)

    write.files = files
    return write


def with_references(*hashes, mask=""):
    return request(references=hashes, mask=mask)


def test_file_is_found_by_its_hash(add):
    content = image()
    sha256 = add("img/cup.png", content)
    assert sha256 == hashlib.sha256(content).hexdigest()
    attachments = add.files.read(with_references(sha256))
    assert [(each.content, each.mime) for each in attachments.references] == [
        (content, "image/png")
    ]
    assert attachments.mask is None


def test_changed_file_gets_another_hash_and_the_earlier_one_is_not_sent(add):
    before, after = add("cup.png", image()), add("cup.png", image("blue"))
    assert before != after
    with pytest.raises(OptionError, match=r"cup\.png was changed during the build"):
        add.files.read(with_references(before))
    add.files.read(with_references(after))


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("missing.png", "file {}/missing.png does not exist"),
        ("../a.png", "outside the docs folder"),
    ],
)
def test_file_outside_the_docs_folder_is_an_error(add, tmp_path, name, error):
    (tmp_path.parent / "a.png").write_bytes(image())
    with pytest.raises(OptionError, match=error.format(tmp_path.name)):
        add.files.add_file(FileReference(name), tmp_path)


def test_similar_file_is_suggested(add, tmp_path):
    add("img/cup.png", image())
    with pytest.raises(OptionError, match=r'did you mean "/img/cup\.png"'):
        add.files.add_file(FileReference("img/cupp.png"), tmp_path)


@pytest.mark.parametrize("mime", ["image/gif", "image/avif"])
def test_original_of_another_format_is_no_reference_image(add, tmp_path, mime):
    with pytest.raises(
        OptionError, match=f"a {mime.partition('/')[2]} image cannot be a reference"
    ):
        add.files.add_original(Original(record(mime=mime), tmp_path / "x"))


MASKS = {
    "transparent": (image(TRANSPARENT), ""),
    "opaque": (image(), "has no transparent pixels"),
    "small": (image(TRANSPARENT, (10, 10)), "is 10x10, but the first reference image is 64x48"),
    "jpeg": (image(kind="JPEG"), "cannot be used"),
    "large file": (image(TRANSPARENT) + bytes(MAX_MASK_BYTES), "cannot be used"),
}


@pytest.mark.parametrize(("mask", "error"), MASKS.values(), ids=MASKS)
def test_mask_is_checked_before_it_is_sent(add, mask, error):
    checked = with_references(add("cup.png", image()), mask=add("mask.png", mask))
    if not error:
        add.files.check(checked)
        return
    with pytest.raises(OptionError, match=error):
        add.files.check(checked)


def test_damaged_image_is_an_error_that_names_it(add):
    half = add("half.png", image()[:70])
    with pytest.raises(OptionError, match=r"half\.png: "):
        add.files.check(with_references(half))
