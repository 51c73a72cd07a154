"""Rules and verdicts."""

from __future__ import annotations

import pytest

from emomedia.errors import DescriptionError
from emomedia.quality.profile import faces_seen, judge, read_profile, usual_of

SEEN = {"left": True, "right": True}


def profile(tmp_path, text: str):
    path = tmp_path / "profile.toml"
    path.write_text(text)
    return read_profile(path)


def row(left: dict, right: dict | None = None, speaker: str | None = None, **clip) -> dict:
    return {"speaker": speaker, "frame_count": 100, "quality": {"left": left, "right": right or {}} | clip}


def test_reasons_name_side_fault_measure_and_bound(tmp_path):
    rules = profile(tmp_path, '[[rule]]\nfault = "blurred"\nmeasure = "sharpness"\nmin = 1.1\n')
    verdict = judge(row({"sharpness": 0.6}, {"sharpness": 1.2}), rules, SEEN)
    assert not verdict.keep
    assert verdict.reasons == ("left: blurred (sharpness 0.6 < 1.1)",)
    assert judge(row({"sharpness": 1.1}, {"sharpness": 1.2}), rules, SEEN).keep


def test_what_could_not_be_measured_breaks_no_rule():
    assert judge(row({"sharpness": None}), read_profile(), SEEN).keep


def test_counts_are_shares_of_the_clip_s_frames(tmp_path):
    rules = profile(tmp_path, '[[rule]]\nfault = "f"\nmeasure = "dropped_frames"\nmax_share = 0.02\n')
    assert judge(row({"dropped_frames": 2}), rules, SEEN).keep
    assert judge(row({"dropped_frames": 3}), rules, SEEN).reasons == (
        "left: f (dropped_frames 3 of 100 > 2 %)",
    )


def test_sound_is_judged_on_the_side_that_speaks():
    quiet = row({"snr_db": 3.0}, {"snr_db": 30.0}, "right")
    assert judge(quiet, read_profile(), SEEN).keep
    assert not judge(quiet | {"speaker": "left"}, read_profile(), SEEN).keep
    assert not judge(quiet | {"speaker": None}, read_profile(), SEEN).keep


def test_flags_and_measures_of_the_whole_clip(tmp_path):
    rules = profile(
        tmp_path,
        '[[rule]]\nfault = "words"\nmeasure = "transcript_flags"\nof = "clip"\nnone_of = ["loop"]\n'
        '[[rule]]\nfault = "out of sync"\nmeasure = "sync_residual_ms"\nof = "clip"\nmax = 20\n',
    )
    verdict = judge(row({}, transcript_flags=["quiet", "loop"], sync_residual_ms=80.0), rules, SEEN)
    assert verdict.reasons == ("words (transcript_flags loop)", "out of sync (sync_residual_ms 80 > 20)")


def test_faces_are_judged_only_where_the_session_shows_some():
    nobody = row({"face_share": 0.0})
    assert judge(nobody, read_profile(), {"left": False, "right": False}).keep
    assert not judge(nobody, read_profile(), SEEN).keep
    rows = [row({"face_share": share}, {"face_share": None}) for share in (1.0, 0.0)]
    assert faces_seen(rows) == {"left": True, "right": False}


def test_a_clip_is_compared_with_what_is_usual_on_its_side(tmp_path):
    rules = profile(tmp_path, '[[rule]]\nfault = "blurred"\nmeasure = "sharpness"\nmin_of_usual = 0.7\n')
    rows = [row({"sharpness": sharp}, {"sharpness": 1.2}) for sharp in (2.0, 2.0, 1.3, 1.5)]
    usual = usual_of(rows, rules)
    assert [judge(each, rules, SEEN, usual).reasons for each in rows] == [
        (),
        (),
        ("left: blurred (sharpness 1.3 < 70 % of the session's usual 2)",),
        (),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[[rule]]\nfault = "f"\nmeasure = "sharpness"\n', "no bound"),
        ('[[rule]]\nfault = "f"\nmeasure = "sharpness"\nmin = "low"\n', "low"),
        ('[[rule]]\nfault = "f"\nmeasur = "sharpness"\nmin = 1\n', "measur"),
        ('[[rule]]\nfault = "f"\nmeasure = "sharpnes"\nmin = 1\n', "nearest is 'sharpness', of a side"),
        ('[[rule]]\nfault = "f"\nmeasure = "sync_residual_ms"\nmax = 1\n', 'of = "clip"'),
        (
            '[[rule]]\nfault = "f"\nmeasure = "sync_residual_ms"\nof = "clip"\nmin_of_usual = 1\n',
            "found min_of_usual",
        ),
        ('[[rule]]\nfault = "f"\nmeasure = "face_box"\nmax = 1\n', "expected a measure of a side"),
        ('[[rule]]\nfault = "f"\nmeasure = "transcript_flags"\nof = "clip"\nmax = 1\n', "none_of, found max"),
        ('[[rule]]\nfault = "f"\nmeasure = "snr_db"\nnone_of = ["a"]\n', "found none_of"),
        ('[[rule]]\nfault = "f"\nmeasure = "sharpness"\nmin = nan\n', "finite number"),
        ('[[rule]]\nfault = "f"\nmeasure = "sharpness"\nmin = true\n', "decimal number, found true"),
        ('[[rule]]\nfault = "f"\nmeasure = "face_share"\nmin = 30\n', "share, 0 to 1, found 30"),
        ('[[rule]]\nfault = "f"\nmeasure = "frozen_frames"\nmax_share = 15\n', "max_share: expected a share"),
        ('[[rule]]\nfault = "f"\nmeasure = "snr_db"\nmax_share = 0.1\n', "bound of snr_db: min, max, found"),
        ('[[rule]]\nfault = "f"\nmeasure = "exposure"\nmin = 0.8\nmax = 0.2\n', "min 0.8, max 0.2"),
        (
            '[[rule]]\nfault = "f"\nmeasure = "sync_residual_ms"\nof = "clip"\nmax = 1\nneeds_face = true\n',
            "needs_face",
        ),
        ("rule = ", "Invalid value"),
        ("rule = " + 10_000 * "[", "recursion"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_place(tmp_path, text, found):
    with pytest.raises(DescriptionError, match=found):
        profile(tmp_path, text)


def test_a_profile_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(DescriptionError, match="--profile"):
        read_profile(tmp_path / "none.toml")
