"""What a batch of an Arrow file unpacks to is read from its header; no header makes that anything but an error."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pytest

from lowlat.engine.feed.arrow_sizes import unpacked_sizes

pa = pytest.importorskip("pyarrow")

TABLE = pa.table(
    {
        "number": np.arange(6_000),
        "text": pa.array(["A" * 100] * 6_000),
        "once": pa.DictionaryArray.from_arrays(pa.array(np.zeros(6_000, np.int8)), ["B" * 500]),
    }
)


def file_of(compression: str | None, rows: int = 2_000) -> io.BytesIO:
    file = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(file, TABLE.schema, options=options) as writer:
        writer.write_table(TABLE, max_chunksize=rows)
    return file


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
@pytest.mark.parametrize("rows", [2_000, 6_000])
def test_each_batch_has_the_bytes_that_it_takes_in_memory(compression: str | None, rows: int) -> None:
    """Of each row 8 for the number, 4 and 100 for the text, 1 for the index; 4 more where texts begin."""
    dictionary, *batches = unpacked_sizes(file_of(compression, rows))
    assert 500 <= dictionary < 520
    assert batches == [rows * (8 + 4 + 100 + 1) + 4] * (6_000 // rows)


def test_compression_as_arrow_0_17_said_it_is_seen() -> None:
    """By a key beside the batch: pyarrow still unpacks such a file, here 300 bytes to 1 MiB."""
    unpacked = 1 << 20
    packed = struct.pack("<q", unpacked) + pa.compress(bytes(unpacked), codec="zstd", asbytes=True)
    batch = pa.record_batch([pa.Array.from_buffers(pa.uint8(), 9, [None, pa.py_buffer(packed)])], ["number"])
    file, options = io.BytesIO(), pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_file(file, batch.schema, options=options) as writer:
        writer.write_batch(batch, custom_metadata={"ARROW:experimental_compression": "zstd"})
    assert list(unpacked_sizes(file)) == [unpacked]
    file.seek(0)
    assert pa.ipc.open_file(file).get_batch(0).column(0).buffers()[1].size == unpacked


def test_a_damaged_header_is_an_error_and_nothing_else() -> None:
    whole, chance, refused = file_of("zstd").getvalue(), random.Random(1), 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(whole) - 900, len(whole))] = chance.randrange(256)
        try:
            list(unpacked_sizes(io.BytesIO(damaged)))
        except ValueError:
            refused += 1
    assert refused > 20
    for size in (0, 9, 100, len(whole) - 1):
        with pytest.raises(ValueError, match=r"a header of a batch|a length below 0|larger than the file"):
            list(unpacked_sizes(io.BytesIO(whole[:size])))
