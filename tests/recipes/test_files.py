"""Recipes are valid, safe, and printed by the manual."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tomlkit import parse as parse_toml

from tests.manual.pages import DOCS, ROOT, pages
from tests.manual.test_commands import check_syntax
from tests.package.conftest import run
from tests.paid import PaidSite, paid_gateway
from tests.recipes.files import PREVIEW, RECIPES, WORKFLOWS, read, steps

BIN = Path(sys.executable).parent
INCLUDED = {
    name: block
    for page in pages()
    for block in page.blocks
    for name in re.findall(r'--8<-- "recipes/(.+?)"', block.text)
}
PINNED = re.compile(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
OWN = "mkdocs-imagegen/mkdocs-imagegen/.github/actions/preview@COMMIT"
"""The action of this repository, at the commit that `requirements.txt` of the manual names too."""
SCHEMAS = [
    ("vendor.github-workflows", WORKFLOWS),
    ("vendor.github-actions", [PREVIEW / "action.yml"]),
    ("vendor.gitlab-ci", sorted(RECIPES.glob("gitlab-*.yml"))),
    ("vendor.readthedocs", [RECIPES / "read-the-docs.yml"]),
]
MAX_VERCEL_COMMAND = 256

workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def test_manual_prints_every_recipe_as_a_whole() -> None:
    assert {*INCLUDED} == {path.name for path in RECIPES.iterdir()}
    assert all(block.title for block in INCLUDED.values())
    assert {block.text.count("\n") for block in INCLUDED.values()} == {0}


@pytest.mark.parametrize("name", sorted({block.page for block in INCLUDED.values()}))
def test_configuration_next_to_a_recipe_reads_the_variable(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    assert "on_missing: !ENV [IMAGEGEN_ON_MISSING, warn]" in text


@workflow
def test_actions_are_pinned_by_commit(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    assert used.count(OWN) == 1
    assert [each for each in used if not PINNED.fullmatch(each)] == [OWN]


def test_an_action_has_one_commit_in_recipes_manual_and_ci() -> None:
    """Dependabot updates only .github: copy its commits to the recipes and pages."""
    files = [*WORKFLOWS, *DOCS.rglob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    pins = {
        pin for text in texts for pin in re.findall(r"uses: ([\w-]+/[\w-]+)[\w/.-]*@(.+)", text)
    }
    assert len({name for name, _ in pins}) == len(pins), sorted(pins)


def test_action_is_safe_with_any_branch_name() -> None:
    """Values from outside are read from variables, which a shell does not parse."""
    action = read(PREVIEW / "action.yml")
    commands = [step for step in action["runs"]["steps"] if "run" in step]
    assert commands
    assert [step["run"] for step in commands if "${{" in step["run"]] == []
    text = " ".join(step["run"] for step in commands)
    assert re.findall(r'(?<!")\$\w+|(?<!=)"\$(?:BASE|CONFIG)', text) == []


def test_previews_generate_no_image_whichever_keys_the_job_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build of each preview, with the key of a server that would generate."""
    (build,) = (
        step
        for step in read(PREVIEW / "action.yml")["runs"]["steps"]
        if step.get("run", "").startswith("mkdocs build")
    )
    scripts = [(build["run"], {**build["env"], "CONFIG": "mkdocs.yml"})]
    for path in sorted(RECIPES.glob("gitlab-*.yml")):
        job = read(path)["merge request"]
        lines = [each for each in job["script"] if each.startswith(("export ", "mkdocs build"))]
        scripts.append(("\n".join(lines), job["variables"]))
    with paid_gateway(monkeypatch) as emulator:
        site = PaidSite(tmp_path, emulator)
        site.write_prompts("A ferry")
        site.options["on_missing"] = "ON_MISSING"
        site.save()
        config = tmp_path / "mkdocs.yml"
        missing = "!ENV [IMAGEGEN_ON_MISSING, warn]"
        config.write_text(config.read_text().replace("ON_MISSING", missing))
        for script, variables in scripts:
            environ = os.environ | variables | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
            subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=environ, check=True)
        assert emulator.requests == 0


def test_manual_lists_the_inputs_of_the_preview() -> None:
    text = (DOCS / "deploy/github-actions.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.+?) \|", text, re.MULTILINE))
    inputs = read(PREVIEW / "action.yml")["inputs"]
    assert rows == {
        name: f"`{each['default']}`" if each["default"] else "the base branch"
        for name, each in inputs.items()
    }


def test_preview_uploads_the_page_under_the_name_of_its_input() -> None:
    listed, upload, _ = read(PREVIEW / "action.yml")["runs"]["steps"]
    assert listed["run"].endswith('"$SHEET"\n')
    assert listed["env"]["SHEET"] == "${{ runner.temp }}/${{ inputs.artifact }}.html"
    assert upload["with"]["path"] == listed["env"]["SHEET"]


@pytest.mark.parametrize(
    ("folder", "first", "code"), [("imagegen-originals", "", 0), ("", "1", 0), ("", "", 1)]
)
def test_gitlab_generates_images_without_a_cache_only_if_told(
    tmp_path: Path, folder: str, first: str, code: int
) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    script = "\n".join(read(RECIPES / "gitlab-cached.yml")["pages"]["script"])
    script = script.replace("mkdocs build", "echo mkdocs build")
    environ = os.environ | {"IMAGEGEN_FIRST_RUN": first}
    done = subprocess.run(
        ["sh", "-ec", script], cwd=tmp_path, env=environ, capture_output=True, check=False
    )
    assert (done.returncode, b"mkdocs build" in done.stdout) == (code, code == 0)


@workflow
def test_checkout_keeps_no_credentials(path: Path) -> None:
    (checkout,) = (
        step for step in steps(read(path)) if step.get("uses", "").startswith("actions/checkout@")
    )
    assert checkout["with"]["persist-credentials"] is False


@workflow
def test_workflow_grants_only_the_rights_to_publish(path: Path) -> None:
    recipe = read(path)
    assert recipe["permissions"] == {}
    assert {name: job["permissions"] for name, job in recipe["jobs"].items()} == {
        "build": {"contents": "read"},
        "publish": {"pages": "write", "id-token": "write"},
    }


@workflow
def test_commands_have_no_expression(path: Path) -> None:
    assert [step["run"] for step in steps(read(path)) if "${{" in step.get("run", "")] == []


@workflow
def test_runs_of_the_main_branch_are_never_canceled_or_parallel(path: Path) -> None:
    assert read(path)["concurrency"] == {
        "group": "docs-${{ github.ref }}",
        "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
    }


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "files"), SCHEMAS)
def test_recipe_is_valid(schema: str, files: list[Path]) -> None:
    assert files
    run(BIN / "check-jsonschema", "--builtin-schema", schema, *files)


@pytest.mark.slow
def test_no_known_weakness_is_in_the_workflows(tmp_path: Path) -> None:
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8").replace("@COMMIT", f"@{'c' * 40} # v1.0.0")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    files = [*tmp_path.iterdir(), PREVIEW / "action.yml"]
    run(BIN / "zizmor", "--offline", "--pedantic", "--no-progress", *files)


@pytest.mark.slow
def test_a_weakness_and_an_invalid_workflow_are_found(tmp_path: Path) -> None:
    path = tmp_path / "docs.yml"
    text = WORKFLOWS[0].read_text(encoding="utf-8")
    path.write_text(re.sub("@[0-9a-f]{40}", "@main", text), encoding="utf-8")
    assert "unpinned-uses" in run(BIN / "zizmor", "--offline", "--no-progress", path, code=14)
    path.write_text(text.replace("runs-on", "runs_on"), encoding="utf-8")
    schema = ("--builtin-schema", "vendor.github-workflows")
    run(BIN / "check-jsonschema", *schema, path, code=1)


def _commands() -> Iterator[str]:
    """Yield the commands of MkDocs and of the plugin in the files of YAML and shell."""
    for path in (*RECIPES.glob("*.yml"), *RECIPES.glob("*.sh"), PREVIEW / "action.yml"):
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        yield from re.findall(r"\bmkdocs(?:-imagegen)? (?:build|plan|gallery)[^\n|]*", text)


def test_commands_and_their_options_exist() -> None:
    commands = [*_commands()]
    assert {each.split()[1] for each in commands} == {"build", "plan", "gallery"}
    for command in commands:
        check_syntax(command)


def test_netlify_shows_placeholders_in_previews_only() -> None:
    recipe = parse_toml((RECIPES / "netlify.toml").read_text(encoding="utf-8")).unwrap()
    assert recipe["build"]["command"] == "mkdocs build --strict"
    assert recipe["build"]["publish"] == "site"
    chosen = {name: each["environment"] for name, each in recipe["context"].items()}
    assert recipe["build"]["environment"]["IMAGEGEN_ON_MISSING"] == "error"
    previews = {"IMAGEGEN_ON_MISSING": "placeholder"}
    assert chosen == {"deploy-preview": previews, "branch-deploy": previews}


def _cloudflare() -> str:
    return (RECIPES / "cloudflare-pages.sh").read_text(encoding="utf-8")


def _vercel() -> str:
    return json.loads((RECIPES / "vercel.json").read_text(encoding="utf-8"))["buildCommand"]


def _read_the_docs() -> str:
    (command,) = read(RECIPES / "read-the-docs.yml")["build"]["jobs"]["build"]["html"]
    return command


def test_read_the_docs_installs_the_packages() -> None:
    """It installs none for a project without a documentation tool, also not those listed."""
    recipe = read(RECIPES / "read-the-docs.yml")
    assert recipe["mkdocs"] == {"configuration": "mkdocs.yml"}
    assert recipe["python"]["install"] == [{"requirements": "requirements.txt"}]


def test_vercel_accepts_the_length_of_the_command() -> None:
    assert len(_vercel()) <= MAX_VERCEL_COMMAND


@pytest.mark.parametrize(
    ("command", "environ", "expected"),
    [
        (_cloudflare, {"CF_PAGES_BRANCH": "main"}, "error"),
        (_cloudflare, {"CF_PAGES_BRANCH": "a b"}, "placeholder"),
        (_cloudflare, {}, "error"),
        (_vercel, {"VERCEL_ENV": "production"}, "error"),
        (_vercel, {"VERCEL_ENV": "preview"}, "placeholder"),
        (_vercel, {}, "error"),
        (_read_the_docs, {"READTHEDOCS_VERSION_TYPE": "external"}, "placeholder"),
        (_read_the_docs, {"READTHEDOCS_VERSION_TYPE": "branch"}, "error"),
    ],
)
def test_command_of_the_host_lets_only_previews_lack_images(
    command, environ: Mapping[str, str], expected: str, tmp_path: Path
) -> None:
    """The command itself, with programs that print the variable in place of MkDocs and pip."""
    for name in ("bin/mkdocs", "bin/pip", ".venv/bin/mkdocs"):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\necho "${0##*/} $* $IMAGEGEN_ON_MISSING"\n')
        program.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if name != "IMAGEGEN_ON_MISSING"}
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command()],
        cwd=tmp_path,
        env=clean | {"PATH": path, "READTHEDOCS_OUTPUT": "out"} | dict(environ),
        capture_output=True,
        text=True,
        check=True,
    )
    last = done.stdout.splitlines()[-1].split()
    assert last[:3] == ["mkdocs", "build", "--strict"]
    assert last[-1] == expected
