"""Files of the recipes, as the manual prints them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.manual.pages import ROOT

RECIPES = ROOT / "example_site/recipes"
PREVIEW = ROOT / ".github/actions/preview"
WORKFLOWS = sorted(RECIPES.glob("github-*.yml"))


def read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of all jobs of a workflow."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]
