"""The panel for whoever's browser runs no scripts: all that matters is done with links and forms alone, and a page on
which something is under way loads itself anew."""

import re

from playwright.sync_api import Page, expect

from cards import WHOLE_RUN, card
from doors import come_in, log_in
from walk import PHONE, fits, until, walking


def picture(pictures, page: Page, name: str) -> None:
    """What looks a page over is a script too, and does so on the other walks; here it has to fit."""
    pictures.take(page, name, ours=False)
    page.set_viewport_size(PHONE)
    fits(page, name)


def in_by_the_door(person, story) -> Page:
    """Sets a password, and logs in with it in another browser."""
    come_in(person(java_script_enabled=False), story.link)
    owner = person(java_script_enabled=False)
    # Else nothing below would prove anything.
    owner.set_content("<p id=ran>no</p><script>document.getElementById('ran').textContent = 'yes'</script>")
    expect(owner.locator("#ran")).to_have_text("no")
    log_in(owner, story.relay, story.email)
    expect(owner.get_by_role("navigation", name="Pages")).to_be_visible()
    return owner


def connects(page: Page, story, pictures) -> None:
    page.goto(f"{story.relay}/integrations")
    page.get_by_role("link", name="Connect a store").first.click()
    page.get_by_role("button", name="Make a connection string").click()
    expect(page.locator("code.secret")).to_contain_text("@")
    # It does not notice by itself, and does not say so.
    expect(page.get_by_text("in WordPress, see here")).to_be_visible()
    expect(page.get_by_text("This page notices by itself")).to_be_hidden()
    picture(pictures, page, "connection-string")
    page.get_by_role("link", name="Look now").click()
    expect(page.get_by_text("Waiting for your shop to use it")).to_be_visible()
    expect(page.locator("code.secret")).to_have_count(0)


def imports(page: Page, story, pictures) -> None:
    page.goto(f"{story.relay}/integrations")
    store = card(page, story.shop)
    button = store.get_by_role("button", name="Import products")
    # What runs by itself keeps it from being pressed, and is over after a while.
    expect(button).to_be_enabled(timeout=WHOLE_RUN)
    story.ask("hold")
    button.click()
    expect(store.locator(".progress")).to_contain_text("Importing products")
    picture(pictures, page, "running")
    story.ask("let_go")
    # Nobody touches the page from here on.
    expect(store.locator(".notice").filter(has_text="✓ Synced")).to_be_visible(timeout=WHOLE_RUN)
    picture(pictures, page, "run")


def adjusts(page: Page, story, pictures) -> None:
    page.goto(f"{story.relay}/inventory/RING")
    expect(page.locator(".big")).to_have_text("9")
    page.get_by_label("What happens").select_option("out")
    page.get_by_label("Units").fill("2")
    page.get_by_label("Reason").select_option("write_off")
    page.get_by_label("Note").first.fill("scratched")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".big")).to_have_text("7")
    expect(page.get_by_role("list").filter(has_text="scratched")).to_be_visible()
    picture(pictures, page, "piece")
    story.ask("reaches_the_shop", sku="RING", stock=7)


def decides(page: Page, story, pictures) -> None:
    page.goto(f"{story.relay}/settings/integrations")
    page.get_by_label("The shop’s number counts").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("The shop’s number counts")).to_be_checked()
    # So many at once that somebody is asked.
    story.ask("empty_in_the_shop")
    page.goto(f"{story.relay}/integrations")
    compare = card(page, story.shop).get_by_role("button", name="Compare now")
    expect(compare).to_be_enabled(timeout=WHOLE_RUN)
    compare.click()
    page.goto(f"{story.relay}/drift")
    until(page, lambda: page.get_by_role("button", name=re.compile("^Use the shop’s")), "the differences are there")
    picture(pictures, page, "differences")
    page.get_by_role("button", name="Use the shop’s 0 for PIECE-1", exact=True).click()
    expect(page.get_by_role("status").first).to_be_visible()
    story.ask("reaches_the_ledger", sku="PIECE-1", stock=0)
    page.goto(f"{story.relay}/drift?q=PIECE-1")
    expect(page.get_by_role("button", name="Use the shop’s 0 for PIECE-1", exact=True)).to_have_count(0)


with walking("without_scripts") as (story, person, pictures):
    owner = in_by_the_door(person, story)
    for part in (connects, imports, adjusts, decides):
        part(owner, story, pictures)
