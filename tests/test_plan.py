"""The plan against an oracle that knows sets of frames and nothing else."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emomedia import plan as plan_module
from emomedia.errors import DescriptionError
from emomedia.plan import Chunk, Clip, Plan, Span, make_plan
from emomedia.plan_file import from_body, to_body
from emomedia.session import Dialogue
from emomedia.turns import Turn, TurnsFile

RATES = [Fraction(1), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(50)]
TARGET = 7
"""Frames of a chunk in these tests, where dialogues are short."""
GOP = 50


def turn(name, start, end, *, dialogue=None, speaker="left"):
    return Turn(name, dialogue, speaker, Fraction(start), Fraction(end))


def dialogue(name, start, end):
    return Dialogue(name, Fraction(start), Fraction(end))


def turns_file(*turns, dialogues=()):
    return TurnsFile("s", tuple(turns), tuple(dialogues))


def clip_of(plan, name):
    return next(clip for clip in plan.clips if clip.id == name)


def frames_of(clip):
    return list(range(clip.first_frame, clip.first_frame + clip.frame_count))


# --- what a checked description can say: times in thirds of a frame or so, dialogues apart, nothing that
# is said overlapping what is excluded


@st.composite
def stretches(draw, count, rate, length):
    """Disjoint stretches of time, sometimes touching, in order."""
    ticks = st.integers(0, length * 3)
    edges = sorted(draw(st.lists(ticks, min_size=2 * count, max_size=2 * count)))
    pairs = [(edges[2 * k], edges[2 * k + 1]) for k in range(count)]
    return [(Fraction(a, 3) / rate, Fraction(b, 3) / rate) for a, b in pairs if a < b]


@st.composite
def inputs(draw, length=24):
    """Arguments of make_plan as load_session and check_turns let them pass."""
    rate = draw(st.sampled_from(RATES))
    parts = draw(stretches(draw(st.integers(0, 6)), rate, length))
    kinds = draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    excluded = [part for part, out in zip(parts, kinds, strict=True) if out]
    dialogues = [
        Dialogue(f"d{k}", *part)
        for k, part in enumerate(part for part, out in zip(parts, kinds, strict=True) if not out)
    ]
    first = draw(st.integers(0, 5))
    footage = first, first + draw(st.integers(0, length))
    turns = []
    for k in range(draw(st.integers(0, 8))):
        start, end = sorted(draw(st.tuples(*2 * [st.integers(first * 3, footage[1] * 3)])))
        home = draw(st.sampled_from([*dialogues, None])) if dialogues else None
        a, b = Fraction(start, 3) / rate, Fraction(end, 3) / rate
        strays = home is not None and (b <= home.start or home.end <= a)
        if a < b and not strays and not any(x < b and a < y for x, y in excluded):
            turns.append(
                Turn(f"a{k}", home.id if home else None, draw(st.sampled_from(["left", "right"])), a, b)
            )
    pad = Fraction(draw(st.integers(0, 10)), 3) / rate
    return TurnsFile("s", tuple(turns), tuple(dialogues)), excluded, rate, footage, pad, GOP


# --- the oracle


def touched(start, end, rate, horizon=range(-5, 40)):
    """The frames n whose time [n/r, (n+1)/r) shares some time with [start, end)."""
    return {n for n in horizon if n / rate < end and start < (n + 1) / rate}


def expected_frames(turns_file, excluded, rate, footage, pad, _gop):
    """For each id its set of frames, by the words of the design."""
    shown = set(range(*footage)) - {n for stretch in excluded for n in touched(*stretch, rate)}
    said = {d.id: touched(d.start, d.end, rate) & shown for d in turns_file.dialogues}
    wanted = dict(said)
    for one in turns_file.turns:
        own = touched(one.start, one.end, rate) & shown
        padded = touched(one.start - pad, one.end + pad, rate) & shown
        if one.dialogue is not None:
            padded &= said[one.dialogue] | own
        wanted[one.id] = own | {n for n in padded if own and all(m in padded for m in between(n, own))}
    return {name: frames for name, frames in wanted.items() if frames}


def between(n, own):
    return range(n, min(own)) if n < min(own) else range(max(own) + 1, n + 1)


def planned(arguments):
    with mock.patch.object(plan_module, "chunk_frames", lambda *_: TARGET):
        return make_plan(*arguments)


@given(inputs())
@settings(max_examples=400, deadline=None)
def test_clips_have_the_frames_that_the_design_demands(arguments):
    plan = planned(arguments)
    assert {clip.id: set(frames_of(clip)) for clip in plan.clips} == expected_frames(*arguments)


@given(inputs())
@settings(max_examples=200, deadline=None)
def test_spans_cover_each_clip_exactly_and_nothing_else(arguments):
    plan = planned(arguments)
    frames = [list(range(span.first_frame, span.end_frame)) for span in plan.spans]
    everything = [n for span in frames for n in span]
    assert everything == sorted(set(everything)), "disjoint and in order"
    assert all(frames), "no span is empty"
    for clip in plan.clips:
        own = frames[clip.first_span : clip.first_span + clip.span_count]
        assert [n for span in own for n in span] == frames_of(clip)
    assert set(everything) == {n for clip in plan.clips for n in frames_of(clip)}


@given(inputs())
@settings(max_examples=200, deadline=None)
def test_spans_are_cut_at_every_cut_point_and_where_they_are_long(arguments):
    plan = planned(arguments)
    cut_points = sorted({n for clip in plan.clips for n in (clip.first_frame, clip.end_frame)})
    shown = {n for clip in plan.clips for n in frames_of(clip)}
    expected = set(cut_points)
    for first, end in pairwise(cut_points):
        if first in shown:
            expected |= {n for n in range(first, end - 1) if (n - first) % TARGET == 0}
    edges = {n for span in plan.spans for n in (span.first_frame, span.end_frame)}
    assert edges == expected


@given(inputs())
@settings(max_examples=400, deadline=None)
def test_chunks_are_runs_of_spans_with_sound_edges(arguments):
    plan = planned(arguments)
    spans = plan.spans
    chunk_of = [k for k, chunk in enumerate(plan.chunks) for _ in plan.chunk_spans(chunk)]
    assert chunk_of == sorted(chunk_of)
    assert [chunk.first_span for chunk in plan.chunks] == [chunk_of.index(k) for k in range(len(plan.chunks))]
    assert len(chunk_of) == len(spans)
    dialogue_edges = {
        n for clip in plan.clips if clip.kind == "dialogue" for n in (clip.first_frame, clip.end_frame)
    }
    in_chunk = 0
    for k in range(len(spans) - 1):
        here, there = spans[k], spans[k + 1]
        in_chunk += here.frame_count
        cut = chunk_of[k] != chunk_of[k + 1]
        shared = any({here.end_frame - 1, here.end_frame} <= set(frames_of(clip)) for clip in plan.clips)
        if here.end_frame < there.first_frame:
            assert cut, "a chunk has no gap"
        elif shared and 1 in (here.frame_count, there.frame_count):
            assert not cut, "no clip goes over an edge beside a one-frame span"
        elif here.end_frame in dialogue_edges:
            assert cut, "no chunk goes over a dialogue's edge"
        else:
            assert cut == (in_chunk + there.frame_count > TARGET), (
                "a chunk ends before it gets too long, not sooner"
            )
        in_chunk = 0 if cut else in_chunk


@given(inputs(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_turns_does_not_matter(arguments, random):
    file, excluded, *others = arguments
    turns, dialogues, excluded = list(file.turns), list(file.dialogues), list(excluded)
    plan = planned(arguments)
    for values in (turns, dialogues, excluded):
        random.shuffle(values)
    shuffled = replace(file, turns=tuple(turns), dialogues=tuple(dialogues))
    assert planned((shuffled, excluded, *others)) == plan == planned(arguments)
    order = [(clip.first_frame, clip.kind == "turn", clip.id) for clip in plan.clips]
    assert order == sorted(order)


@given(inputs())
@settings(max_examples=150, deadline=None)
def test_other_turns_cost_the_chunks_of_their_dialogue_only(arguments):
    file, excluded, rate, footage, pad, gop = arguments
    if not file.dialogues:
        return
    file = replace(file, turns=tuple(turn for turn in file.turns if within_its_dialogue(turn, file)))
    arguments = file, excluded, rate, footage, pad, gop
    changed = file.dialogues[0].id
    fewer = replace(file, turns=tuple(turn for turn in file.turns if turn.dialogue != changed))
    before, after = planned(arguments), planned((fewer, excluded, rate, footage, pad, gop))
    spared = [
        {tuple(plan.chunk_spans(chunk)) for chunk in plan.chunks if not meets(plan, chunk, changed)}
        for plan in (before, after)
    ]
    assert spared[0] == spared[1]


def within_its_dialogue(turn, file):
    homes = [dialogue for dialogue in file.dialogues if dialogue.id == turn.dialogue]
    return all(home.start <= turn.start and turn.end <= home.end for home in homes)


def meets(plan, chunk, name):
    """Whether the chunk has a frame of dialogue `name`, or is tied to one by a clip over its edge."""
    frames = {n for span in plan.chunk_spans(chunk) for n in range(span.first_frame, span.end_frame)}
    clips = [set(frames_of(clip)) for clip in plan.clips]
    tied = set(frames)
    while grown := {n for clip in clips if clip & tied for n in clip} - tied:
        tied |= grown
    return any(clip.id == name and set(frames_of(clip)) & tied for clip in plan.clips)


@given(
    st.lists(st.tuples(st.integers(-200, 900), st.integers(1, 200), st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(-200, 900), st.integers(-5, 200)), max_size=5),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
    st.integers(0, 30),
)
@settings(max_examples=200, deadline=None)
def test_any_input_gives_a_sound_plan(parts, excluded, footage, pad):
    """Even what check_turns would refuse."""
    dialogues = [
        dialogue(f"d{k}", Fraction(a, 9), Fraction(a + n, 9)) for k, (a, n, d) in enumerate(parts) if d
    ]
    turns = [
        turn(f"t{k}", Fraction(a, 9), Fraction(a + n, 9), dialogue=f"d{k - 1}")
        for k, (a, n, d) in enumerate(parts)
        if not d
    ]
    out = [(Fraction(a, 9), Fraction(a + n, 9)) for a, n in excluded]
    arguments = turns_file(*turns, dialogues=dialogues), out, Fraction(3), footage, Fraction(pad, 9), GOP
    plan = planned(arguments)
    shown = set(range(*footage)) - {n for a, b in out if a < b for n in touched(a, b, Fraction(3), range(60))}
    assert {n for clip in plan.clips for n in frames_of(clip)} <= shown
    body = json.loads(json.dumps(to_body(plan)))
    assert from_body(body, Path("plan.json")) == plan


# --- single cases, by hand


def test_nothing_wanted_gives_an_empty_plan():
    plan = make_plan(turns_file(), [], Fraction(25), (0, 1000), Fraction(1, 10), GOP)
    assert (plan.spans, plan.chunks, plan.clips) == ((), (), ())


def test_a_turn_covers_the_frames_that_it_touches():
    plan = make_plan(turns_file(turn("t", "12.44", "14.98")), [], Fraction(25), (0, 1000), Fraction(0), GOP)
    assert plan.clips == (Clip("t", "turn", None, "left", 311, 375 - 311, 0, 2),)


def test_padding_ends_at_the_dialogue_and_at_the_footage():
    file = turns_file(
        turn("a", "1.04", 2, dialogue="d"),
        turn("b", 2, "2.98", dialogue="d", speaker="right"),
        dialogues=[dialogue("d", 1, 3)],
    )
    plan = make_plan(file, [], Fraction(25), (0, 1000), Fraction(1, 10), GOP)
    assert frames_of(clip_of(plan, "a"))[0] == 25
    assert frames_of(clip_of(plan, "b"))[-1] == 74
    told = [(clip.id, clip.kind, clip.dialogue, clip.speaker) for clip in plan.clips]
    assert told == [("d", "dialogue", "d", None), ("a", "turn", "d", "left"), ("b", "turn", "d", "right")]
    short = make_plan(turns_file(turn("a", 1, 2)), [], Fraction(25), (24, 51), Fraction(1), GOP)
    assert frames_of(short.clips[0]) == list(range(24, 51))


def test_padding_ends_at_what_is_excluded_and_own_frames_yield_to_it():
    excluded = [(Fraction("2.01"), Fraction(4))]
    plan = make_plan(
        turns_file(turn("a", 1, "2.01")), excluded, Fraction(25), (0, 1000), Fraction(1, 10), GOP
    )
    assert frames_of(plan.clips[0]) == list(range(22, 50)), "frame 50 shows 2.00 to 2.04"


def test_a_clip_that_is_torn_apart_keeps_its_longest_part_the_first_of_equals():
    """check_turns refuses such turns; the plan is total all the same."""
    excluded = [(Fraction(1), Fraction(2)), (Fraction(5), Fraction(6)), (Fraction(9), Fraction(10))]
    plan = make_plan(turns_file(turn("a", 0, 10)), excluded, Fraction(10), (0, 100), Fraction(1), GOP)
    assert frames_of(plan.clips[0]) == list(range(20, 50))


def test_overlapping_turns_share_their_spans():
    plan = make_plan(
        turns_file(turn("a", 0, 2), turn("b", 1, 3)), [], Fraction(10), (0, 100), Fraction(0), GOP
    )
    assert plan.spans == (Span(0, 10), Span(10, 10), Span(20, 10))
    assert [(clip.first_span, clip.span_count) for clip in plan.clips] == [(0, 2), (1, 2)]
    assert plan.chunks == (Chunk(0, 3),)


def test_dialogues_that_share_a_frame_share_a_chunk():
    both = [dialogue("d1", 0, "1.05"), dialogue("d2", "1.05", 2)]
    plan = make_plan(turns_file(dialogues=both), [], Fraction(10), (0, 100), Fraction(0), GOP)
    assert plan.spans == (Span(0, 10), Span(10, 1), Span(11, 9))
    assert plan.chunks == (Chunk(0, 3),)
    apart = [dialogue("d1", 0, 1), dialogue("d2", 1, 2)]
    plan = make_plan(turns_file(dialogues=apart), [], Fraction(10), (0, 100), Fraction(0), GOP)
    assert plan.chunks == (Chunk(0, 1), Chunk(1, 1))


def chunk_lengths(plan):
    return [sum(span.frame_count for span in plan.chunk_spans(chunk)) for chunk in plan.chunks]


def test_a_long_dialogue_has_several_chunks_of_the_documented_length():
    turns = [turn(f"t{k}", 3 * k, 3 * k + 3, dialogue="d") for k in range(10)]
    file = turns_file(*turns, dialogues=[dialogue("d", 0, 33)])
    plan = make_plan(file, [], Fraction(25), (0, 1000), Fraction(0), GOP)
    assert [span.frame_count for span in plan.spans] == 11 * [50, 25]
    assert chunk_lengths(plan) == 11 * [50, 25]


def test_a_dialogue_without_turns_is_shared_out_at_its_idr_pictures():
    file = turns_file(dialogues=[dialogue("d", 1, "13.04")])
    plan = make_plan(file, [], Fraction(25), (0, 1000), Fraction(0), GOP)
    spans = [(span.first_frame, span.frame_count) for span in plan.spans]
    assert spans == [(25, 50), (75, 50), (125, 50), (175, 50), (225, 50), (275, 51)], "no lone last frame"
    assert chunk_lengths(plan) == 5 * [50] + [51]
    assert (plan.clips[0].first_span, plan.clips[0].span_count) == (0, 6)


@pytest.mark.parametrize(
    ("rate", "gop", "frames"), [(25, 50, 50), (25, 12, 60), (25, 250, 250), (50, 100, 100), (1, 1, 2)]
)
def test_a_chunk_is_long_enough_after_whole_gops(rate, gop, frames):
    assert plan_module.chunk_frames(Fraction(rate), gop) == frames


def test_a_plan_of_one_chunk_and_unsplit_spans_is_taken():
    """As plans were before long spans were split; the user may have edited one."""
    body = to_body(
        make_plan(turns_file(dialogues=[dialogue("d", 0, 40)]), [], Fraction(25), (0, 1000), Fraction(0), GOP)
    )
    whole = body | {"spans": [[0, 1000]], "chunks": [[0, 1]], "clips": [body["clips"][0] | {"span_count": 1}]}
    assert from_body(whole, Path("plan.json")).chunks == (Chunk(0, 1),)


def test_two_thousand_overlapping_clips_take_no_time():
    turns = [turn(f"t{k:04}", 2 * k, 2 * k + 7, dialogue=f"d{k // 50}") for k in range(2000)]
    dialogues = [dialogue(f"d{k}", 100 * k, 100 * k + 100) for k in range(41)]
    excluded = [(Fraction(5000 + k), Fraction(5000 + k) + Fraction(1, 2)) for k in range(500)]
    start = time.process_time()
    plan = make_plan(
        turns_file(*turns, dialogues=dialogues), excluded, Fraction(25), (0, 102_500), Fraction("0.1"), GOP
    )
    assert time.process_time() - start < 0.8
    assert len(plan.clips) == 2041
    assert sum(span.frame_count for span in plan.spans) == 102_500


# --- plan.json


def small_plan(rate: Fraction = Fraction(30000, 1001)) -> Plan:
    file = turns_file(
        turn("a", 0, 2, dialogue="d"),
        turn("b", 1, 3, dialogue="d"),
        turn("c", 5, 6),
        dialogues=[dialogue("d", 0, 4)],
    )
    return make_plan(file, [], rate, (0, 500), Fraction(0), GOP)


def test_a_plan_of_a_take_in_nanoseconds_is_read_back():
    plan = small_plan(Fraction(10**9, 33425813))
    assert from_body(to_body(plan), Path("plan.json")) == plan


def test_plan_json_is_read_back_as_it_was():
    body = json.loads(json.dumps(to_body(small_plan())))
    assert body["rate"] == "30000/1001"
    assert from_body(body | {"made_from": {}}, Path("plan.json")) == small_plan()


def spoiled(body, *path, value):
    *way, last = path
    inner = body
    for part in way:
        inner = inner[part]
    inner[last] = value
    return body


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("rate",), "25", "rate"),
        (("spans", 0), [0, 0], "spans[0]"),
        (("spans", 0), [0, 1000], "spans[0]"),
        (("spans", 1), [3, 4], "spans[1]"),
        (("spans", 1), [3.0, 4], "spans[1]"),
        (("clips", 1, "frame_count"), 1, "clips[1]"),
        (("clips", 3, "span_count"), 99, "clips[3]"),
        (("spans", 3), [92, 28], "clips[0]"),
        (("clips", 1, "span_count"), 0, "clips[1]"),
        (("clips", 1, "id"), "d", "clips[1].id"),
        (("clips", 1, "id"), "../d", "clips[1].id"),
        (("clips", 1, "kind"), "scene", "clips[1].kind"),
        (("clips", 1, "spans"), 1, "clips[1].spans"),
        (("chunks",), [[0, 5]], "chunks[0]"),
        (("chunks",), [[1, 4], [0, 1]], "chunks[0]"),
        (("chunks",), [[0, 4]], "chunks"),
        (("chunks",), [[0, 4], [4, 2]], "chunks[1]"),
        (("chunks",), [[0, 4], [4, 0], [4, 1]], "chunks[1]"),
    ],
)
def test_an_impossible_plan_json_is_refused_at_the_key(path, value, key):
    body = spoiled(json.loads(json.dumps(to_body(small_plan()))), *path, value=value)
    with pytest.raises(DescriptionError) as caught:
        from_body(body, Path("plan.json"))
    assert caught.value.subject == f"plan.json: {key}"


def test_a_plan_json_may_not_have_an_edge_beside_a_one_frame_span_of_a_clip():
    both = [dialogue("d1", 0, "1.05"), dialogue("d2", "1.05", 2)]
    body = to_body(make_plan(turns_file(dialogues=both), [], Fraction(10), (0, 100), Fraction(0), GOP))
    with pytest.raises(DescriptionError, match=r"chunks\[0\]"):
        from_body(body | {"chunks": [[0, 1], [1, 2]]}, Path("plan.json"))
