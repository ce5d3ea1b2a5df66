"""The `lowlat` command: parses arguments, calls the layers below, prints.

Before anything else, `lowlat` is looked up beside this package: a project of the user's may have a folder `lowlat`,
which PYTHONPATH puts in front of ours. `lowlat.child_process` does the same for the processes that we start.
"""

import sys
from pathlib import Path

_HOME = str(Path(__file__).parent.parent)
sys.path.insert(0, _HOME)
import lowlat  # noqa: E402, F401 (for its place)

sys.path.remove(_HOME)
