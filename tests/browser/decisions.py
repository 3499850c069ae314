"""What waits for a person's word: whose count holds where two shops sell one piece, a piece that both have sold, a sale
that never left the shop's stock; and what was decided, by whom or by itself."""

import re

from playwright.sync_api import Locator, Page, expect

from cards import at_rest, bare, card
from doors import come_in
from walk import until, walking


def row(within: Page | Locator, sku: str) -> Locator:
    """The line of a table that is about a piece."""
    return within.get_by_role("row").filter(has_text=sku)


def part(page: Page, heading: str) -> Locator:
    """The part of the page under a heading."""
    return page.get_by_role("region", name=heading, exact=True).filter(has=page.get_by_role("heading"))


def whose_count_holds(page: Page, story, pictures) -> None:
    page.goto(f"{story.relay}/drift")
    choose = page.get_by_role("button", name="Use the shop’s 7 for PEARL", exact=True)
    until(page, lambda: choose, "the other shop's pearls are read")
    until(page, lambda: page.get_by_role("button", name="Use the shop’s 1 for OPAL"), "its opal is read")
    waiting = part(page, "Which count is right?")
    expect(waiting.get_by_role("row")).to_have_count(4)
    expect(row(waiting, "PEARL")).to_contain_text("“South Sea pearls, graduated” in the shop")
    pictures.take(page, "which-count")
    # The same on a page of their own, which also shows what the other has no room for.
    page.goto(f"{story.relay}/links")
    alone = page.get_by_role("region", name="Which count is right?", exact=True)
    expect(alone.get_by_role("row")).to_have_count(4)
    pictures.take(page, "links")
    told = page.request.get(f"{story.relay}/links.csv").text()
    assert all(sku in told for sku in ("PEARL", "OPAL", "CHAIN")), told
    choose.click()
    expect(page).to_have_url(re.compile("/links$"))
    expect(page.get_by_role("status").first).to_contain_text("1 linked.")
    expect(alone.get_by_role("row")).to_have_count(3)
    page.goto(f"{story.relay}/drift")
    waiting.get_by_role("link", name="Use the shops’ for all").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Use the shops’ counts for all?")
    expect(page.get_by_role("main")).to_contain_text("2 pieces get their shop’s number in Nexpura.")
    page.go_back()
    waiting.get_by_role("link", name="Keep Nexpura’s for all").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep Nexpura’s counts for all?")
    expect(page.get_by_role("main")).to_contain_text("2 pieces get Nexpura’s number in the shop.")
    pictures.take(page, "which-count-all")
    page.get_by_role("button", name="Keep Nexpura’s counts").click()
    expect(page.get_by_role("status").first).to_contain_text("2 linked.")
    expect(waiting).to_have_count(0)
    story.ask("reaches_the_ledger", sku="PEARL", stock=7)
    story.ask("reaches_the_shop", sku="PEARL", stock=7)
    story.ask("reaches_the_other_shop", sku="CHAIN", stock=9)
    page.goto(f"{story.relay}/inventory/OPAL")
    listed = part(page, "Where it is sold").get_by_role("listitem")
    until(page, lambda: listed.filter(has_text="Up to date").nth(1), "both shops sell the opal")
    expect(listed).to_have_count(2)
    pictures.take(page, "in-two-shops")


def sold_twice(page: Page, story, pictures) -> None:
    order, other = story.ask("sell_in_both")
    page.goto(f"{story.relay}/drift")
    oversold = page.get_by_role("listitem").filter(has_text="Oversold: 1 more sold than in stock")
    until(page, lambda: oversold, "the second sale of the opal has arrived")
    expect(oversold).to_contain_text("OPAL")
    expect(oversold.get_by_role("link", name=re.compile(f"^Order #({order}|{other})$"))).to_be_visible()
    unreduced = story.ask("pay_without_stock")
    unpaid = page.get_by_role("listitem").filter(has_text="Paid, but the shop did not reduce its stock: 2")
    until(page, lambda: unpaid, "the sale that took no stock has arrived")
    expect(unpaid.get_by_role("link", name=f"Order #{unreduced}", exact=True)).to_be_visible()
    pictures.take(page, "conflicts")
    page.goto(f"{story.relay}/conflicts")
    alone = page.get_by_role("region", name="Sales that do not match the stock", exact=True)
    expect(alone.get_by_role("listitem")).to_have_count(2)
    pictures.take(page, "sales-that-do-not-match")
    told = page.request.get(f"{story.relay}/conflicts.csv").text()
    assert "OPAL" in told and "RING" in told, told
    page.goto(story.relay)
    expect(page.get_by_role("region", name="Needs your attention")).to_be_visible()
    pictures.take(page, "home")
    page.goto(f"{story.relay}/inventory/OPAL")
    expect(page.locator(".big")).to_have_text(re.compile("^[-−]1$"))
    pictures.take(page, "below-zero")
    page.goto(f"{story.relay}/conflicts")
    unpaid.get_by_role("button", name="Reduce the stock").click()
    expect(page).to_have_url(re.compile("/conflicts$"))
    expect(page.get_by_role("status").first).to_contain_text("The stock is reduced")
    page.goto(f"{story.relay}/drift")
    story.ask("reaches_the_ledger", sku="RING", stock=7)
    oversold.get_by_role("button", name="I have contacted the buyer").click()
    expect(page.get_by_role("status").first).to_contain_text("Noted.")
    expect(part(page, "Sales that do not match the stock")).to_have_count(0)


def edited(page: Page, story, sku: str, stock: int) -> None:
    """Somebody edits a stock in WordPress, and the shop is compared with the ledger."""
    story.ask("edit_in_the_shop", sku=sku, stock=stock)
    page.goto(f"{story.relay}/integrations")
    at_rest(page)
    card(page, story.shop).get_by_role("button", name="Compare now").click()
    page.goto(f"{story.relay}/drift?state=decided")


def decided(page: Page, story, pictures) -> None:
    """By a store's policy what is edited there is put back, or counts."""
    story.ask("reaches_the_shop", sku="RING", stock=7)
    edited(page, story, "RING", 12)
    until(page, lambda: row(page, "RING").filter(has_text="7 kept"), "it is put back")
    story.ask("reaches_the_shop", sku="RING", stock=7)
    page.goto(f"{story.relay}/settings/integrations")
    policy = part(page, bare(story.shop))
    policy.get_by_label("The shop’s number counts").check()
    policy.get_by_role("button", name="Save").click()
    expect(policy.get_by_label("The shop’s number counts")).to_be_checked()
    edited(page, story, "PEARL", 3)
    until(page, lambda: row(page, "PEARL").filter(has_text="the shop’s 3 used"), "it counts")
    story.ask("reaches_the_ledger", sku="PEARL", stock=3)
    pictures.take(page, "decided")
    page.get_by_label("SKU or name begins with").fill("RIN")
    page.get_by_label("Store").select_option(bare(story.shop))
    page.get_by_role("button", name="Show").click()
    expect(row(page, "RING").first).to_be_visible()
    expect(row(page, "PEARL")).to_have_count(0)
    expect(page.get_by_label("State")).to_have_value("decided")
    page.get_by_label("SKU or name begins with").fill("nothing of this name")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("main")).to_contain_text("No difference that was decided fits")
    pictures.take(page, "none-decided")
    page.get_by_role("link", name="Show all").click()
    lately = part(page, "Decided recently")
    expect(lately).to_contain_text("the shop’s 3 used")
    pictures.take(page, "decided-recently")
    lately.get_by_role("link", name="All that was decided").click()
    expect(page).to_have_url(re.compile("state=decided"))


with walking("decisions") as (story, person, pictures):
    owner = person()
    come_in(owner, story.link)
    whose_count_holds(owner, story, pictures)
    sold_twice(owner, story, pictures)
    decided(owner, story, pictures)
