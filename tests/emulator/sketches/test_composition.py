"""Compositions follow the subject of the prompt, and keep the place of the label calm."""

import dataclasses
import hashlib

import pytest

from mkdocs_imagegen.emulator.sketches import composition
from mkdocs_imagegen.emulator.sketches.composition import (
    SeededRandom,
    choose_motif,
    choose_palette,
    compose,
)
from mkdocs_imagegen.emulator.sketches.motifs import MOTIFS
from mkdocs_imagegen.emulator.sketches.palettes import NIGHT, PALETTES

SIZE = (1536, 1024)
STYLES = ["Pencil drawing of a boat on the sea.", "Flat shapes. Deep teal, warm coral. No text."]


def test_words_of_the_prompt_select_the_motif():
    for motif in MOTIFS:
        for word in motif.words:
            assert word in choose_motif(f"The {word}, quietly.").words
    names = {choose_motif(f"Prompt number {number}").name for number in range(40)}
    assert names == {motif.name for motif in MOTIFS if not motif.words}


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("A lighthouse above a small boat", "lighthouse"),
        ("Boats below a lighthouse", "boat"),
        ("A red kettle beside a mountain lake", "kettle"),
    ],
)
def test_earliest_matching_word_selects_the_motif(prompt, name):
    assert choose_motif(prompt).name == name


def test_earliest_matching_word_selects_the_palette():
    sea = next(each for each in PALETTES if "sea" in each.words)
    assert choose_palette("A Night at the sea") is NIGHT
    assert choose_palette("The sea by night") is sea


def test_prompts_without_a_palette_word_get_various_palettes_by_day():
    palettes = {choose_palette(f"Prompt number {number}") for number in range(60)}
    assert palettes == set(PALETTES) - {NIGHT}


def test_color_word_selects_the_color_of_the_subject():
    red, blue = (compose(f"A {word} balloon", SIZE, "0") for word in ("red", "blue"))
    colors = [{shape.color for shape in scene.shapes} for scene in (red, blue)]
    assert (214, 69, 69) in colors[0] - colors[1]
    assert (58, 111, 181) in colors[1] - colors[0]


@pytest.mark.parametrize("style", STYLES)
def test_style_changes_nothing(style):
    for subject in ("A windmill", "An idea", "A house"):
        assert compose(f"{subject}\n\n{style}", SIZE, "0") == compose(subject, SIZE, "0")


@pytest.mark.parametrize("style", ["", *STYLES])
def test_dark_twin_has_the_same_motif_by_night(style):
    day = "\n\n".join(filter(None, ("A house", style)))
    dark = f"{day}\n\nAt night, dark blue sky."
    assert choose_palette(day) is not NIGHT
    assert choose_palette(dark) is NIGHT
    assert choose_motif(dark) == choose_motif(day)


def test_each_of_many_takes_has_the_same_motif_and_palette_and_other_shapes():
    scenes = [compose("A house", SIZE, "0", take) for take in range(1, 25)]
    assert len({scene.shapes for scene in scenes}) == 24
    assert len({(scene.motif, scene.palette) for scene in scenes}) == 1


def test_next_take_has_another_layout():
    """The disc, which is the first shape by day, moves far or changes its size by a third."""
    for take in range(1, 10):
        widths = []
        for scene in (compose("A house", SIZE, "0", number) for number in (take, take + 1)):
            across = [point.x for point in scene.shapes[2].points]
            widths.append((min(across), max(across) - min(across)))
        (left, wide), (other_left, other_wide) = widths
        assert abs(left - other_left) > 200 or max(wide / other_wide, other_wide / wide) > 1.33


PANORAMAS = {"forest", "lighthouse", "mountain", "train", "whale", "arcs"}


@pytest.mark.parametrize(
    "motif", [each for each in MOTIFS if each.name not in PANORAMAS], ids=lambda each: each.name
)
def test_no_square_image_cuts_the_subject(monkeypatch, motif):
    def shapes(drawn, take):
        monkeypatch.setattr(composition, "choose_motif", lambda _: drawn)
        return compose("A", (1024, 1024), "0", take).shapes

    for take in range(1, 11):
        background = shapes(dataclasses.replace(motif, shapes=()), take)
        subject = [each for each in shapes(motif, take) if each not in background]
        across = [point.x for each in subject for point in each.points]
        assert 0 <= min(across) < max(across) <= 1024


@pytest.mark.parametrize("animal", ["dog", "mole", "monkey", "squirrel", "wolf"])
def test_no_other_animal_is_drawn_as_a_cat(animal):
    assert choose_motif(f"A {animal}").name != "cat"


def test_scene_is_the_same_on_every_machine():
    """A golden scene: a change of it changes every sketch."""
    scene = compose("A red balloon on a wooden table.", SIZE, "0")
    points = [(round(x), round(y)) for shape in scene.shapes for x, y in shape.points]
    assert hashlib.sha256(repr(points).encode()).hexdigest()[:16] == "c6cc186be4a65b29"


def test_random_numbers_are_the_same_on_every_machine():
    """Golden numbers: a change of them changes every sketch."""
    rng = SeededRandom("seed")
    assert [round(rng.random(), 6) for _ in range(3)] == [0.080756, 0.709231, 0.39678]
