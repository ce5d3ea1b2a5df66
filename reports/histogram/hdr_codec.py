"""The interface to the package `hdrhistogram`: its object, and the V2 base64 format that every HdrHistogram reads.

This module checks a blob before passing it on: `hdrhistogram` decompresses without a limit and trusts the header, and
its `add` and `record_value` silently change or drop values (see `lowlat.reports.histogram.histogram`).
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lowlat import units
from lowlat.errors import FormatError, NotValidError
from lowlat.reports.histogram import buckets
from lowlat.reports.histogram.histogram import Histogram

if TYPE_CHECKING:
    from hdrh.histogram import HdrHistogram

# Big-endian, as published with HdrHistogram for Java (AbstractHistogram.encodeIntoCompressedByteBuffer):
#   cookie u32, length u32, then zlib of
#   cookie u32, length u32, index offset u32, digits u32, lowest u64, highest u64, ratio f64,
#   counts as ZigZag LEB128, a negative one being a run of zeros
_OUTER: Final = struct.Struct(">II")
_INNER: Final = struct.Struct(">IIIIQQd")
_OUTER_COOKIE: Final = 0x1C849304
_INNER_COOKIE: Final = 0x1C849303
_WORD_SIZE_BITS: Final = 0xF0
_COUNT_BYTES_MAX: Final = 9
# Offset 0 and ratio 1.0 mark counts that are neither shifted nor scaled; hdr-histogram-js writes the integer 1 in both
# places with the same meaning.
_PLAIN: Final = ((0, 1.0), (1, struct.unpack(">d", struct.pack(">Q", 1))[0]))
_PAYLOAD_MAX: Final = _INNER.size + _COUNT_BYTES_MAX * buckets.COUNTS_LENGTH


def to_hdr(histogram: Histogram) -> HdrHistogram:
    """A `hdrhistogram` object with the same counts and exact bounds."""
    from hdrh.histogram import HdrHistogram

    hdr: Any = HdrHistogram(buckets.LOWEST_NS, buckets.HIGHEST_NS, buckets.SIGNIFICANT_DIGITS)
    np.frombuffer(hdr.counts, dtype=np.uint64)[:] = histogram.counts
    if histogram.bounds_ns is not None:
        first, last = histogram.recorded[[0, -1]].tolist()
        hdr.set_internal_tacking_values(first, last, histogram.total)  # spelled that way in hdrhistogram
        hdr.min_value, hdr.max_value = histogram.bounds_ns
    return hdr


def encode(histogram: Histogram) -> str:
    """The V2 base64 blob of a histogram.

    It contains only the counts; exact bounds and the out-of-range count are stored separately. Raises `NotValidError`
    when there are no samples, since readers written in C reject such a blob.
    """
    if histogram.bounds_ns is None:
        raise NotValidError("an empty histogram cannot be exported: other implementations reject it")
    blob: bytes = to_hdr(histogram).encode()
    return blob.decode("ascii")


def decode(blob: str | bytes, bounds_ns: tuple[int, int] | None = None, out_of_range: int = 0) -> Histogram:
    """The histogram of a V2 base64 blob, written here or by any other implementation.

    The blob has no exact bounds: pass them if known, else the outer values of the first and last bucket are used.
    Raises `FormatError` for an invalid blob, and for histograms of another precision or unit, whose samples cannot be
    moved into this layout without loss.
    """
    from hdrh.histogram import HdrHistogram

    _check_settings(_decompressed(blob))
    try:
        hdr: Any = HdrHistogram.decode(blob)
    except (ValueError, IndexError, OverflowError) as error:  # raised by its C decoder
        raise FormatError(f"the counts of the encoded histogram are damaged: {error}") from error
    counts = np.frombuffer(hdr.counts, dtype=np.uint64)
    if counts[buckets.COUNTS_LENGTH :].any():
        raise FormatError(f"the encoded histogram holds values above {buckets.HIGHEST_NS:,} ns")
    counts = counts[: buckets.COUNTS_LENGTH]
    if bounds_ns is None or not counts.any():
        return Histogram.from_buckets(counts, out_of_range)
    return Histogram.from_counts(counts, *bounds_ns, out_of_range)


def _decompressed(blob: str | bytes) -> bytes:
    """The decompressed content of a blob, limited to the maximum size of a histogram."""
    try:
        outer = base64.b64decode(blob, validate=True)
        cookie, length = _OUTER.unpack_from(outer)
        unzip = zlib.decompressobj()
        inner = unzip.decompress(outer[_OUTER.size :], _PAYLOAD_MAX)
    except (ValueError, binascii.Error, struct.error, zlib.error) as error:
        raise FormatError(f"not an HdrHistogram in V2 base64: {error}") from error
    if cookie & ~_WORD_SIZE_BITS != _OUTER_COOKIE or length != len(outer) - _OUTER.size or not unzip.eof:
        raise FormatError(f"not an HdrHistogram in V2 base64: cookie {cookie:#x}, length {length}")
    return inner


def _check_settings(inner: bytes) -> None:
    if len(inner) < _INNER.size:
        raise FormatError(f"the encoded histogram is cut short after {units.counted(len(inner), 'byte')}")
    cookie, length, offset, digits, lowest, highest, ratio = _INNER.unpack_from(inner)
    if cookie & ~_WORD_SIZE_BITS != _INNER_COOKIE or length != len(inner) - _INNER.size:
        raise FormatError(f"the encoded histogram is damaged: cookie {cookie:#x}, length {length}")
    fits = (digits, lowest) == (buckets.SIGNIFICANT_DIGITS, buckets.LOWEST_NS) and 2 <= highest < 2**63
    if not fits or (offset, ratio) not in _PLAIN:
        raise FormatError(
            f"the encoded histogram has {digits} digits from {lowest} to {highest} "
            f"(offset {offset}, ratio {ratio}): expected {buckets.SIGNIFICANT_DIGITS} digits, from 1"
        )
