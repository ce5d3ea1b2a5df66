"""Builds and installs small packages as wheels with pip, without a network or a build backend."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.waiting import PATIENCE_S

SOURCE = Path(__file__).with_name("toy_venue.py")


def install(target: Path, name: str, entry_points: str, module: Path | None = None) -> None:
    """Install a package with this name, these entry points and one module into a folder for PYTHONPATH."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": entry_points,
    }
    if module is not None:
        files[module.name] = module.read_text(encoding="utf-8")
    wheel = target / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    target.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(map(_record, files, files.values())) + f"{info}/RECORD,,\n")
    pip = [sys.executable, "-P", "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "--target", target, wheel], check=True, capture_output=True, timeout=PATIENCE_S)
    wheel.unlink()


def _record(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(text.encode())}\n"
