"""Many sessions into one output folder, with the machine kept busy: ``emomedia batch``.

Each task brings one session's next stage up to date, in a worker's process.  Whether a stage is fresh is for
the pipeline to decide (:mod:`emomedia.stages`); this package decides who does what next, and keeps a ledger.

``sessions`` finds the descriptions, ``needs`` says what a stage takes, ``schedule`` which task may start
(pure), ``task`` does one, ``workers`` and ``ray_cluster`` are where tasks run, ``ledger`` remembers,
``space`` watches the disk, ``progress`` counts, and ``head`` is the loop that joins them.
"""
