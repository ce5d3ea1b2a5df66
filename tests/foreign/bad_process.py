"""Engines that break the protocol: `python bad_process.py FAULT` is `simple_book.py` with one thing spoiled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from simple_book import Book, answer

Fields = dict[str, Any]
FATAL = 5
"""The command at which most go wrong."""


def line_of(message: Fields) -> str:
    """As the right engine writes it."""
    return json.dumps(message) + "\n"


def die(number: int) -> str:
    """End by a signal."""
    os.kill(os.getpid(), number)
    return ""


def leave_a_child() -> str:
    """End, while a child still holds the pipes."""
    if os.fork() == 0:
        time.sleep(1000)
    os._exit(7)


def sleep_with_child() -> str:
    """Hang, and have a child do so too; its id goes to the file that the test names."""
    child = subprocess.Popen(["sleep", "1000"])
    with open(os.environ["TEST_ENGINE_CHILD"], "w") as file:  # noqa: PTH123 (nothing beyond what starts fast)
        file.write(str(child.pid))
    time.sleep(1000)
    return ""


def dribble() -> str:
    """A byte now and then, but never a line."""
    while True:
        os.write(1, b"x")
        time.sleep(0.01)


def print_without_end() -> str:
    """A line that never ends, until nobody reads it."""
    while True:
        os.write(1, b"x" * 65536)


def without_last(given: Fields) -> str:
    return line_of(given | {"events": given["events"][:-1]})


def twice_last(given: Fields) -> str:
    return line_of(given | {"events": [*given["events"], given["events"][-1]]})


def with_field(given: Fields, **fields: object) -> str:
    return line_of(given | {"events": [{**event, **fields} for event in given["events"]]})


AT_COMMAND: dict[str, Callable[[Fields], str]] = {
    "exits": lambda _given: sys.exit(7),
    "crashes": lambda _given: die(signal.SIGSEGV),
    "is_killed": lambda _given: die(signal.SIGKILL),
    "raises": lambda _given: str(1 // 0),
    "hangs": lambda _given: str(time.sleep(1000)),
    "dribbles": lambda _given: dribble(),
    "leaves_a_child": lambda _given: leave_a_child(),
    "hangs_with_child": lambda _given: sleep_with_child(),
    "endless_line": lambda _given: print_without_end(),
    "says_nothing": lambda _given: "",
    "garbage": lambda _given: "\x1b[31mOrder accepted!\n",
    "empty_line": lambda given: "\n" + line_of(given),
    "not_utf8": lambda _given: '{"type":"\udcff"}\n',
    "deep": lambda _given: "[" * 100_000 + "\n",
    "other_type": lambda given: line_of(given | {"type": "observation"}),
    "no_events": lambda given: line_of({"type": "events", "index": given["index"]}),
    "unknown_field": lambda given: with_field(given, orderId=3),
    "text_for_number": lambda given: with_field(given, quantity="3"),
    "negative": lambda given: with_field(given, trade_id=-1),
    "more_than_32_bits": lambda given: with_field(given, quantity=2**32),
    "more_than_64_bits": lambda given: with_field(given, order_id=2**64),
    "huge_number": lambda given: with_field(given, maker_id=10**400),
    "huge_index": lambda given: line_of(given | {"index": "HUGE"}).replace('"HUGE"', "9" * 10_000),
    "answers_twice": lambda given: 2 * line_of(given),
    "other_index": lambda given: line_of(given | {"index": given["index"] + 1}),
    "gives_up": lambda _given: line_of({"type": "error", "code": "NO_MEMORY", "message": "the heap\nis full"}),
    "one_event_less": without_last,
    "one_event_more": twice_last,
}
"""What is written instead of the answer to command `FATAL`."""
AT_HELLO: dict[str, Callable[[Fields], str]] = {
    "ends_at_once": lambda _given: sys.exit(0),
    "other_version": lambda given: line_of(given | {"protocol_version": 2}),
    "huge_version": lambda given: line_of(given | {"protocol_version": "HUGE"}).replace('"HUGE"', "9" * 10_000),
    "half_a_character": lambda given: line_of(given | {"engine": {"name": "\ud800"}}),
    "other_protocol": lambda given: line_of(given | {"protocol": "tracebook.conformance"}),
    "unknown_capability": lambda given: line_of(given | {"capabilities": ["TELEPATHY"]}),
    "half_line": lambda given: die(signal.SIGKILL) if os.write(1, line_of(given)[:20].encode()) else "",
    "no_name": lambda given: line_of({name: value for name, value in given.items() if name != "engine"}),
}


def answers(fault: str) -> Iterator[str]:
    """What it writes for each line of its input."""
    books: list[Book] = []
    last = ""
    for line in sys.stdin:
        message = json.loads(line)
        given = answer(message, books)
        said = line_of(given)
        if message["type"] == "hello" and fault in AT_HELLO:
            said = AT_HELLO[fault](given)
        elif message["type"] == "create" and fault == "creates_nothing":
            said = last
        elif message["type"] == "command" and message["index"] == FATAL and fault in AT_COMMAND:
            said = AT_COMMAND[fault](given)
        if fault == "prints_errors":
            os.write(2, b"warning: " + b"x" * 10_000 + b"\n")
        last = said
        yield said


if __name__ == "__main__":
    for answered in answers(sys.argv[1]):
        sys.stdout.buffer.write(answered.encode(errors="surrogateescape"))
        sys.stdout.flush()
    if sys.argv[1] == "ignores_the_end":
        time.sleep(1000)
