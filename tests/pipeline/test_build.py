"""Tests of the pipeline: pages are read, joined and filled, and the site is finished."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest
import yaml

from mkdocs_imagegen.directives.marker import as_tag, attributes_of, find_shown_images
from mkdocs_imagegen.log import run_filter
from mkdocs_imagegen.pipeline.build import Pipeline
from mkdocs_imagegen.pipeline.context import BuildMode, SitePages
from mkdocs_imagegen.pipeline.messages import log_charges
from mkdocs_imagegen.report import State
from mkdocs_imagegen.spending.journal import Journal
from mkdocs_imagegen.spending.permission import Permission
from tests.bench import BODY, SERVER, FakeGateway, intent
from tests.bench import request as paid_request
from tests.pipeline.support import build_context, directive, facts_of, page

NO = {"permission": Permission("generate is false")}
OWN = {"imagegen": {"preview": {"prompt": "A harbour", "size": "64x48"}}}


@pytest.fixture
def opened(tmp_path):
    """Opens pipelines: `opened(options, mode=...)`; closes them at the end."""
    pipelines = []

    def open_pipeline(options=None, **facts):
        pipelines.append(Pipeline(build_context(tmp_path, options, **facts)))
        return pipelines[-1]

    yield open_pipeline
    for each in pipelines:
        each.close()


def marker(pipeline, *given):
    """Return the markers of directives, as the Markdown extension writes them."""
    added = (pipeline.registry.add(each) for each in given or [directive()])
    return "".join(as_tag(attributes_of(parsed, token)) for token, parsed in added)


def read(pipeline, content, uri="index.md"):
    return pipeline.read_page(page(uri), content, lambda: facts_of(uri))


def states(pipeline):
    return [row.state for each in pipeline.entries() for row in each.rows]


def test_marker_stays_until_the_page_is_filled(opened):
    pipeline = opened()
    content = f"<p>{marker(pipeline)}</p>"
    assert read(pipeline, content) == content
    pipeline.join()
    filled = pipeline.fill_page(content, "guide/")
    assert 'src="../assets/imagegen/' in filled
    assert "imagegen:" not in filled


def test_page_has_the_same_bytes_in_a_repeat_build(opened):
    filled = []
    for _ in range(2):
        pipeline = opened()
        content = read(pipeline, marker(pipeline))
        pipeline.join()
        filled.append(pipeline.fill_page(content, ""))
    assert filled[0] == filled[1]


def test_only_the_first_image_of_a_page_is_loaded_at_once(opened):
    pipeline = opened()
    content = read(pipeline, marker(pipeline, directive("A"), directive("B")))
    pipeline.join()
    filled = pipeline.fill_page(content, "")
    assert (filled.count('fetchpriority="high"'), filled.count('loading="lazy"')) == (1, 1)


def test_img_tag_is_an_error_that_names_the_alternatives(opened, caplog):
    pipeline = opened()
    content = read(pipeline, '<p><img src="imagegen:" alt="A balloon"></p>')
    (image,) = find_shown_images(content)
    pipeline.join()
    assert pipeline.outcome(image.address).state is State.INVALID
    assert "an <img> tag cannot have an imagegen: address; write a Markdown image" in caplog.text


def test_text_of_a_marker_that_no_page_shows_gets_no_image(opened):
    pipeline = opened()
    hidden = f"<!-- {marker(pipeline)} -->"
    read(pipeline, hidden)
    pipeline.join()
    token = pipeline.registry.add(directive())[0]
    assert pipeline.outcome(token) is None
    assert 'src="#"' in pipeline.fill_page(hidden, "")


def test_image_of_late_html_is_looked_up_and_not_generated(opened, caplog):
    pipeline = opened()
    read(pipeline, marker(pipeline, directive("A")))
    pipeline.join()
    late = marker(pipeline, directive("B"))
    assert "missing-" in pipeline.fill_page(late, "")
    assert "was added to a page after the build" in caplog.text


def test_entry_has_the_location_and_the_error(opened):
    pipeline = opened(**NO)
    read(pipeline, marker(pipeline))
    pipeline.join()
    (entry,) = pipeline.entries()
    assert str(entry.location) == 'docs/index.md, prompt 1 ("A balloon")'
    assert entry.rows[0].remarks == ("the image is missing: generate is false",)
    assert (entry.directive, entry.uri) == (directive(), "index.md")


def test_placeholder_is_only_a_file_if_a_page_shows_it(opened):
    pipeline = opened(**NO)
    pipeline.registry.open_page("index.md", OWN)
    read(pipeline, marker(pipeline))
    pipeline.join()
    shown, head = (each.rows[0] for each in pipeline.entries())
    assert shown.file.startswith("assets/imagegen/missing-")
    assert head.file == ""
    assert pipeline.social_card("index.md") is None


def test_preview_gets_social_tags_only_with_a_site_url(opened, caplog):
    run_filter.begin_run()
    caplog.set_level("INFO", "mkdocs")
    for url, has_tags in [("https://example.org/", True), ("", False), ("", False)]:
        pipeline = opened(site_url=url)
        pipeline.registry.open_page("index.md", OWN)
        read(pipeline, "<p></p>")
        pipeline.join(SitePages(("index.md",)))
        finished = pipeline.finish_page("<html><head></head><body></body></html>", "", "index.md")
        assert ("og:image" in finished) is has_tags
    assert caplog.text.count("site_url is not set") == 1


def test_look_at_a_site_without_site_url_logs_no_message(opened, caplog):
    run_filter.begin_run()
    caplog.set_level("INFO", "mkdocs")
    pipeline = opened(site_url="", mode=BuildMode(publish=False))
    pipeline.registry.open_page("index.md", OWN)
    read(pipeline, "<p></p>")
    pipeline.join(SitePages(("index.md",)))
    assert "site_url" not in caplog.text


def test_report_and_summary_of_a_build(opened, tmp_path, caplog):
    caplog.set_level("INFO", "mkdocs")
    pipeline = opened({"report": "report.json"})
    content = read(pipeline, marker(pipeline))
    pipeline.join()
    (tmp_path / "site").mkdir(exist_ok=True)
    (tmp_path / "site/feed.xml").write_text(content)
    pipeline.finish()
    (row,) = json.loads((tmp_path / "report.json").read_text())["pictures"]
    assert row["state"] == "made"
    assert "imagegen: 1 image: 1 sketch drawn" in caplog.messages[-1]
    feed = (tmp_path / "site/feed.xml").read_text()
    assert 'src="https://example.org/assets/imagegen/' in feed


def test_report_that_cannot_be_written_is_a_warning(opened, tmp_path, caplog):
    (tmp_path / "report.json").mkdir()
    pipeline = opened({"report": "report.json"})
    read(pipeline, marker(pipeline))
    pipeline.join()
    pipeline.finish()
    assert f"cannot write the report to {tmp_path / 'report.json'}" in caplog.text


def test_dry_run_logs_and_writes_nothing(opened, tmp_path, caplog):
    caplog.set_level("INFO", "mkdocs")
    pipeline = opened({"report": "report.json"}, mode=BuildMode(generate=False, publish=False))
    read(pipeline, marker(pipeline))
    pipeline.join()
    pipeline.finish()
    assert (caplog.messages, list(tmp_path.glob("report.json"))) == ([], [])
    assert states(pipeline) == [State.MISSING]


def test_response_of_an_interrupted_build_is_stored_first(opened, tmp_path):
    settings = build_context(tmp_path).settings
    journal = Journal(settings.work_path / "journal")
    journal.begin(intent(paid_request()))
    journal.save_response(intent(paid_request()), BODY)
    opened(mode=BuildMode(generate=False)).join()
    assert journal.open_keys() == [paid_request().key]
    opened().join()
    assert journal.open_keys() == []


@pytest.mark.parametrize(
    ("models", "cost"),
    [
        (["openai/gpt-image-1-mini", "acme/painter"], "$0.011, price of 1 unknown"),
        (["acme/painter"], "price unknown"),
    ],
)
def test_charges_of_a_failed_build_say_if_a_price_is_unknown(opened, caplog, models, cost):
    caplog.set_level("INFO", "mkdocs")
    gateway = {"gateway": {"url": SERVER}}
    pipeline = opened(gateway, open_gateway=lambda *_: FakeGateway())
    for number, model in enumerate(models):
        asked = replace(paid_request(number), model=model)
        read(pipeline, marker(pipeline, directive(request=asked)))
    pipeline.join()
    log_charges(pipeline.context)
    images = "1 image" if len(models) == 1 else "2 images"
    assert f"the build failed after it generated {images} ({cost}); " in caplog.text


@pytest.fixture
def paid(opened, monkeypatch, caplog):
    """Builds a site twice, each time with a new paid image, and returns the log records."""
    caplog.set_level("INFO", "mkdocs")

    def build(options, *, environ, is_strict):
        monkeypatch.setenv("CI", environ)
        monkeypatch.setattr(run_filter, "is_strict", is_strict)
        for number in range(2):
            gateway = {"gateway": {"url": SERVER}}
            pipeline = opened(gateway | options, open_gateway=lambda *_: FakeGateway())
            read(pipeline, marker(pipeline, directive(request=paid_request(number))))
            pipeline.join()
            pipeline.finish()
            assert states(pipeline) == [State.GENERATED]
        return caplog.records

    return build


@pytest.mark.parametrize(
    ("environ", "options", "is_strict", "levels"),
    [
        ("true", {}, False, ["WARNING", "WARNING"]),
        ("true", {}, True, ["INFO", "INFO"]),
        ("true", {"originals_dir": "kept"}, False, ["WARNING", "WARNING"]),
        ("", {}, False, []),
    ],
)
def test_ci_is_told_to_keep_the_generated_images(paid, environ, options, is_strict, levels):
    found = [
        each
        for each in paid(options, environ=environ, is_strict=is_strict)
        if "which git does not track" in each.msg
    ]
    assert [each.levelname for each in found] == levels
    folder = options.get("originals_dir", "imagegen-originals")
    assert all("1 image ($0.011) generated into " in each.getMessage() for each in found)
    assert all(f"/{folder}, which git" in each.getMessage() for each in found)


def test_ci_is_told_nothing_when_git_tracks_the_folder(paid, tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "imagegen-originals").mkdir()
    (tmp_path / "imagegen-originals/notes").touch()
    subprocess.run(["git", "-C", tmp_path, "add", "-A"], check=True)
    messages = paid({}, environ="true", is_strict=False)
    assert [each for each in messages if "git does not track" in each.msg] == []


def test_first_purchase_names_the_folder_to_keep(paid):
    messages = paid({}, environ="", is_strict=False)
    assert len([each for each in messages if "commit the folder, or ignore it" in each.msg]) == 1


def test_front_matter_has_all_its_mistakes_with_their_lines(opened, caplog):
    imagegen = {
        "quality": "low",
        "prompts": {"hero": {"prompt": "A hero", "widht": 3, "size": "big"}, "a": {"take": 0}},
        "preset": "nope",
        "qualty": "low",
        "preview": {"prompt": "A", "sise": "1x1"},
    }
    source = f"---\n{yaml.safe_dump({'imagegen': imagegen}, sort_keys=False)}---\n# Page\n"
    pipeline = opened({"presets": {"ink": {"style": "Ink"}}})
    pipeline.read_front_matter(page("index.md", source), {"imagegen": imagegen})
    start = "imagegen: docs/index.md:"
    found = [each.getMessage().removeprefix(start).partition(" (")[0] for each in caplog.records]
    assert found == [
        '7: front matter: `prompts.hero`: unknown option "widht"; did you mean "width"?',
        '8: front matter: `prompts.hero.size`: unsupported value "big"',
        '10: front matter: `prompts.a.take`: unsupported value "0"',
        '11: front matter: `preset`: unknown preset "nope"',
        '12: front matter: unknown option "qualty"; did you mean "quality"?',
        '15: front matter: `preview`: unknown option "sise"; did you mean "size"?',
    ]


def test_front_matter_without_a_source_has_its_mistakes_without_lines(opened, caplog):
    opened().read_front_matter(page("index.md"), {"imagegen": {"qualty": "low"}})
    assert 'docs/index.md: front matter: unknown option "qualty"' in caplog.text
