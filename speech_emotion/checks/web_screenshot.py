"""A picture of the page after it heard a clip, as the README shows it.

Needs Chromium and tests/web-requirements.txt. The page is opened from the folder itself, no server.
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image

from speech_emotion import cli
from speech_emotion.errors import UserError
from speech_emotion.files import replacing

WIDTH, HEIGHT = 860, 1130
COLOURS = 256  # a palette: a third of the bytes


def parse_arguments():
    parser = cli.Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("page", type=Path, help="the folder that python -m codegen --web wrote")
    add("clip", type=Path, help="the sound file to drop into it")
    add(
        "--out",
        type=Path,
        default=Path("docs/web.png"),
        metavar="PNG",
        help="(default: docs/web.png)",
    )
    add("--dark", action="store_true", help="dark colours")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    for path in (arguments.page / "index.html", arguments.clip):
        if not path.is_file():
            raise UserError(f"{path}: no such file; write the page with python -m codegen --web")
    picture = take(arguments.page, arguments.clip, dark=arguments.dark)
    with replacing(arguments.out, "wb") as file:
        file.write(picture)
    print(f"{arguments.out}: {len(picture) / 1000:.0f} KB")


def take(page_folder: Path, clip: Path, *, dark: bool = False) -> bytes:
    """The picture, PNG."""
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        raise UserError("no Playwright; pip install -r tests/web-requirements.txt") from None
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise UserError("no Chromium; on Debian or Ubuntu: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark" if dark else "light"
        )
        page.goto((page_folder.resolve() / "index.html").as_uri())
        page.set_input_files("#files", clip)
        expect(page.locator("#clips > li[data-label]")).to_have_count(1)
        picture = page.screenshot()
        browser.close()
    small = io.BytesIO()
    Image.open(io.BytesIO(picture)).quantize(COLOURS).save(small, "png", optimize=True)
    return small.getvalue()


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
