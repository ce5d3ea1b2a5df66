"""Whatever a program prints comes back as the histogram of its latencies, or as an error that names the line.

The oracle is a loop over exact fractions and the package `hdrhistogram`; readers that lose a line at the border of a
block, cut instead of round, or skip too little are rejected.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from lowlat.errors import FormatError, UsageError
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.hdr_codec import decode
from lowlat.reports.histogram.histogram import Histogram
from lowlat.reports.model.series import histogram_of
from lowlat.reports.recording import row_reader, text_reader
from lowlat.reports.recording.layout import Layout
from lowlat.reports.recording.recorder import LatencyRecorder
from lowlat.reports.recording.text_reader import POWERS, LineReader, Unit

UNITS: tuple[Unit, ...] = ("ns", "us", "ms", "s")
Reader = Callable[[LatencyRecorder, Unit], text_reader.TextReader]


def nanoseconds(text: str, unit: Unit) -> int:
    """Whole nanoseconds of a decimal number, halves up."""
    return math.floor(Fraction(text) * 10 ** POWERS[unit] + Fraction(1, 2))


@st.composite
def numbers(draw: st.DrawFn, unit: Unit) -> str:
    """A decimal number in the range of a histogram, with more digits than it needs or fewer."""
    ns = draw(st.one_of(st.integers(0, 5_000), st.integers(0, buckets.HIGHEST_NS)))
    power = POWERS[unit]
    whole, part = divmod(ns, 10**power)
    digits = f"{part:0{power}d}" if power else ""
    more = draw(st.sampled_from(["", "0", "4", "49", "5", "51", "999"])) if ns < buckets.HIGHEST_NS else "0"
    fraction = (digits + more).rstrip("0") if draw(st.booleans()) else digits + more
    head = "0" * draw(st.integers(0, 2)) + str(whole)
    return f"{head}.{fraction}" if fraction else head


@st.composite
def texts(draw: st.DrawFn) -> tuple[Unit, list[str], bytes]:
    """Numbers, and a text that has one on each line, with line ends and blanks as programs write them."""
    unit = draw(st.sampled_from(UNITS))
    listed = draw(st.lists(numbers(unit), min_size=1, max_size=40))
    ends = st.sampled_from(["\n", "\r\n", " \n", "\n\n", "\n \t\r\n"])
    text = "".join(draw(st.sampled_from(["", " ", "\t"])) + number + draw(ends) for number in listed)
    return unit, listed, (text if draw(st.booleans()) else text.rstrip()).encode()


def read(reader: text_reader.TextReader, text: bytes, block: int) -> Histogram:
    for start in range(0, len(text), block):
        reader.feed(text[start : start + block])
    reader.finish()
    return histogram_of(reader.recorder.series()[-1])


def expected(values_ns: Sequence[int]) -> Histogram:
    """The histogram that the package `hdrhistogram` makes, with the exact bounds."""
    hdr = HdrHistogram(buckets.LOWEST_NS, buckets.HIGHEST_NS, buckets.SIGNIFICANT_DIGITS)
    for value in values_ns:
        assert hdr.record_value(value)
    counts = np.frombuffer(hdr.counts, dtype=np.uint64)
    return Histogram.from_counts(counts[: buckets.COUNTS_LENGTH], min(values_ns), max(values_ns))


def check(made: Reader, given_text: tuple[Unit, list[str], bytes], block: int, skip: int = 0) -> None:
    unit, listed, text = given_text
    values = [nanoseconds(number, unit) for number in listed][skip:]
    found = read(made(LatencyRecorder(skip=skip), unit), text, block)
    assert np.array_equal(found.counts, expected(values).counts)
    assert found.bounds_ns == (min(values), max(values))
    for percent in (50, 90, 99.9):
        nearest = sorted(values)[max(1, math.ceil(Fraction(str(percent)) / 100 * len(values))) - 1]
        told = found.percentile(percent).value_ns
        assert buckets.index_of(told) == buckets.index_of(nearest)


@given(texts(), st.integers(1, 60))
def test_any_numbers_come_back_as_their_histogram(given_text: tuple[Unit, list[str], bytes], block: int) -> None:
    check(LineReader, given_text, block)


@given(texts().filter(lambda made: len(made[1]) > 3), st.integers(1, 3), st.integers(1, 60))
def test_the_first_ones_are_skipped(given_text: tuple[Unit, list[str], bytes], skip: int, block: int) -> None:
    check(LineReader, given_text, block, skip)


class _LosesLines(LineReader):
    """Forgets what a block has after its last line feed."""

    def feed(self, block: bytes) -> None:
        self._rest = b""
        super().feed(block)


class _Cuts(LineReader):
    """Cuts what is finer than a nanosecond."""

    def feed(self, block: bytes) -> None:
        super().feed(b"".join(line.partition(b".")[0] + b"\n" for line in block.split()))


class _SkipsLess(LineReader):
    def __init__(self, recorder: LatencyRecorder, unit: Unit) -> None:
        super().__init__(recorder, unit)
        recorder.skip = max(0, recorder.skip - 1)


@pytest.mark.parametrize(
    ("broken", "text", "block", "skip"),
    [(_LosesLines, b"12\n34\n", 4, 0), (_Cuts, b"1.9\n7.2\n", 100, 0), (_SkipsLess, b"1\n2\n3\n", 100, 1)],
)
def test_a_broken_reader_is_rejected(broken: Reader, text: bytes, block: int, skip: int) -> None:
    made = ("ns", text.decode().split(), text)
    check(LineReader, made, block, skip)
    with pytest.raises((AssertionError, FormatError)):
        check(broken, made, block, skip)


ROWS = st.lists(
    st.tuples(st.text(min_size=1, max_size=8).filter(lambda op: op != "all"), st.integers(0, buckets.HIGHEST_NS)),
    min_size=1,
    max_size=30,
)


def by_operation(rows: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for op, value in rows:
        found.setdefault(op, []).append(value)
    return found


def check_operations(reader: text_reader.TextReader, text: bytes, block: int, rows: Sequence[tuple[str, int]]) -> None:
    read(reader, text, block)
    found = {series.op: histogram_of(series) for series in reader.recorder.series()}
    wanted = by_operation(rows) | {"all": [value for _, value in rows]}
    assert found.keys() == wanted.keys()
    for op, values in wanted.items():
        assert np.array_equal(found[op].counts, expected(values).counts)
        assert found[op].bounds_ns == (min(values), max(values))


@given(ROWS, st.integers(1, 200))
def test_ndjson_comes_back_by_operation(rows: list[tuple[str, int]], block: int) -> None:
    text = "".join(json.dumps({"at": [1, {"ns": 2}], "op": op, "ns": value}) + "\r\n" for op, value in rows)
    check_operations(row_reader.NdjsonReader(LatencyRecorder()), text.encode(), block, rows)


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=8)


@given(
    st.lists(st.tuples(NAMES.filter(lambda op: op != "all"), st.integers(0, 10**9)), min_size=1), st.integers(1, 200)
)
def test_csv_comes_back_by_operation(rows: list[tuple[str, int]], block: int) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerows([("x", "op", "took"), *(("a, b", op, value) for op, value in rows)])
    reader = row_reader.CsvReader(LatencyRecorder(), column="took")
    check_operations(reader, table.getvalue().encode(), block, rows)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_other_lines_are_counted_and_change_nothing(values: list[int]) -> None:
    text = "".join(f"warming up {value}\n{value}\n\0\n" for value in values)
    reader = LineReader(LatencyRecorder(), ignore_others=True)
    found = read(reader, text.encode(), 64)
    assert np.array_equal(found.counts, expected(values).counts)
    assert reader.other_lines == 2 * len(values)


def test_numbers_as_python_and_c_print_them() -> None:
    text = b"1.5e-05\n2E-6\n.000001\n5.\n1e+0\n0.0000000004\n0.0000000005\n"
    found = read(LineReader(LatencyRecorder(), "s"), text, 100)
    assert found.bounds_ns == (0, 5_000_000_000) and found.total == 7
    assert [buckets.index_of(ns) for ns in (0, 1, 1_000, 2_000, 15_000, 10**9, 5 * 10**9)] == found.recorded.tolist()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"-5", "line 2: '-5' is negative"),
        (b"-0.0001", "line 2: '-0.0001' is negative"),
        (b"nan", "line 2: 'nan' is not a plain decimal number"),
        (b"inf", "line 2: 'inf' ns is above 73 minutes"),
        (b"1e400", "line 2: '1e400' ns is above 73 minutes"),
        (b"4398046511105", "line 2: '4398046511105' ns is above 73 minutes"),
        (b"9" * 5_000, "line 2: '999"),
        (b"+5", "line 2: '+5' is not a plain decimal number"),
        (b"1_000", "line 2: '1_000' is not a plain decimal number"),
    ],
)
@pytest.mark.parametrize("ignore_others", [False, True])
def test_a_number_that_is_no_latency_is_refused_even_where_other_lines_are_ignored(
    line: bytes, why: str, ignore_others: bool
) -> None:
    for reader, text in (
        (LineReader(LatencyRecorder(), ignore_others=ignore_others), b"1\n%b\n" % line),
        (
            row_reader.CsvReader(LatencyRecorder(), column="t", ignore_others=ignore_others),
            b"t\n%b\n" % line,
        ),
    ):
        with pytest.raises(FormatError) as refused:
            read(reader, text, 1 << 20)
        assert str(refused.value).startswith(why) and len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "line",
    [b'{"ns": NaN}', b'{"ns": -1}', b'{"ns": "5"}', b'{"ns": true}', b'{"ns": 1e400}', b'{"ns": %b}' % (b"9" * 5_000)],
)
@pytest.mark.parametrize("ignore_others", [False, True])
def test_a_broken_latency_in_ndjson_is_refused_even_where_other_lines_are_ignored(
    line: bytes, ignore_others: bool
) -> None:
    reader = row_reader.NdjsonReader(LatencyRecorder(), ignore_others=ignore_others)
    with pytest.raises(FormatError, match=r"^line 3: "):
        read(reader, b'{"ns": 1}\n\n' + line + b"\n", 1 << 20)


@pytest.mark.parametrize("text", [b"hello", b"\0", b"12us", b"1,5", b"0x10", b"\xff\xfe", b"1 2"])
def test_other_text_is_refused_with_its_line(text: bytes) -> None:
    with pytest.raises(FormatError, match=r"^line 3: .* has no latency; each line must be a number such as 1234"):
        read(LineReader(LatencyRecorder()), b"1\r\n2\r\n%b\r\n" % text, 4)


def test_an_endless_line_is_refused_early() -> None:
    reader, fed = LineReader(LatencyRecorder(), ignore_others=True), 0
    with pytest.raises(FormatError, match="line 2 is longer than 64 KiB, the limit"):
        for fed in range(100):
            reader.feed(b"1\n" if fed == 0 else b"7" * 4_096)
    assert fed == 17


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "it has no latency"),
        (b"\n\n", "it has no latency"),
        (b"a,b\n1,2\n", "no column is named 't'"),
        (b"t,t\n1,2\n", "several columns are named 't'"),
        (b't\n"1\n2"\n', "line 2: a cell has a line break"),
        (b't\n"1\n', "line 2 is not CSV: unexpected end of data"),
        (b"x,t\n1\n", "line 2: '1' has no latency"),
        (b"t\n\xff\n", "not UTF-8"),
    ],
)
def test_csv_without_the_column_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(row_reader.CsvReader(LatencyRecorder(), column="t"), text, 1 << 20)
    assert why in str(refused.value)


def test_operations_have_short_names_and_are_few() -> None:
    reader = row_reader.NdjsonReader(LatencyRecorder())
    with pytest.raises(FormatError, match="more than 255 operations"):
        read(reader, b"".join(b'{"op": "%d", "ns": 1}\n' % op for op in range(256)), 1 << 20)
    for name in ("", "x" * 201):
        with pytest.raises(FormatError, match="an operation's name of"):
            read(row_reader.NdjsonReader(LatencyRecorder()), json.dumps({"op": name, "ns": 1}).encode(), 1 << 20)
    with pytest.raises(FormatError, match="'all' is the name for all of them together"):
        read(row_reader.NdjsonReader(LatencyRecorder()), b'{"op": "all", "ns": 1}\n{"op": "x", "ns": 1}\n', 1 << 20)


def test_the_first_character_tells_the_format() -> None:
    assert Layout().format_of(b" \n{") == "ndjson"
    assert Layout().format_of(b"12\n") == Layout().format_of(b"") == "lines"
    assert Layout(field="x").format_of(b"banner\n") == "ndjson"


@pytest.mark.parametrize("name", ['a"b', "a\\b", "\x1b[31m", "\udcff", "op"])
def test_a_field_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(
        UsageError, match=r"--field.*; (give it another name|a field has the latency or the operation)$"
    ):
        Layout(field=name).read([b"{}"])
    if name != "op":
        with pytest.raises(UsageError, match="--op-field: "):
            Layout(field="x", op_field=name).read([b"{}"])
    assert Layout(column="x").format_of(b"{") == "csv"
    with pytest.raises(FormatError, match="an interval log is read from a file"):
        Layout().read([b"#[Histogram log format version 1.3]\n"])


def test_the_series_is_what_other_histograms_decode() -> None:
    series = Layout(op="read").read([b"1000\n3000\n2000\n"])[1].recorder.series()
    assert [each.op for each in series] == ["read", "all"]
    assert HdrHistogram.decode(series[0].hdr).get_value_at_percentile(100) >= 3_000
    assert decode(series[0].hdr).total == 3
