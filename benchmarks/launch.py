"""Runs one command and writes what it cost: ``python -I -S launch.py RESULT.json COMMAND ...``.

A process of its own and small: what the system counts as a child's peak begins with what its parent held.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

begin = time.monotonic()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
child.returncode = os.waitstatus_to_exitcode(status)
result = {
    "wall_s": time.monotonic() - begin,
    "cpu_s": usage.ru_utime + usage.ru_stime,
    "peak_mb": usage.ru_maxrss * 1024 / 1e6,
}
Path(sys.argv[1]).write_text(json.dumps(result))
sys.exit(0 if child.returncode == 0 else 1)
