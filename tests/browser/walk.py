"""What the walks share: a browser, the story that started the real parts, and pictures of every page.

A walk is a script that a story runs. The story tells it where things are; the walk asks the story for what a browser
cannot do (a sale, a look into the shop's database) by a line of JSON, and gets a line of JSON back.
"""

import json
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect, sync_playwright
from playwright.sync_api import Error as Broken
from playwright.sync_api import TimeoutError as NotInTime

PHONE = {"width": 390, "height": 844}
# The narrowest that pages are made for.
SMALL_PHONE = {"width": 320, "height": 568}
DESKTOP = {"width": 1280, "height": 860}
# What a person with a disability would stumble over.
BAD = {"serious", "critical"}

# Seconds. A shop that sends nothing else says every half minute that nothing is to come; only then its stock is
# believed. All else is patience with a machine that has other things to do: who waits goes on as soon as it is there.
PATIENCE = 180
# Milliseconds for which something may be on its way to a page that stands open.
PAGE_PATIENCE = 60_000
# Milliseconds. WordPress's Site Health asks other servers too, which do not answer here.
HEALTH = 120_000

expect.set_options(timeout=PAGE_PATIENCE)


class Story:
    """The story behind the walk: `story.url` and the like are what it told; `story.ask` has it do something."""

    def __init__(self) -> None:
        self._told = json.loads(sys.stdin.readline())

    def __getattr__(self, name: str):
        return self._told[name]

    def ask(self, verb: str, **arguments):
        print(json.dumps({"verb": verb, **arguments}), flush=True)
        answer = json.loads(sys.stdin.readline())
        if "error" in answer:
            raise AssertionError(f"{verb}: {answer['error']}")
        return answer["done"]


class Pictures:
    """Pictures of pages, light and dark, phone and desktop; each looked over by axe on the way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(
        self, page: Page, name: str, *, ours: bool = True, within: str | None = None, closeup: bool = False
    ) -> None:
        """Takes them. Of somebody else's page only what is ours, `within` these elements, is looked over; with
        `closeup` it is all that the picture shows. WordPress has no dark."""
        for scheme in ("light",) if "/wp-admin/" in page.url else ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for size, extent in (("phone", PHONE), ("desktop", DESKTOP)):
                page.set_viewport_size(extent)
                page.evaluate("scrollTo(0, 0)")
                path = self._folder / f"{name}-{scheme}-{size}.png"
                if closeup:
                    # What stays in sight while a page is scrolled would lie over it.
                    hidden = "#wpadminbar, #wpfooter, .woocommerce-layout__header { visibility: hidden }"
                    page.locator(within).screenshot(path=path, animations="disabled", style=hidden)
                else:
                    page.screenshot(path=path, full_page=True, animations="disabled")
                if ours:
                    fits(page, f"{name}, {scheme}, {size}", within)
                    accessible(page, f"{name}, {scheme}, {size}", within)
        page.emulate_media(color_scheme="light")


def fits(page: Page, where: str, within: str | None = None) -> None:
    """Nothing stands out to the right: of the page, or of these elements and what is in them."""
    wide = page.evaluate(
        """(within) => {
            const screen = document.documentElement;
            if (!within) return screen.scrollWidth - screen.clientWidth;
            const ours = [...document.querySelectorAll(within)].flatMap((one) => [one, ...one.querySelectorAll("*")]);
            return Math.max(0, ...ours.map((one) => Math.ceil(one.getBoundingClientRect().right - screen.clientWidth)));
        }""",
        within,
    )
    assert wide <= 0, f"{where}: {wide} pixels too wide"
    if page.viewport_size["width"] <= PHONE["width"]:
        # Nobody finds a button that lies beyond the edge of a list, nor a tab beyond the last that is seen.
        beyond = page.evaluate(
            "[...document.querySelectorAll('.scroll, .subtabs')].filter((one) => one.scrollWidth > one.clientWidth)"
            ".map((one) => one.getAttribute('aria-label') || one.getAttribute('aria-labelledby'))"
        )
        assert not beyond, f"{where}: on a phone these scroll sideways: {beyond}"


def accessible(page: Page, where: str, within: str | None = None) -> None:
    found = Axe().run(page, context=within).response["violations"]
    bad = [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in BAD]
    assert not bad, f"{where}: " + "; ".join(bad)


def patiently(page: Page, what: str):
    """Turns, with a moment between them, for whoever looks and perhaps does something until it is so."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        yield
        page.wait_for_timeout(300)
    raise AssertionError(f"waited in vain until {what}; {page.url} says: {page.locator('body').inner_text()}")


def until(page: Page, look, what: str) -> None:
    """Loads a page anew until it shows something."""
    for _ in patiently(page, what):
        if look().count():
            break
        # A page that loads itself anew just then takes its place.
        with suppress(Broken):
            page.reload()


def opens(control: Locator, shown: Locator) -> None:
    """Presses what a script of WordPress answers to: again while that script is not there yet."""
    end = time.monotonic() + PATIENCE
    while not shown.is_visible():
        assert time.monotonic() < end, f"nothing opens by {control}"
        control.click()
        with suppress(NotInTime):
            shown.wait_for(state="visible", timeout=2_000)


@contextmanager
def walking(name: str):
    """A story, a way to open browsers of people of their own, and pictures; what breaks in a page breaks the walk."""
    story = Story()
    pictures = Pictures(Path(os.environ["NEXPURA_PICTURES"]) / name)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["NEXPURA_CHROMIUM"],
            # As root there is no sandbox to be had; only pages of our own are shown.
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        broken: list[str] = []

        def person(**options) -> Page:
            page = browser.new_context(viewport=DESKTOP, **options).new_page()
            page.set_default_timeout(PAGE_PATIENCE)
            page.on("pageerror", lambda error: broken.append(f"{page.url}: {error}"))
            page.on(
                "console",
                lambda said: broken.append(f"{page.url}: {said.text}") if refused(said) else None,
            )
            return page

        try:
            yield story, person, pictures
        finally:
            browser.close()
        assert not broken, "\n".join(broken)


def refused(said) -> bool:
    """What the page's own policy forbids is written to the console and is otherwise silent."""
    return said.type == "error" and "Content Security Policy" in said.text
