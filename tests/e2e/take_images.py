"""Write the screenshots of the documentation, docs/images/*.png, from the real page.

    python tests/e2e/take_images.py

Needs the starter models and a browser, like the tests beside it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from conftest import BROWSER_ARGUMENTS, CHECKOUT, SAMPLES, Server, Visit, find_browser, payload

IMAGES = CHECKOUT / "docs" / "images"
NAMES = {
    "zh": {"zh.flac": ["项目例会.flac", "预算评审.flac"], "en.flac": ["客户来电.flac"]},
    "en": {"en.flac": ["Weekly review.flac", "Site visit.flac"], "zh.flac": ["Budget call.flac"]},
}
LOCALES = {"zh": "zh-CN", "en": "en-US"}
SEARCHES = {"zh": "会议", "en": "server"}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=BROWSER_ARGUMENTS)
        for language in LOCALES:
            take_language(browser, Path(folder), language)
        browser.close()


def take_language(browser: Browser, folder: Path, language: str) -> None:
    home = folder / language
    home.mkdir()
    (home / "models").symlink_to(CHECKOUT / "models", target_is_directory=True)
    server = Server(home, folder / f"{language}.log")
    server.start()
    try:
        take_views(browser, server, language)
    finally:
        server.stop()


def take_views(browser: Browser, server: Server, language: str) -> None:
    window = Visit(
        browser, server, locale=LOCALES[language], viewport={"width": 1200, "height": 780}
    )
    page = window.open()
    page.locator(".dot.is-idle").wait_for()
    shoot(window, f"transcribe-{language}")
    for source, names in NAMES[language].items():
        for name in names:
            window.open()
            choose_language(window, source.removesuffix(".flac"))
            window.transcribe({**payload(SAMPLES / source), "name": name})
    window.open()
    choose_language(window, language)
    window.transcribe({**payload(SAMPLES / f"{language}.flac"), "name": f"sample-{language}.flac"})
    page.locator("button.time").nth(1).wait_for()
    shoot(window, f"result-{language}")
    if language == "zh":
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        shoot(window, "result-dark-zh")
    window.open(f"/history?q={SEARCHES[language]}")
    page.locator(".record-row mark").first.wait_for()
    shoot(window, f"history-{language}")
    window.close()
    window.check()


def choose_language(window: Visit, language: str) -> None:
    window.page.locator("#language").select_option(language)


def shoot(window: Visit, name: str) -> None:
    page = window.page
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
