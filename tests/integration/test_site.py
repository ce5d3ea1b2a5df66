"""The documentation site is built in strict mode, and every page is opened in headless Chromium.

On a phone in dark mode and on a wide screen in light mode, no page loads anything from elsewhere or scrolls sideways.

`make docs` installs the build tools; without them, or without Chromium, the tests are skipped.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, Page, chromium

ROOT = Path(__file__).resolve().parents[2]
SCREENS = [(390, True), (1400, False)]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="not available here: mkdocs (make docs)"),
    pytest.mark.skipif(CHROMIUM is None, reason="not available here: Chromium"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does, or the one that it has built."""
    if built := os.environ.get("BUILT_SITE"):
        return ROOT / built
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of a local server: the site's search uses a worker, which browsers do not start from a file."""
    serve = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(site)]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().partition("port ")[2].split()[0]
        yield f"http://127.0.0.1:{port}/"
        server.kill()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize(("width", "dark"), SCREENS)
def test_every_page_opens(site: Path, address: str, page: Page, width: int, dark: bool) -> None:
    page.screen(width, 900, dark=dark)
    pages = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html") if file.name != "404.html")
    assert len(pages) > 50
    for name in pages:
        page.messages.clear()
        page.requests.clear()
        page.visit(address + name)
        assert (name, page.messages) == (name, [])
        elsewhere = [url for url in page.requests if not url.startswith((address, "data:", "blob:"))]
        assert (name, elsewhere) == (name, [])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        scheme = page.evaluate("document.body.getAttribute('data-md-color-scheme')")
        assert (name, scheme) == (name, "slate" if dark else "default")


def test_search_finds_a_term_of_the_contract(address: str, page: Page) -> None:
    page.screen(1400, 900, dark=False)
    page.visit(f"{address}index.html?q=iceberg")
    page.wait_for("document.querySelectorAll('.md-search-result__item').length > 0")
    found = page.evaluate(
        "[...document.querySelectorAll('.md-search-result__item a')].map(link => link.href).join(' ')"
    )
    assert "matching.html" in found
