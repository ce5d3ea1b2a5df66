"""The `lowlat` command: parses arguments, calls the layers below, prints.

`lowlat` is imported from beside this package before anything else, because a user's project may have a folder `lowlat`
that PYTHONPATH puts first. `lowlat.child_process` does the same for child processes.
"""

import sys
from pathlib import Path

_HOME = str(Path(__file__).parent.parent)
sys.path.insert(0, _HOME)
import lowlat  # noqa: E402, F401 (for its place)

sys.path.remove(_HOME)
