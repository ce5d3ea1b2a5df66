"""The table of limits, from the constants of `lowlat/limits.py` and the sentences below them."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

from lowlat import limits, units


def table() -> str:
    """A row for each limit, in the order of the module: kind of file, what is limited, limit, remark."""
    rows = [f"| {kind} | {what} | {limit} | {remark} |" for kind, what, limit, remark in _rows()]
    return "\n".join(["| file | what | at most | |", "|---|---|--:|---|", *rows])


def _rows() -> Iterator[tuple[str, str, str, str]]:
    body = ast.parse(Path(limits.__file__).read_text(encoding="utf-8")).body
    for constant, sentence in itertools.pairwise(body):
        if isinstance(constant, ast.AnnAssign) and isinstance(constant.target, ast.Name):
            assert isinstance(sentence, ast.Expr) and isinstance(sentence.value, ast.Constant), constant.target.id
            kind, _, rest = " ".join(str(sentence.value.value).split()).partition(": ")
            what, _, remark = rest.partition(". ")
            value: int = getattr(limits, constant.target.id)
            shown = units.whole_size(value) if "_BYTES_" in constant.target.id else f"{value:,}"
            yield kind, what.rstrip("."), shown, remark
