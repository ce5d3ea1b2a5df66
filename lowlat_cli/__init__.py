"""The `lowlat` command: parses arguments, calls the layers below, prints.

`lowlat` is imported from beside this package before anything else, because a user's project may have a folder `lowlat`
that PYTHONPATH puts first. `lowlat.child_process` does the same for child processes.
"""

import sys

_HOME = __file__.removesuffix("/lowlat_cli/__init__.py")  # needs no module, which PYTHONPATH could replace
sys.path.insert(0, _HOME)
import lowlat  # noqa: E402, F401 (for its place)

sys.path.remove(_HOME)
