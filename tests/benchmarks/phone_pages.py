"""How much of a phone's screen a page of the console takes, measured in Chromium; where there is none it says nothing.

A phone of 390 × 844 points leaves its browser 390 × 664 between address bar and tool bar. What has to be read is all
that stands above the decision; the decision's own bar stays at the foot of the screen and takes its height from it.
Each page stands, with the console's own style sheets, in a frame of that size; nothing is fetched.
"""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from api.console import assets

WIDTH, SCREEN = 390, 664
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SHEET = re.compile(r'<link rel="stylesheet" href="/console/static/([^"?]+)\?[^"]*">')
_SCRIPT = re.compile(r"<script [^>]*></script>")
_AT_ONCE = 40
_MEASURE = """
<script>
addEventListener("load", () => {
  const heights = [...document.querySelectorAll("iframe")].map((frame) => {
    const state = frame.contentDocument.querySelector("#state");
    const above = state.previousElementSibling.getBoundingClientRect().bottom;
    return Math.ceil(above + state.getBoundingClientRect().height);
  });
  document.body.innerHTML = `<pre>${JSON.stringify(heights)}</pre>`;
});
</script>
"""


def heights_of(pages: Sequence[str]) -> tuple[int, ...] | None:
    """Return each page's height down to its decision, in points; None where there is no Chromium."""
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if browser is None:
        return None
    some = [pages[at : at + _AT_ONCE] for at in range(0, len(pages), _AT_ONCE)]
    return tuple(height for each in some for height in _measured(browser, each))


def page_scrolls(height: int) -> int:
    """Return how many times a person must move on to have seen all of it."""
    return max(0, math.ceil(height / SCREEN) - 1)


def _measured(browser: str, pages: Sequence[str]) -> list[int]:
    frame = f'<iframe width="{WIDTH}" height="{SCREEN}" frameborder="0" srcdoc="{{}}"></iframe>'
    frames = "".join(frame.format(escape(_alone(page))) for page in pages)
    with TemporaryDirectory(prefix="phone-") as folder:
        sheet = Path(folder) / "pages.html"
        sheet.write_text(f"<!doctype html><meta charset=utf-8><body>{_MEASURE}{frames}", encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={folder}/profile", "--dump-dom", sheet.as_uri(),
        ]  # fmt: skip
        shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r"<pre>(\[[0-9,]+\])</pre>", shown.stdout)
    assert found is not None, shown.stderr[-2_000:]
    heights: list[int] = json.loads(found[1])
    assert len(heights) == len(pages)
    return heights


def _alone(page: str) -> str:
    """The page with its style sheets in it and without its scripts, as it stands when it has come."""
    sheets = assets.table()
    return _SCRIPT.sub("", _SHEET.sub(lambda link: f"<style>{sheets[link[1]].content.decode()}</style>", page))
