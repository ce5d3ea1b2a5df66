"""Which columns of a Parquet or Arrow file can be read in bounded memory: those with one short value in each row.

A file of a few KB may hold a text once and repeat it in every row, or a list of any length in one row. So lists and
other nested columns are refused before they are read, and how long a text is, is known before it is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from lowlat.limits import TABLE_CELL_BYTES_MAX

_PLAIN_TEXT: Final = {"NONE", "STRING", "ENUM"}
"""What Parquet may call a text that pyarrow reads as it is stored: each different one once."""


def text_leaves(leaves: Any) -> list[int]:
    """The numbers of the columns of a Parquet file whose values have no fixed length; `leaves`: its `ParquetSchema`."""
    return [number for number in range(len(leaves)) if leaves.column(number).physical_type == "BYTE_ARRAY"]


def stored(kind: Any) -> Any:
    """The type of the values themselves: of a dictionary, and in an extension."""
    import pyarrow as pa

    while pa.types.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind


def unreadable(schema: Any, name: str, leaves: Any = None) -> str | None:
    """Why a column cannot be read: its type. None if it can be. All columns of this name count, since all are read.

    `schema`: of Arrow; `leaves`: also of a Parquet file, its `ParquetSchema`.
    """
    for at in schema.get_all_field_indices(name):
        if not _is_value(kind := schema.field(at).type):
            return str(kind)
    for leaf in () if leaves is None else _read_with(leaves, name):
        if leaf.max_repetition_level or leaf.length > TABLE_CELL_BYTES_MAX:
            return f"{leaf.path} of it"
        if leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type not in _PLAIN_TEXT:
            return f"{leaf.logical_type.type} of any length"
    return None


def dictionary_bytes(batch: Any) -> int:
    """Bytes of the dictionaries of a batch, which all batches of a file may share, and each is validated with."""
    import pyarrow as pa

    return sum(column.dictionary.nbytes for column in batch.columns if pa.types.is_dictionary(column.type))


def longest_in_dictionary(column: Any) -> int:
    """Bytes of the longest text that a dictionary holds once for any number of rows; 0 for other values."""
    import pyarrow.compute as pc

    return (pc.max(pc.binary_length(column.dictionary)).as_py() or 0) if _is_text(stored(column.type)) else 0


def longest_view(column: Any) -> int:
    """Bytes of the longest text that a column shows by views, any number of which may show the same one; 0 for others.

    A view has 16 bytes and begins with its length.
    """
    if not _is_view(column.type):
        return 0
    sizes = np.frombuffer(column.buffers()[1] or b"", "<i4")[::4][column.offset :][: len(column)]
    return int(sizes.max(initial=0, where=column.is_valid().to_numpy(zero_copy_only=False)))


def _read_with(leaves: Any, name: str) -> Iterator[Any]:
    """What pyarrow reads for a name: also the parts of a nested column."""
    for number in range(len(leaves)):
        leaf = leaves.column(number)
        if leaf.path == name or leaf.path.startswith(f"{name}."):
            yield leaf


def _is_value(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _is_text(kind.value_type) or _is_fixed(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return _is_fixed(kind.storage_type)
    return _is_fixed(kind) or _is_text(kind) or _is_view(kind)


def _is_fixed(kind: Any) -> bool:
    import pyarrow as pa

    types = pa.types
    if types.is_fixed_size_binary(kind):
        return bool(kind.byte_width <= TABLE_CELL_BYTES_MAX)
    return bool(types.is_null(kind) or types.is_primitive(kind) or types.is_decimal(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def _is_view(kind: Any) -> bool:
    import pyarrow as pa

    return kind in (pa.string_view(), pa.binary_view())
