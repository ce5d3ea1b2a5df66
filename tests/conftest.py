"""The tests use the installed package, editable or not, never the sources in the clone.

`python -m pytest` puts the current folder first on the path. The clone's folder `lowlat`, which is only a part of the
installed package, would then hide it. The current folder goes last instead, so that spawned processes find `tests`.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_CLONE = Path(__file__).resolve().parents[1]

sys.path[:] = [*(entry for entry in sys.path if Path(entry or ".").resolve() != _CLONE), str(_CLONE)]

# The tests measure beside one another: they look at what is measured, not at figures.
os.environ["LOWLAT_NO_LOCK"] = "1"

# Bytecode is kept, also where the environment is against it: each process of a test would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Of the terminal that the tests run in; workers of pytest-xdist have it set.
os.environ.pop("COLUMNS", None)

# A shell ignores SIGINT in what it runs in the background, as nohup does SIGHUP, and processes inherit that: those of
# the tests would not hear the signals that they are sent.
for _number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number is signal.SIGINT else signal.SIG_DFL)

# Hypothesis's own limits of elapsed time: a busy machine would break them.
settings.register_profile("lowlat", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lowlat")


def pytest_collection_finish() -> None:
    """The thousands of tests stay until the end: no collection looks at them again, and no fork copies them for one."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that take longest, for what they build, come first, so that no worker is left alone with them."""
    items.sort(key=lambda item: item.path.name not in {"test_wheel.py", "test_native.py"})
