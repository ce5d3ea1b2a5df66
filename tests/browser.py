"""A headless Chromium for tests of pages, driven over its DevTools pipe: no driver, no port, no package.

The protocol is https://chromedevtools.github.io/devtools-protocol: a JSON message each way, ended by a zero byte, on
the browser's file descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_S

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
_FLAGS = [
    "--headless=new",
    "--no-sandbox",  # Chromium's sandbox does not work as root, as in a container; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
]


class Page:
    """One tab. `messages` and `requests` hold what it logged, threw and requested from the network."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._unread = b""
        self._number = 0
        self._session: str | None = None
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.loaded = 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a request and wait for the response; events that arrive before it are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, file: Path) -> None:
        """Load a file, and wait until it is loaded."""
        self.visit(file.as_uri())

    def visit(self, url: str) -> None:
        """Load an address, and wait until it is loaded."""
        before = self.loaded
        self.call("Page.navigate", url=url)
        while self.loaded == before:
            self._read()

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; for a promise, the value it resolves to."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        until = time.monotonic() + PATIENCE_S
        while not self.evaluate(expression):
            assert time.monotonic() < until, f"not true within {PATIENCE_S} seconds: {expression}"
            time.sleep(0.02)

    def screen(self, width: int, height: int, *, dark: bool) -> None:
        """Set the window size in CSS pixels (below 600: as a phone) and the color scheme."""
        phone = width < 600
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", **size, mobile=phone)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self) -> bytes:
        """A PNG of the window."""
        data: str = self.call("Page.captureScreenshot")["data"]
        return base64.b64decode(data)

    def whole_picture(self) -> bytes:
        """A PNG of the whole page, also of what the window does not show."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data: str = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        return base64.b64decode(data)

    def point(self, x: float, y: float) -> None:
        """Move the mouse to a place in the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def _read(self) -> dict[str, Any]:
        """The next message; events are recorded."""
        until = time.monotonic() + PATIENCE_S
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"Chromium said nothing for {PATIENCE_S} seconds"
            part = os.read(self._from, 1 << 20)
            assert part, "Chromium ended"
            self._unread += part
        first, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, about: dict[str, Any]) -> None:
        match event:
            case "Page.loadEventFired":
                self.loaded += 1
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
            case "Runtime.consoleAPICalled":
                self.messages.append(f"{about['type']}: {about['args']}")
            case "Runtime.exceptionThrown":
                self.messages.append(f"thrown: {about['exceptionDetails']}")
            case "Log.entryAdded":
                self.messages.append(f"{about['entry']['level']}: {about['entry']['text']}")


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with its profile in an empty folder, for a `with` block."""
    assert CHROMIUM, "callers skip without Chromium"
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # The shell moves the pipes to the descriptors that the browser expects, then execs it.
    shell = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
    command = ["bash", "-c", shell, CHROMIUM, *_FLAGS, f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        command,
        pass_fds=(theirs_in, theirs_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        page = Page(ours_out, ours_in)
        yield page
    finally:
        os.close(ours_out)
        process.kill()
        process.wait()
        os.close(ours_in)
