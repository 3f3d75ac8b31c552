"""Drafts of image requests."""

from __future__ import annotations

from mkdocs_imagegen.option_parsers import Size
from mkdocs_imagegen.request import ImageRequest
from mkdocs_imagegen.settings.budget import DraftSettings

REQUEST = ImageRequest("a/b", "A balloon", Size(1024, 1024), quality="medium")


def test_draft_has_a_key_of_its_own():
    draft = DraftSettings(quality="low").of(REQUEST)
    assert (draft.quality, draft.is_draft) == ("low", True)
    assert draft.subject_key != REQUEST.subject_key


def test_own_options_of_drafts():
    assert DraftSettings().own_options == frozenset()
    assert DraftSettings(quality="low").own_options == {"quality"}
    assert DraftSettings(model="a/b", quality="low").own_options == {"model", "quality"}


def test_request_with_the_same_model_and_quality_is_no_draft():
    assert DraftSettings(quality="medium", model="a/b").of(REQUEST) == REQUEST
