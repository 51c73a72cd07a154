"""The same batch on a Ray cluster of several nodes, one of which dies amid the work."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

import many
from emomedia.batch.ledger import read
from emomedia.batch.ray_cluster import RayTasks
from emomedia.batch.run import run_batch
from emomedia.errors import DeviceError
from emomedia.options import Options

from .quiet import Quiet

pytest.importorskip("ray", reason="needs the extra ray")

OPTIONS = Options(preset="ultrafast")


@pytest.fixture
def cluster():
    """A head without cores of its own, and two nodes of one core each."""
    made, nodes = many.ray_cluster(2)
    yield made, nodes
    made.shutdown()


def kill_amid_a_task(made, node):
    """Take the node away, with all that runs on it at once, while one of its workers finds out who speaks.

    Otherwise a worker outlives its raylet for a moment, and its task may be done by then.
    """
    raylet = node.all_processes["raylet"][0].process.pid
    while not any("speech" in title for title in many.ray_workers(raylet).values()):
        time.sleep(0.05)
    for process in (raylet, *many.ray_workers(raylet)):
        os.kill(process, signal.SIGKILL)
    made.remove_node(node, allow_graceful=False)


def test_a_node_that_dies_costs_the_stage_in_flight_and_nothing_else(undisturbed, tmp_path, cluster):
    made, nodes = cluster
    threading.Thread(target=kill_amid_a_task, args=(made, nodes[0]), daemon=True).start()
    summary = run_batch([str(undisturbed.sound)], tmp_path, OPTIONS, Quiet(), ray=made.address)
    assert (summary.figures.done, len(summary.figures.failed)) == (3, 0)
    many.assert_as_undisturbed(tmp_path, undisturbed.sound_dataset(tmp_path))
    outcomes = [row["outcome"] for row in read(tmp_path)["attempts"]]
    assert "lost" in outcomes and set(outcomes) <= {"advanced", "lost", "crash", "passing"}


def test_an_address_without_a_cluster_is_an_error():
    with pytest.raises(DeviceError, match="ray start --head"):
        RayTasks("nowhere:port", OPTIONS)
