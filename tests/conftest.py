"""The tests use the installed package, editable or not, never the sources in the clone.

`python -m pytest` puts the current folder first on the path. The clone's folder `lowlat`, which is only a part of the
installed package, would then hide it. The current folder goes last instead, so that spawned processes find `tests`.
"""

from __future__ import annotations

import sys
from pathlib import Path

_CLONE = Path(__file__).resolve().parents[1]

sys.path[:] = [*(entry for entry in sys.path if Path(entry or ".").resolve() != _CLONE), str(_CLONE)]
