"""The stores' cards on `/integrations`, and their sync panel."""

import re

from playwright.sync_api import Locator, Page, expect

from walk import Story

WHOLE_RUN = 180_000


def card(page: Page, shop: str) -> Locator:
    """The card of one store."""
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=bare(shop), exact=True))


def bare(address: str) -> str:
    """How the panel names a store: its address without the scheme."""
    return address.split("://", 1)[1]


def at_rest(page: Page) -> None:
    """Nothing is under way that the page waits for, so that it is not loaded anew while somebody looks at it."""
    expect(page.locator("[data-watch]")).to_have_count(0, timeout=WHOLE_RUN)


class Runs:
    """Presses the buttons of a sync panel and follows what is under way."""

    def __init__(self, story: Story, page: Page, shop: str) -> None:
        self._story, self._page, self._shop = story, page, shop
        self._said: list[str] = []
        page.expose_function("said", lambda text: self._said.append(text))

    def run(self, button: str, doing: str, told: str, between=lambda: None) -> list[str]:
        """Presses a button while the shop is slow; while it runs the others rest and how it gets on is told by
        itself; then the banner says what it brought. Gives what was told."""
        self._said.clear()
        self._story.ask("hold")
        store = card(self._page, self._shop)
        store.get_by_role("button", name=button).click()
        running = store.locator(".progress")
        expect(running).to_contain_text(doing)
        buttons = store.locator(".sync-buttons button")
        expect(buttons).to_have_count(4)
        for at in range(4):
            expect(buttons.nth(at)).to_be_disabled()
        expect(store.get_by_role("button", name="Compare now")).to_be_disabled()
        between()
        running.locator("[data-text]").evaluate(
            "(text) => new MutationObserver(() => said(text.textContent)).observe(text, { childList: true })"
        )
        self._story.ask("let_go")
        banner = store.locator(".notice").filter(has_text=re.compile(told))
        expect(banner).to_be_visible(timeout=WHOLE_RUN)
        expect(buttons.first).to_be_enabled()
        return list(self._said)
