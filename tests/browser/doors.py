"""The doors that people come in by, the panel's and WordPress's, and the one within our page there."""

from playwright.sync_api import Page, expect

PASSWORD = "four words in a row"


def come_in(page: Page, link: str) -> None:
    """Sets a password by a link, which logs in."""
    page.goto(link)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Save and log in").click()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()


def log_in(page: Page, address: str, email: str, password: str = PASSWORD) -> None:
    """Logs in to the panel, or tries."""
    page.goto(f"{address}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def into_wordpress(page: Page, shop: str, user: str, password: str) -> None:
    """Logs the shop's administrator in."""
    page.goto(f"{shop}/wp-login.php")
    page.locator("#user_login").fill(user)
    page.locator("#user_pass").fill(password)
    page.locator("#wp-submit").click()
    expect(page.locator("#wpadminbar")).to_be_visible()


def for_support(page: Page) -> None:
    """Opens what the settings page shows only to whoever asks for it."""
    support = page.locator("details.nexpura-support:not([open]) > summary")
    if support.count():
        support.click()
