"""Thrift's compact protocol, in which Parquet writes its footer and the headers of its pages.

Only what is asked for is kept, the rest is read over. A shape says what is asked for: of a struct, the numbers of its
fields with the shape of each, where `I32` and `I64` are numbers and a list holds the shape of its structs.

What a reader of another kind might take for something else is refused: a field that stands twice or with another type,
and a number that does not fit its type.
"""

from __future__ import annotations

from typing import Any, Final

I32: Final = 5
I64: Final = 6
Shape = dict[int, "int | Shape | list[Shape]"]

_BITS: Final = {4: 16, I32: 32, I64: 64}
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = 1, 2, 3, 7, 8, 9, 10, 11, 12, 13
_FIXED: Final = {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8, _UUID: 16}
"""Bytes of a value in a list. As a field, true and false take none: the type says which."""
_FIELD_MAX: Final = (1 << 15) - 1
_DEPTH_MAX: Final = 12
"""Structs and lists in each other: a footer has nine."""


class CompactReader:
    """The values in some bytes. Raises `ValueError` for what is none, `IndexError` where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, shape: Shape, depth: int = 0) -> dict[int, Any]:
        """The fields of a struct that `shape` asks for, as far as they are there."""
        if depth > _DEPTH_MAX:
            raise ValueError("its structs are nested too deeply")
        found: dict[int, Any] = {}
        field = 0
        while (head := self._byte()) & 0x0F:
            field = field + (head >> 4) if head >> 4 else self._number(16)
            if not 0 < field <= _FIELD_MAX:
                raise ValueError(f"a field of number {field}")
            kind, wanted = head & 0x0F, shape.get(field)
            if wanted is None:
                if kind not in {_TRUE, _FALSE}:
                    self._skip(kind, depth)
            elif field in found:
                raise ValueError(f"field {field} stands twice")
            else:
                found[field] = self._wanted(kind, wanted, depth)
        return found

    def _wanted(self, kind: int, shape: int | Shape | list[Shape], depth: int) -> Any:
        if isinstance(shape, int):
            if kind == shape:
                return self._number(_BITS[kind])
        elif isinstance(shape, dict):
            if kind == _STRUCT:
                return self.struct(shape, depth + 1)
        elif kind == _LIST:
            count, kind = self._list_head()
            if kind == _STRUCT:
                return [self.struct(shape[0], depth + 2) for _ in range(count)]
        raise ValueError(f"a field of another type, {kind}")

    def _skip(self, kind: int, depth: int) -> None:
        if depth > _DEPTH_MAX:
            raise ValueError("its structs are nested too deeply")
        if kind in _BITS:
            self._varint()
        elif kind in _FIXED:
            self._over(_FIXED[kind])
        elif kind == _BINARY:
            self._over(self._varint())
        elif kind == _STRUCT:
            self.struct({}, depth + 1)
        elif kind in {_LIST, _SET}:
            count, kind = self._list_head()
            self._skip_all(count, (kind,), depth)
        elif kind == _MAP:
            if count := self._varint():
                kinds = self._byte()
                self._skip_all(count, (kinds >> 4, kinds & 0x0F), depth)
        else:
            raise ValueError(f"a field of type {kind}, which is none")

    def _skip_all(self, count: int, kinds: tuple[int, ...], depth: int) -> None:
        """Over values one after another: each takes a byte or more, so that there are no more than bytes."""
        if len(kinds) == 1 and kinds[0] in _FIXED:
            self._over(count * _FIXED[kinds[0]])
            return
        for _ in range(count):
            for kind in kinds:
                self._skip(kind, depth + 1)

    def _list_head(self) -> tuple[int, int]:
        """How many values, and of which type."""
        head = self._byte()
        return (head >> 4 if head >> 4 < 0x0F else self._varint()), head & 0x0F

    def _number(self, bits: int) -> int:
        zigzag = self._varint()
        if zigzag >> bits:
            raise ValueError(f"a number of more than {bits} bits")
        return (zigzag >> 1) ^ -(zigzag & 1)

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ValueError("a number of more than 64 bits")

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _over(self, count: int) -> None:
        if self.at + count > len(self._data):
            raise IndexError
        self.at += count
