"""Limits on what is read from files, which bound its cost in time and memory before the content is trusted.

Each is a number that its reader imports from here. `docs/reference/limits.md` is made from this module: the sentence
below a constant says what it limits, with the kind of file before the colon.
"""

from __future__ import annotations

from typing import Final

REPORT_BYTES_MAX: Final = 128 << 20
"""Report, sweep, interval log: bytes. A report of 1,000 runs of a pipeline has 80 MB."""
VALUES_MAX: Final = 4_000_000
"""Report, sweep: commas and opening brackets, hence values: with the text they bound what it takes in memory."""
SERIES_MAX: Final = 20_000
"""Report, sweep: series, over all runs. 1,000 runs of a pipeline have half as many."""
SERIES_NAMES_MAX: Final = 256
"""Report, sweep: different series. Each is a histogram of 272 KiB in memory once reports are merged."""
TAGS_MAX: Final = 256
"""Interval log: different tags. Each is a histogram of 272 KiB in memory."""
INTERVALS_MAX: Final = 100_000
"""Interval log: lines with a histogram. Each takes half a millisecond."""
LOG_LINES_MAX: Final = 1_000_000
"""Interval log: lines, comments included."""
HISTORY_FILES_MAX: Final = 10_000
"""Directory of reports (`--history`): files."""

HOSTS_BYTES_MAX: Final = 1 << 20
"""List of hosts (`--hosts`): bytes. 10,000 hosts with long names have half as many."""
HOST_RECORD_BYTES_MAX: Final = 1 << 20
"""Directory of a fleet: bytes of a host's record, beside its report."""

LATENCY_LINE_BYTES_MAX: Final = 64 << 10
"""Latencies of another program (`lowlat record`): bytes of a line."""
OPERATION_CHARS_MAX: Final = 200
"""Latencies of another program (`lowlat record`): characters of an operation's name."""

TOML_BYTES_MAX: Final = 256 << 10
"""`lowlat.toml`, `pyproject.toml`, profile: bytes."""
KEY_PARTS_MAX: Final = 64
"""`lowlat.toml`, `pyproject.toml`, profile: parts of a dotted key, which take quadratic time."""
KEY_PART_CHARS_MAX: Final = 512
"""`lowlat.toml`, `pyproject.toml`, profile: characters of a part that counts; longer ones are few in a file."""

LIVE_ORDERS_MAX: Final = 2_000_000
"""Profile: `live_orders`. The largest built-in profile has 1,500,000."""

FLOW_BYTES_MAX: Final = 1 << 30
"""Recorded orders as text: bytes, after decompression."""
STREAM_BYTES_MAX: Final = 1 << 40
"""Recorded orders that are read as a stream: bytes, after decompression. Memory does not grow with them."""
DBN_METADATA_BYTES_MAX: Final = 64 << 20
"""DBN file: bytes of metadata. 100,000 symbols of one day take 22 MiB."""
FLOW_LINE_BYTES_MAX: Final = 64 << 10
"""Recorded orders as text: bytes of a row. A book of 50 levels has 4 KiB."""
FLOW_RATIO_MAX: Final = 20
"""Recorded orders, compressed: decompressed bytes for each byte read. An hour of AAPL has 5."""
UNPACKED_BYTES_FREE: Final = 1 << 20
"""Recorded orders, compressed: decompressed bytes that the ratio allows for in any case."""
TABLE_ROWS_RATIO_MAX: Final = 1
"""Recorded orders as Parquet or Arrow: rows for each byte of the file. An hour of AAPL has 13 bytes for each row."""
TABLE_ROWS_FREE: Final = 1 << 16
"""Recorded orders as Parquet or Arrow: rows that the ratio allows for in any case."""
TABLE_CELL_BYTES_MAX: Final = 1 << 10
"""Recorded orders as Parquet or Arrow: bytes of a text, which can be stored once for many rows."""
DICTIONARIES_RATIO_MAX: Final = 100
"""Recorded orders as Parquet or Arrow: bytes of dictionaries, in each batch that uses them, for each of the file."""
DICTIONARIES_BYTES_FREE: Final = 1 << 30
"""Recorded orders as Parquet or Arrow: bytes of dictionaries that the ratio allows for in any case: half a second."""
PAGES_FREE: Final = 50_000
"""Recorded orders as Parquet: pages of any size. Each takes up to 15 microseconds."""
PAGE_BYTES_MIN: Final = 1 << 10
"""Recorded orders as Parquet: bytes of a page in the file, on average, if there are more. Writers fill 1 MiB."""
FOOTER_BYTES_FREE: Final = 1 << 20
"""Recorded orders as Parquet: bytes of a footer. Each takes up to 0.5 microseconds."""
FOOTER_SHARE_MAX: Final = 8
"""Recorded orders as Parquet: the footer above that is at most one byte in this many of the file."""
UNPACK_MEMORY_BYTES_MAX: Final = 80 << 20
"""Compressed files: bytes of memory that an `.xz` file may ask of its reader. `xz -9` asks for 65 MiB."""
STREAMS_FREE: Final = 10_000
"""Compressed files: streams (members, frames) of any size. Each takes up to 10 microseconds."""
STREAM_BYTES_MIN: Final = 1 << 10
"""Compressed files: compressed bytes of a stream, on average, if there are more. `bgzip` fills one with 64 KiB."""
PADDING_BYTES_MAX: Final = 4 << 20
"""Compressed files: zero bytes behind compressed streams. A sparse file has any number of them at no cost."""
JOURNAL_HEAD_BYTES_MAX: Final = 32 << 20
"""Journal, snapshot of an engine: bytes of the header."""

TREE_FILE_BYTES_MAX: Final = 4 << 20
"""Host, captured tree (`--root`): bytes of a file."""
TREE_BYTES_MAX: Final = 128 << 20
"""Captured tree: bytes of all files read from it."""
ARCHIVE_BYTES_MAX: Final = 512 << 20
"""Captured tree as an archive: bytes after decompression, with headers and padding."""
ARCHIVE_ENTRIES_MAX: Final = 200_000
"""Captured tree as an archive: files, directories and links. A host with 4,096 CPUs has about 170,000."""
ARCHIVE_LINKS_MAX: Final = 50_000
"""Captured tree as an archive: symbolic links. Ours hold none; copies of `/sys` have a few for each CPU."""
ARCHIVE_HEADER_BYTES_MAX: Final = 64 << 10
"""Captured tree as an archive: bytes of an extended header (PAX, or a long name). A path has 4,096 at most."""
ARCHIVE_TAIL_BYTES_MAX: Final = 4 << 20
"""Captured tree as an archive: bytes behind its end mark. `tar` pads to 10 KiB, or to what its `-b` says."""
PATH_DEPTH_MAX: Final = 64
"""Captured tree as an archive: directories above a file. `/sys` has about 20."""
CPU_SET_CHARS_MAX: Final = 64 << 10
"""Host, captured tree: characters of a CPU list or mask. 8,192 CPUs, the most that Linux supports, take 24 KiB."""
CPU_NUMBER_MAX: Final = 65_535
"""Host, captured tree, option: CPU number. Linux reaches 8,191; a typed 0-9999999999 must not fill memory."""
NODES_MAX: Final = 1_024
"""Host, captured tree: NUMA nodes, as many as Linux supports."""
NUMBER_DIGITS_MAX: Final = 20
"""Host, captured tree: digits of a number. The largest of 64 bits has 20."""

LIBRARY_BYTES_MAX: Final = 1 << 30
"""Engine in a shared library, on several workers: bytes of the file, whose SHA-256 each of them computes."""
ENGINE_LINE_BYTES_MAX: Final = 64 << 20
"""Engine that runs as a process: bytes of a line. 400,000 events of one command take as many."""

MESSAGE_CHARS_MAX: Final = 2_000
"""Message on stderr: characters. Names and values from a file are cut."""
