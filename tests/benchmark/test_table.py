"""Tables of rows."""

from __future__ import annotations

import json

from tests.benchmark.figures import Estimate, Goal, Row
from tests.benchmark.table import as_dict, as_markdown, as_text

ONE = Estimate(1.0, 0.998, 1.003, 20)
ROWS = [
    Row(
        "warm",
        "10 pages, CPU",
        "plain",
        Estimate(1.04321, 1.03, 1.056, 20),
        ONE,
        Goal(1.05),
        runs={"ours": [1.0], "plain": [0.9]},
        note="six files",
    ),
    Row(
        "start",
        "one page",
        "plain",
        Estimate(20, 19, 21, 20),
        Estimate(0, -1, 1, 20),
        Goal(15),
        "ms",
    ),
    Row("serve", "save to page", "plain", None, note="Chromium is not installed"),
    Row("idle", "10 pages", "plain", ONE, Estimate(1.2, 1.1, 1.3, 20), Goal(1.005, True)),
]


def test_text_has_all_cells_of_a_row() -> None:
    head, rule, warm, start, serve, idle, *notes = as_text(ROWS).splitlines()
    cells = [[cell.strip() for cell in line.split(" | ")] for line in (warm, start, serve, idle)]
    assert head.startswith("name ")
    assert set(rule) == {"-", "+"}
    figure, interval = "1.043 [1.030, 1.056] n=20", "1.000 [0.998, 1.003] n=20"
    assert cells[0] == ["warm", "10 pages, CPU", "plain", figure, interval, "1.050", "met"]
    figure, interval = "20.00 ms [19.00, 21.00] n=20", "0.00 ms [-1.00, 1.00] n=20"
    assert cells[1][3:] == [figure, interval, "15", "missed"]
    assert cells[2][3:] == ["not measured", "-", "-", "-"]
    assert cells[3][5:] == ["1.005 or contains 1", "noisy"]
    assert notes == ["warm: six files", "serve: Chromium is not installed"]


def test_markdown_has_the_same_cells_and_the_machine() -> None:
    text = as_markdown(ROWS, {"cores": "2", "kernel": "Linux 6"})
    assert "| warm | 10 pages, CPU | plain | 1.043 [1.030, 1.056] n=20 |" in text
    assert "- warm: six files\n" in text
    assert text.endswith("Measured on: cores 2, kernel Linux 6.\n")
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_json_has_every_run() -> None:
    loaded = json.loads(json.dumps(as_dict(ROWS, {"cores": "2"})))
    assert loaded["machine"] == {"cores": "2"}
    assert [row["verdict"] for row in loaded["rows"]] == ["met", "missed", "-", "noisy"]
    assert loaded["rows"][0]["runs"] == {"ours": [1.0], "plain": [0.9]}
