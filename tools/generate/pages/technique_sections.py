"""The sections of the page on techniques, in the words of the catalog of `lowlat ablate`."""

from __future__ import annotations

from collections.abc import Iterator

from lowlat.engine.ablation.catalog import BY_NAME
from lowlat.engine.ablation.technique import Technique
from lowlat.engine.bench.engines import engine_entry


def sections() -> str:
    """A section for each technique, and for the control."""
    return "\n\n".join("\n".join(_section(each)) for each in BY_NAME.values())


def _section(technique: Technique) -> Iterator[str]:
    yield f"## {technique.title[0].upper()}{technique.title[1:]} {{#{technique.name}}}"
    yield ""
    yield f"`lowlat ablate --only {technique.name}`"
    yield ""
    yield f"{technique.why} {technique.mechanism}"
    yield ""
    yield f"- **With**: {technique.with_it}."
    yield f"- **Without**: {technique.without}."
    yield f"- **Measured**: {_FIGURES[technique.decides]} per {technique.operation}."
    yield from _around(technique)
    yield f"- **Where it does not help**: {technique.limits[0].lower()}{technique.limits[1:]}"


def _around(technique: Technique) -> Iterator[str]:
    if technique.around is None:
        return
    if technique.around.measure is None:
        yield "- **Around another engine** (`--engine`): the same."
        return
    other = technique.for_engine(SOMEBODY_ELSES)
    yield (
        f"- **Around another engine** (`--engine`): {other.with_it}; or {other.without}. "
        f"{_FIGURES[other.decides]} per {other.operation}."
    )


SOMEBODY_ELSES = engine_entry("reference")
_FIGURES = {
    "cpu": "CPU time",
    "wall": "elapsed time",
    "throughput": "rate",
    "p50": "median time",
    "p99": "99th percentile of the time",
    "p99.9": "99.9th percentile of the time",
}


if __name__ == "__main__":
    print(sections())
