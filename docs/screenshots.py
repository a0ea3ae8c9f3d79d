"""Draw the pictures of docs/report.md: `python docs/screenshots.py`.

Needs Chromium (Debian: apt-get install chromium) and the packages playwright and matplotlib.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
COMMAND = Path(sys.executable).parent / "verified-mlp"
MOST_BYTES = 300_000
COLOURS = 128

PROGRAMS = [f"examples/{name}.asm" for name in ("hello", "echo", "sort")]
PICTURES = {
    "picture-layers.png": ["--bits", "8", "--words", "64"],
    "picture-pass.png": ["examples/hello.asm", "--step", "9", "--bits", "8", "--words", "64"],
}
SHOTS: dict[str, tuple[dict[str, Any], str]] = {
    "report-dark.png": (
        {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "dark"},
        "viewer.goTo(12)",
    ),
    "report-phone.png": (
        {
            "viewport": {"width": 390, "height": 1500},
            "color_scheme": "light",
            "has_touch": True,
            "device_scale_factor": 1.5,
        },
        "viewer.goTo(12)",
    ),
}
"""Each file, how the browser is, and what is done on the page before."""


def main() -> None:
    """Write all files; each is smaller than `MOST_BYTES`."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("There is no Chromium: apt-get install chromium.")
    for name, arguments in PICTURES.items():
        subprocess.run([COMMAND, "picture", DOCS / name, *arguments], cwd=ROOT, check=True)
        _say(name)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        subprocess.run([COMMAND, "report", "--html", page, *PROGRAMS], cwd=ROOT, check=True)
        _shots(chromium, page)


def _shots(chromium: str, path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (options, before) in SHOTS.items():
            page = browser.new_context(**options).new_page()
            page.goto(f"file://{path}")
            page.wait_for_selector("html[data-ready=yes]", state="attached")
            page.evaluate(f"() => {{ const {{viewer}} = report; {before}; }}")
            page.evaluate(
                "() => document.getElementById('trace').scrollIntoView({behavior: 'instant'})"
            )
            page.wait_for_timeout(300)
            (DOCS / name).write_bytes(_few_colours(page.screenshot()))
            _say(name)
        browser.close()


def _few_colours(content: bytes) -> bytes:
    """A PNG with a palette, which is a fraction of its size."""
    from PIL import Image

    few = Image.open(io.BytesIO(content)).convert("RGB").quantize(COLOURS)
    smaller = io.BytesIO()
    few.save(smaller, format="png", optimize=True)
    return smaller.getvalue()


def _say(name: str) -> None:
    count = (DOCS / name).stat().st_size
    if count >= MOST_BYTES:
        sys.exit(f"docs/{name} has {count:,} bytes, and {MOST_BYTES:,} are too many.")
    print(f"docs/{name}: {count:,} bytes")


if __name__ == "__main__":
    main()
