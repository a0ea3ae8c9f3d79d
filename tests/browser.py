"""What the tests of the page share: Chromium, where there is one, and a page in it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest

REQUIRED = os.environ.get("VERIFIED_MLP_BROWSER") == "required"
"""Set by .ci/run: then a browser that is missing is a failure."""
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


def missing() -> str:
    """Why there is no browser to test in; empty if there is one."""
    if CHROMIUM is None:
        return "there is no chromium: apt-get install chromium"
    if find_spec("playwright") is None:
        return "there is no playwright: pip install playwright"
    return ""


def need_browser() -> None:
    """Skip, or fail where a browser is required, without one."""
    if why := missing():
        if REQUIRED:
            pytest.fail(f"VERIFIED_MLP_BROWSER=required, but {why}", pytrace=False)
        pytest.skip(why)


@contextmanager
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Debian's own Chromium; in a container there is no sandbox to be had.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


def ready(page: Any, path: Any) -> Any:
    """The page of a file, once its network is read."""
    page.goto(f"file://{path}")
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.get_attribute("html", "data-ready") == "yes", page.inner_text("#said")
    return page
