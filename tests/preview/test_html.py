"""Tables, pictures and films as HTML."""

import base64
import re

import numpy as np
import pytest
from PIL import Image

from rushes.errors import BadDataError, MissingError
from rushes.model.findings import Finding, Problem
from rushes.model.ledger import Account, Ledger
from rushes.preview import html
from rushes.store.video import write_video


def text_of(shown):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown._repr_html_())).strip()


def test_what_came_from_outside_is_escaped():
    shown = html.table(["<b>"], [["<script>alert(1)</script>"]], caption="a & b")
    assert "<script>" not in shown.html
    assert "&lt;script&gt;" in shown.html
    assert "a &amp; b" in shown.html


def test_a_ledger_names_what_was_lost():
    shown = html.ledger_table(Ledger({"frames": Account(12000, 11998, {"truncated_png": 2}, {"late": 1})}))
    assert "frames 12,000 11,998 truncated_png 2 late 1 yes" in text_of(shown)
    assert "truncated_png 2" in repr(shown)


def test_findings_stand_with_errors_first_and_none_is_said():
    found = [Finding("a.b", "info", "fine"), Finding("c.d", "error", "broken", frame_index=7)]
    said = text_of(html.findings_table(found))
    assert said.index("broken") < said.index("fine")
    assert "7" in said
    assert "every check passed" in text_of(html.findings_table([]))


def test_long_ids_are_broken_and_sentences_only_between_words():
    shown = html.table(
        ["id", "says"], [["synthetic-0295ab30a4084589a3e0c98b6dc384ea", "a sentence of many short words"]]
    )
    first, second = shown.html.split("<td ")[1:]
    assert "overflow-wrap:anywhere" in first
    assert "overflow-wrap" not in second
    assert "min-width:18ch" in second


def test_problems_and_episodes_have_their_tables(alien, desktop):
    assert "missing_action" in text_of(html.problems_table([Problem("missing_action", "x.txt", 3, "no file")]))
    said = text_of(html.episodes_table([alien, desktop]))
    assert "Alien 0 5 0.3 15 lookahead 0.2 4 40 frame budget" in said
    assert "Alien 1 3 0.1 10 lookahead 0.2 4 41 the game" in said
    assert "Doom 0 3 0.3" in said


def test_what_all_episodes_have_in_common_stands_in_the_caption_and_not_in_columns(environment):
    said = text_of(html.episodes_table([environment(lengths=(5,)), environment("Pong", (4,))]))
    assert "Episodes: policy lookahead, randomness 0.2, frameskip 4, 15 decisions a second, all ended by frame" in said
    assert "game episode frames seconds score seed Alien 0 5 0.3 15 40 Pong 0 4" in said


@pytest.mark.parametrize(
    ("value", "said"),
    [(36.66667, "36.7"), (25.8667, "25.9"), (15.0, "15"), (0.012345, "0.0123"), (9.5, "9.5"), (7, 7), ("a", "a")],
)
def test_figures_have_the_digits_that_somebody_reads(value, said):
    assert html.rounded(value) == said


def test_pictures_say_in_words_what_they_show(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "contact_sheet.png")
    assert html.picture(pixels, alt="a black square")._repr_png_()[1]["alt"] == "a black square"
    assert html.picture(tmp_path / "contact_sheet.png")._repr_png_()[1]["alt"] == "contact sheet"


def test_a_long_table_says_how_much_is_not_shown():
    assert "940 more" in text_of(html.table(["n"], [[k] for k in range(1000)]))


def test_a_picture_is_never_wider_than_the_page(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 3000, 3), np.uint8)
    assert html.picture(pixels)._repr_png_()[1]["width"] == 900
    Image.fromarray(pixels[:, :100]).save(tmp_path / "a.png")
    shown = html.picture(tmp_path / "a.png")
    png, metadata = shown._repr_png_()
    assert (png, metadata["width"]) == ((tmp_path / "a.png").read_bytes(), 100)
    with pytest.raises(MissingError):
        html.picture(tmp_path / "b.png")


def test_a_film_stands_in_the_page_or_is_named(tmp_path):
    film = tmp_path / "film.mp4"
    write_video(film, [np.zeros((48, 64, 3), np.uint8)] * 15, rate_hz=15)
    shown = html.video(film)
    data = re.search(r'src="data:video/mp4;base64,([^"]+)"', shown.html)[1]
    assert base64.b64decode(data) == film.read_bytes()
    large = html.video(film, largest_mb=0.0001)
    assert "data:" not in large.html
    assert "too large" in large.html
    assert 'href="film.mp4"' in large.html
    with pytest.raises(MissingError):
        html.video(tmp_path / "none.mp4")
    (tmp_path / "x.mp4").write_text("no film")
    with pytest.raises(BadDataError):
        html.video(tmp_path / "x.mp4")
