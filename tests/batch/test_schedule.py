"""Who starts when: pure logic, on simulated durations."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, replace

import pytest

from emomedia.batch.needs import need_of
from emomedia.batch.schedule import Need, Room, starts
from emomedia.options import Options

SOUND = Need()
CUT = Need(1, 64)


def begun(waiting, room, taken=(), coming=0):
    return {
        key: grant.cores for key, grant in starts(list(waiting), waiting.__getitem__, room, taken, coming)
    }


def test_one_session_alone_has_every_core():
    assert begun({"a": CUT}, Room(8)) == {"a": 8}


def test_many_sessions_have_a_core_each_in_their_order():
    assert begun(dict.fromkeys("abcdef", CUT), Room(4)) == dict.fromkeys("abcd", 1)


def test_the_last_ones_share_the_cores():
    assert begun(dict.fromkeys("ab", CUT), Room(5)) == {"a": 2, "b": 3}


def test_a_core_is_left_for_the_cut_of_a_session_that_is_still_in_its_sound():
    assert begun({"a": CUT}, Room(8), [SOUND, SOUND], coming=2) == {"a": 2}


def test_no_task_has_more_cores_than_the_largest_machine():
    assert begun({"a": CUT}, Room(32, machine_cores=8)) == {"a": 8}


def test_memory_limits_the_cores_of_a_cut():
    need = Need(1, 64, memory=100, core_memory=50)
    assert begun({"a": need}, Room(16, memory=260)) == {"a": 3}


def test_who_waits_for_memory_keeps_the_others_waiting():
    large = Need(memory=80)
    assert begun({"a": large, "b": SOUND}, Room(4, memory=100), [Need(memory=40)]) == {}


def test_who_waits_for_a_gpu_lets_the_others_pass():
    assert begun({"a": Need(gpus=1), "b": SOUND}, Room(4, gpus=1), [Need(gpus=1)]) == {"b": 1}


def test_what_is_too_large_for_the_room_runs_alone():
    large = Need(memory=1000)
    assert begun({"a": large}, Room(4, memory=100)) == {"a": 1}
    assert begun({"a": large}, Room(4, memory=100), [SOUND]) == {}
    assert begun({"a": SOUND, "b": large}, Room(4, memory=100)) == {"a": 1}


@dataclass
class Session:
    """Seconds of its sound stages, and seconds of one core that its cut takes."""

    name: str
    sound: float
    cut: float
    stage: str = "sound"


def simulate(sessions, room):
    """The time that it takes, and the share of the cores that is busy; needs are checked at every moment."""
    now, busy, running, waiting = 0.0, 0.0, [], list(sessions)
    needs = {"sound": SOUND, "cut": replace(need_of("cut", Options(), room), memory=2, core_memory=1)}
    while waiting or running:
        coming = sum(session.stage == "sound" for _, _, session, _ in running)
        keys = {session.name: session for session in waiting}
        needed = {name: needs[session.stage] for name, session in keys.items()}
        taken = [grant for *_, grant in running]
        for name, grant in starts(list(keys), needed.__getitem__, room, taken, coming):
            session = keys[name]
            waiting.remove(session)
            seconds = session.sound if session.stage == "sound" else session.cut / grant.cores
            busy += seconds * grant.cores
            heapq.heappush(running, (now + seconds, session.name, session, grant))
        assert sum(grant.cores for *_, grant in running) <= room.cores
        assert sum(grant.gpus for *_, grant in running) <= room.gpus
        assert len(running) == 1 or sum(grant.bytes for *_, grant in running) <= room.memory
        assert running, "something always runs"
        now, _, session, _ = heapq.heappop(running)
        if session.stage == "sound":
            session.stage = "cut"
            waiting.insert(sum(other.stage == "cut" for other in waiting), session)
    return now, busy / (now * room.cores)


@pytest.mark.parametrize(("cores", "gpus"), [(2, 0), (16, 0), (16, 1), (64, 4)])
def test_cores_are_kept_busy_over_many_sessions(cores, gpus):
    """Where GPUs allow for few cuts at a time, too."""
    rng = random.Random(cores)
    lengths = sorted((rng.uniform(0.3, 1.5) for _ in range(6 * cores)), reverse=True)
    sessions = [Session(f"{n:03}", 5 * length, 60 * length) for n, length in enumerate(lengths)]
    _, share = simulate(sessions, Room(cores, gpus))
    assert share >= 0.92


def test_everything_ends_where_memory_is_short():
    sessions = [Session(f"{n:03}", 1, 10) for n in range(20)]
    seconds, _ = simulate(sessions, Room(8, memory=7))
    assert seconds >= 20 * 10 / 3


def test_a_lone_session_is_not_slower_than_all_cores_allow():
    seconds, _ = simulate([Session("a", 1, 16)], Room(8))
    assert seconds == pytest.approx(1 + 2)
