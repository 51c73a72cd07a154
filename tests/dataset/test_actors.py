"""The table of actors: TOML and CSV say the same, and what is wrong in one is told."""

from __future__ import annotations

import pytest

from emomedia.dataset.actors import Actor, find_actors, read_actors
from emomedia.errors import DescriptionError, MediaNotFoundError

TOML = """
[[actor]]
id = "A1"
gender = "female"
age = 26
region = "华北"
[[actor]]
id = "A2"
"""
CSV = "\ufeffid,gender,age,region\nA1,female,26,华北\nA2,,,\n"


@pytest.mark.parametrize(("name", "text"), [("actors.toml", TOML), ("actors.csv", CSV)])
def test_both_kinds_of_table_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text, "utf-8")
    expected = {"A1": Actor("A1", "female", 26, "华北"), "A2": Actor("A2")}
    assert read_actors(tmp_path / name) == find_actors(tmp_path) == expected


def test_without_a_table_nobody_is_known(tmp_path):
    assert find_actors(tmp_path) == {}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "[[actor]]\nid = 3", r"actor\[0\]\.id: expected a line of text"),
        ("a.toml", '[[actor]]\nid = "A"\nheight = 2', "the unknown key 'height'"),
        ("a.toml", '[[actor]]\nid = "A"\n[[actor]]\nid = "A"', "an id that no other actor has"),
        ("a.toml", "[[actor", "TOML or CSV in UTF-8"),
        ("a.csv", "id,age\nA,old\n", r"actor\[0\]\.age: expected years"),
        ("a.csv", "gender\nmale\n", r"actor\[0\]\.id: expected a value"),
        ("a.csv", "id\nA,B\n", "unknown key"),
    ],
)
def test_what_is_wrong_in_a_table_is_reported(tmp_path, name, text, said):
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(DescriptionError, match=said):
        read_actors(tmp_path / name)


def test_a_missing_table_is_reported(tmp_path):
    with pytest.raises(MediaNotFoundError, match="the table of actors"):
        read_actors(tmp_path / "a.csv")
