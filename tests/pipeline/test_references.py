"""Tests of references: the order of lookups, and the errors of references."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from mkdocs_imagegen.directives.defaults import site_defaults
from mkdocs_imagegen.directives.references import FileReference, ImageReference, PromptReference
from mkdocs_imagegen.directives.registry import Registry
from mkdocs_imagegen.errors import DirectiveError, NotGeneratedError, OptionError
from mkdocs_imagegen.pipeline.lookup import Lookup
from mkdocs_imagegen.pipeline.references import References
from mkdocs_imagegen.spending.permission import Permission
from tests.pipeline.support import build_context, directive

HERO = {"prompts": {"hero": {"prompt": "A knight", "size": "64x48"}}}


class Site:
    """References with a registry of their own, and their lookup."""

    def __init__(self, folder, options=None, **facts):
        context = build_context(folder, options, **facts)
        self.registry = Registry(site_defaults(context.settings))
        self.lookup = Lookup(context)
        self.references = References(self.registry, self.lookup, context)

    def add(self, each, page="index.md"):
        """Add a directive, and note its ID as a page would."""
        token, _ = self.registry.add(each)
        for name, value in each.attributes:
            if name == "id":
                self.registry._ids[page, value] = token
        return token

    def show(self, *directives):
        """Look up directives as a page does, and return their tokens after the join."""
        tokens = [self.add(each) for each in directives]
        for token, each in zip(tokens, directives, strict=True):
            if each.references:
                self.references.look_up(token, each, "index.md")
            else:
                self.lookup.look_up(each, "index.md")
        self.references.join()
        self.lookup.join()
        return tokens

    def result(self, token):
        failed = self.references.failed_results(token)
        return (failed or self.lookup.results(self.references.get(token)))[0]


@pytest.fixture
def site(tmp_path):
    sites = []

    def build(*given, **facts):
        sites.append(Site(tmp_path, *given, **facts))
        return sites[-1]

    yield build
    for each in sites:
        each.lookup.close()


def named(prompt, name, *references):
    return directive(prompt, attributes=(("id", name),), references=references)


def to(name):
    return ImageReference("index.md", name)


def write_png(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(file, "PNG")
    path.write_bytes(file.getvalue())


def test_file_is_added_to_the_request_at_once(site, tmp_path):
    write_png(tmp_path / "docs/cup.png")
    shown, found = site(), directive("A cup", references=(FileReference("cup.png"),))
    token = shown.add(found)
    shown.references.look_up(token, found, "index.md")
    (sha256,) = shown.references.get(token).request.references
    assert len(sha256) == 64
    assert shown.lookup.results(shown.references.get(token)) is not None


def test_references_to_images_are_resolved_in_turn(site):
    shown = site()
    tokens = shown.show(named("One", "one", to("two")), named("Two", "two", to("three")))
    assert isinstance(shown.result(tokens[0]).error, NotGeneratedError)  # no page shows "three"
    shown = site()
    tokens = shown.show(
        named("One", "one", to("two")), named("Two", "two", to("three")), named("Three", "three")
    )
    results = [shown.result(each) for each in tokens]
    assert [each.was_generated for each in results] == [True] * 3
    request = shown.references.get(tokens[0]).request
    assert request.references == (results[1].original.record.sha256,)


def test_cycle_fails_all_of_its_directives(site):
    shown = site()
    one, two = shown.show(named("One", "one", to("two")), named("Two", "two", to("one")))
    for token in (one, two):
        error = shown.result(token).error
        assert isinstance(error, DirectiveError)
        assert "references form a cycle: /index.md#" in str(error)


def test_unknown_id_fails_with_the_known_ones(site):
    shown = site()
    token, _ = shown.show(named("One", "one", to("twoo")), named("Two", "two"))
    error = shown.result(token).error
    assert isinstance(error, OptionError)
    assert 'did you mean "/index.md#two"' in str(error)


def test_missing_reference_image_is_named(site):
    shown = site(permission=Permission("generate is false"))
    token, _ = shown.show(named("One", "one", to("two")), named("Two", "two"))
    error = shown.result(token).error
    assert error.fault == 'reference image "/index.md#two" is missing: generate is false'


def test_named_prompts_are_found_also_indirectly(site):
    shown = site(HERO)
    token = shown.add(directive("A castle", references=(PromptReference("index.md", "hero"),)))
    (prompt,) = shown.references.prompts_of(token)
    assert shown.references.get(prompt).request.prompt == "A knight"
    assert shown.references.prompts_of(prompt) == []


def test_directive_after_the_join_is_not_looked_up(site):
    shown = site()
    shown.show()
    late = named("One", "one", to("two"))
    token = shown.add(late)
    shown.references.look_up(token, late, "index.md")
    error = shown.result(token).error
    assert "does not exist" in str(error)
