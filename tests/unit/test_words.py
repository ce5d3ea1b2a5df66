"""The terms of the field: words that this project once had for them stay out of what is shown and read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from lowlat import units

ROOT: Final = Path(__file__).parents[2]

OLD_TERMS: Final = {
    r"held against": "baseline",
    r"around nothing": "timer overhead, loop ceiling",
    r"\b(re)?stamped\b": "timed",
    r"\btime[- ]stamps?\b(?!ed| counter)": "timestamp",
    r"\bone read costs\b": "timer cost",
    r"\bsteps of \d": "resolution",
    r"\bseeds? the book\b": "warm-up, populate the book",
    r"\bof a single run\b": "min-max of runs",
    r"\ba few samples' luck\b": "not significant",
    r"disturb": "OS noise, noisy",
    r"what came between": "interference",
    r"\bslips?\b": "scheduling delay",
    r"\bplanned (start|time)": "intended start time",
    r"\bby plan\b": "auto-selected",
    r"\balone on (its|their) (core|cpu)": "no SMT sibling in use",
    r"\b(when|pool) dry\b|\bdry pool": "on pool exhaustion",
    r"\bcarried out\b": "executed",
    r"\baggress\b": "aggressive",
    r"\bwould need (a )?network\b": "incomplete, not measured",
    r"\btiers?\b": "budget class",
    r"\badvice\b": "not gated, informational",
    r"\bwhole runs\b": "per run",
    r"\bmust not be believed\b": "invalid: discard",
    r"\bleft to us\b": "available to this process",
    r"\bbecome a command\b": "run a command pinned to CPUs",
    r"\bbe the peer\b": "run as the echo responder",
    r"\bwell spent\b": "recommended",
    r"\bword in quotes\b": "quote each command as one argument",
    r"\bin turn\b": "interleaved, alternating",
    r"\bbeside itself\b": "A/A, false-positive rate",
    r"\bfinds \+\d": "power to detect",
    r"\bpictures?\b": "chart",
    r"\bhold the pointer\b": "hover",
    r"\bflood": "order flow, load",
    r"\bit said nothing\b": "no output on stderr",
    r"\bwraps a complete\b": "ships its own",
    r"(?<!there\s)\b(is|are|was) no (command|file|gate|journal|number|option|profile|regular|report)\b": "is not a",
    r"\bDid you mean [^?]*\?;": "Did you mean ...? See",
}
"""Old terms as patterns, whatever their case, each with the term of the field."""

_PATTERNS: Final = {old.lower().replace(" ", r"\s+"): better for old, better in OLD_TERMS.items()}
"""For texts in lower case."""

_SHOWN: Final = re.compile(r"<!-- shows: .*?<!-- end -->", re.DOTALL)
"""Output of commands in the documentation: generated, of sources that are read here themselves."""


def _texts() -> Iterator[tuple[str, str]]:
    packages = [path for name in ("lowlat", "lowlat_cli", "engine", "reports", "probes") for path in _sources(name)]
    prose = [
        *sorted((ROOT / "docs").rglob("*.md")),
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
    ]
    for path in (*packages, *prose, ROOT / "pyproject.toml"):
        yield str(path.relative_to(ROOT)), _SHOWN.sub(_blank, path.read_text("utf-8"))


def _sources(package: str) -> Iterator[Path]:
    kinds = {".py", ".pyi", ".html", ".css", ".js", ".json", ".toml", ".hpp", ".cpp", ".h"}
    for path in sorted((ROOT / package).rglob("*")):
        if path.suffix in kinds and path.is_file() and not any(part.endswith(".min.js") for part in path.parts):
            yield path


def _blank(found: re.Match[str]) -> str:
    """As many lines without text."""
    return "\n" * found[0].count("\n")


def old_terms(text: str) -> list[tuple[int, str, str]]:
    """The line, the old term and the better one, of each old term in a text; a term may wrap."""
    joined = re.sub(r"(?<=\w)\n[ \t/#*>]*(?=\w)", lambda gap: " " * len(gap[0]), text)
    lowered = joined.lower()
    return [
        (text.count("\n", 0, found.start()) + 1, joined[slice(*found.span())], better)
        for pattern, better in _PATTERNS.items()
        # `re` looks for a letter first, which is most of the work, several times faster than for a border of a word.
        if re.search(pattern.removeprefix(r"\b"), lowered)
        for found in re.finditer(pattern, lowered)
    ]


def test_no_old_term_is_left() -> None:
    found = [
        f"{name}:{line}: {old!r} is called: {better}"
        for name, text in _texts()
        for line, old, better in old_terms(text)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("sentence", "old"),
    [
        ("Throughput is held against baselines.", "held against"),
        ("2 of 5 runs were Disturbed.", "Disturb"),
        ("/// What the host\n/// disturbs", "disturb"),
        ("the commands are measured in\n    turn, one after the other", "in turn"),
        ("x.journal is no journal", "is no journal"),
        ("a floodgate", "flood"),
        ("no such command 'benhc'. Did you mean 'bench'?; see 'lowlat --help'", "Did you mean 'bench'?;"),
        ("50,000 orders, refuse when dry", "when dry"),
    ],
)
def test_a_planted_term_is_found(sentence: str, old: str) -> None:
    assert [re.sub(r"\s+", " ", term) for _, term, _ in old_terms(sentence)] == [old]


def test_terms_of_the_field_are_none_of_them() -> None:
    text = (
        "baselines, timestamp, scheduling delay, noisy, timer overhead, dry run, by planning, there is no such command"
    )
    assert old_terms(text) == []


_COUNTED: Final = (
    "byte|CPU|run|page|period|column|row|line|command|order|thread|sample|level|event|file|pair|rate|symbol|record|tick|"
    "time|block|segment|core|node|message|point|operation|report|character|value|trade|pass|interval|producer|package|"
    "metric|look|update|match|switch|migration|fault|interrupt|error|participant|priority|second|minute|stage|attempt"
)
_PLURAL: Final = re.compile(rf"^ (?:[a-z-]+ )?(?:{_COUNTED})(?:e?s)\b")


def plurals_after_counts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and the noun of each f-string with a value and then a plural, which is wrong for 1.

    A constant is not looked at, nor a value with a unit of its own (`units.plural`), nor one with decimals.
    """
    for text in ast.walk(tree):
        if isinstance(text, ast.JoinedStr):
            for value, after in zip(text.values, text.values[1:], strict=False):
                noun = _PLURAL.match(str(after.value)) if isinstance(after, ast.Constant) else None
                if noun and isinstance(value, ast.FormattedValue) and _may_be_one(value):
                    yield value.lineno, f"{{{ast.unparse(value.value)}}}{noun[0]}"


def _may_be_one(value: ast.FormattedValue) -> bool:
    name = ast.unparse(value.value)
    decimals = value.format_spec is not None and re.search(r"\.\d|%", ast.unparse(value.format_spec))
    return not (name.rpartition(".")[2].isupper() or decimals or name.startswith(("units.", "layout.", "_span(")))


NEVER_ONE: Final = frozenset(
    {
        # More than a limit far above 1, or a size that cannot be 1.
        ("compression.py", "{bound.ratio} times"),
        ("text.py", "{len(line) - head - tail} characters"),
        ("cache_line.py", "{line.line_bytes} bytes"),
        ("cache_line.py", "{reading.value} bytes"),
        ("cpulist.py", "{len(text)} characters"),
        ("tar_reader.py", "{size} bytes"),
        ("nodes.py", "{len(ids)} nodes"),
        ("journal.py", "{check.size} bytes"),
        ("file.py", "{size} bytes"),
        ("header.py", "{file_bytes} bytes"),
        ("header.py", "{BOOK_HEADER['unit'].itemsize} characters"),
        ("arrivals.py", "{count} commands"),
        # 1 is handled before, or refused.
        ("calibrate.py", "{len(cpus)} CPUs"),
        ("pipeline_placement.py", "{len(cpus)} threads"),
        ("text_lines.py", "{cache.cpus} CPUs"),
        ("verdict.py", "{runs} runs"),
        ("comparison_lines.py", "{max(needed)} runs"),
        ("sequential_test.py", "{pairs} pairs"),
        ("sequential_test.py", "{test.pairs_max} pairs"),
        ("comparison_lines.py", "{most} pairs"),
        ("peer.py", "{sent} messages"),
        ("report_builder.py", "{outcome.throughput.commands} commands"),
        # Two counts, as in "10+10 runs".
        ("comparison_junit.py", "{lines.runs(metric)} runs"),
        ("comparison_lines.py", "{runs(metric)} runs"),
        # No counts: a name and a verb, or a list.
        ("topology.py", "{' or '.join(none)} pages"),
        ("level_updates.py", "{side.name} levels"),
        ("level_updates.py", "{dtype.names} records"),
        ("run.py", "{name} engine runs"),
        ("engine.py", "{self.path} records"),
        ("writer.py", "{side.name} levels"),
        ("gate.py", "{rule} matches"),
        ("hlog_reader.py", "{since_1970_s} seconds"),
        ("cache_line.py", "{', '.join(map(str, sorted(sizes)))} bytes"),
        ("threads.py", "{pid} creates threads"),
    }
)
"""The file and what it says, where a plural after a value is right for every value."""


def test_counts_agree_with_their_nouns() -> None:
    there = [
        (path, line, said)
        for package in ("lowlat", "lowlat_cli", "engine", "reports", "probes")
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, said in plurals_after_counts(ast.parse(path.read_text("utf-8")))
    ]
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {said}" for path, line, said in there if (path.name, said) not in NEVER_ONE
    ]
    assert not wrong, "use units.plural or units.counted:\n" + "\n".join(wrong)
    assert {(path.name, said) for path, _, said in there} == NEVER_ONE, "an exception that nobody needs"


@pytest.mark.parametrize(
    "wrong", ['f"{cpus} CPUs"', 'f"in {len(x)} scheduler periods"', 'f"{done:,} of {n:,} commands ran"']
)
def test_a_hard_coded_plural_is_found(wrong: str) -> None:
    assert list(plurals_after_counts(ast.parse(wrong)))


@pytest.mark.parametrize(
    "right",
    ["f\"{units.plural(n, 'CPU')} used\"", 'f"at most {RUNS_MAX} runs"', 'f"{share:.1f} times"', 'f"run {n} of {m}"'],
)
def test_a_count_with_its_noun_is_not(right: str) -> None:
    assert not list(plurals_after_counts(ast.parse(right)))


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (1, "CPU", "1 CPU"),
        (2, "CPU", "2 CPUs"),
        (0, "pass", "0 passes"),
        (1, "switch", "1 switch"),
        (3, "switch", "3 switches"),
    ],
)
def test_one_function_counts(count: int, noun: str, said: str) -> None:
    assert units.plural(count, noun) == units.counted(count, noun) == said


@pytest.mark.parametrize(("cpu_list", "said"), [("3", "CPU 3"), ("0-3", "CPUs 0-3"), ("0,8", "CPUs 0,8")])
def test_cpus_have_their_noun(cpu_list: str, said: str) -> None:
    assert units.cpus(cpu_list) == said
