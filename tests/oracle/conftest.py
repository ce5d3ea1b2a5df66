"""Finds recorded order flow, which is not part of the project because it may not be redistributed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Path]:
    """Gives the path of a recorded file; skips, saying why, where it is absent.

    The folder is `LOWLAT_FLOW_DIR`, by default `../shared/data` from the project's root.
    """
    folder = Path(os.environ.get("LOWLAT_FLOW_DIR", _ROOT / "../shared/data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"recorded order flow is absent: no {name} in {folder} (set LOWLAT_FLOW_DIR)")
        return path

    return find
