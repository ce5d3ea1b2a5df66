"""The tests see the installed package, editable or not, never the sources in the clone.

`python -m pytest` puts the current folder first on the path. There, the clone's own folder `lowlat`, which is only a
part of the installed package, would stand in front of it. Last it is of use: processes that are spawned find `tests`.
"""

from __future__ import annotations

import sys
from pathlib import Path

_CLONE = Path(__file__).resolve().parents[1]

sys.path[:] = [*(entry for entry in sys.path if Path(entry or ".").resolve() != _CLONE), str(_CLONE)]
