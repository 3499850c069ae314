"""A jeweller's day: a sale comes in, a piece is adjusted, an event that failed is tried again, and what somebody changed
in the shop is adopted or pushed back."""

import re

from playwright.sync_api import Locator, Page, expect

from doors import come_in, into_wordpress
from walk import patiently, until, walking


def pictured(page: Page, within: Locator, shop: str) -> None:
    """A piece's picture comes from its shop, and is there."""
    picture = within.locator("img")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("src", re.compile(rf"^{re.escape(shop)}/.*aurora.*\.png$"))
    page.wait_for_function("(one) => one.complete && one.naturalWidth > 0", arg=picture.element_handle())


def sent(page: Page, story, sku: str, stock: int) -> None:
    """What was decided reaches the shop; where the store is held first, because much is emptied, somebody lets it go."""
    for _ in patiently(page, f"{sku} is {stock} in the shop"):
        if story.ask("in_the_shop", sku=sku) == stock:
            break
        page.goto(f"{story.relay}/integrations")
        let_go = page.get_by_role("button", name="I have checked, send them")
        if let_go.count():
            let_go.click()
            expect(page.get_by_role("status").first).to_be_visible()


with walking("a_day") as (story, person, pictures):
    owner = person()
    come_in(owner, story.link)
    home = story.relay

    # A sale while the list is open: it comes by itself, and is said to whoever cannot see it.
    owner.goto(f"{home}/sales")
    owner.evaluate("window.stays = true")
    order = story.ask("sell", product=story.ring)
    expect(owner.get_by_role("row").filter(has_text=f"#{order}")).to_be_visible()
    expect(owner.locator("[data-said=news]")).to_have_text(re.compile("new in the list|list has changed"))
    assert owner.evaluate("window.stays === true"), "the page was loaded anew"
    pictures.take(owner, "sales")
    owner.get_by_role("link", name=f"#{order}", exact=True).click()
    expect(owner.get_by_role("main")).to_contain_text("RING")
    pictures.take(owner, "sale")

    # Why are there so many? And one less from now on, in the shop too.
    owner.goto(f"{home}/inventory")
    pictured(owner, owner.get_by_role("row").filter(has_text="RING"), story.shop)
    until(owner, lambda: owner.locator(".no-picture").nth(11), "the pieces without a picture are there")
    pictures.take(owner, "inventory")
    owner.goto(f"{home}/inventory/RING")
    pictured(owner, owner.get_by_role("region", name="In stock"), story.shop)
    about = owner.get_by_role("region", name="About this piece")
    for told in ("Engagement rings", "Yellow gold, Platinum", "Brilliant, 1.2 ct", "Standard"):
        expect(about).to_contain_text(told)
    expect(about.get_by_role("link", name="See it in the shop")).to_have_attribute("href", re.compile(f"^{story.shop}/"))
    expect(owner.locator(".big")).to_have_text(str(story.stock - 1))
    owner.get_by_label("What happens").select_option("out")
    owner.get_by_label("Units").fill("2")
    owner.get_by_label("Reason").select_option("write_off")
    owner.get_by_label("Note").first.fill("<script>alert(1)</script> scratched")
    owner.get_by_role("button", name="Save", exact=True).click()
    expect(owner.locator(".big")).to_have_text(str(story.stock - 3))
    timeline = owner.get_by_role("list").filter(has_text="scratched")
    expect(timeline).to_contain_text(f"#{order}")
    story.ask("reaches_the_shop", sku="RING", stock=story.stock - 3)
    pictures.take(owner, "piece")

    # By the store's policy what is edited there counts here. But somebody empties a dozen pieces at once: nobody follows
    # that without being asked.
    owner.goto(f"{home}/settings/integrations")
    owner.get_by_label("The shop’s number counts").check()
    owner.get_by_role("button", name="Save").click()
    story.ask("empty_in_the_shop")
    owner.goto(f"{home}/integrations")
    owner.get_by_role("button", name="Compare now").click()
    owner.goto(f"{home}/drift")
    until(owner, lambda: owner.get_by_role("button", name=re.compile("^Use the shop’s")), "the differences are there")
    pictures.take(owner, "differences")
    owner.goto(home)
    pictures.take(owner, "home")
    owner.goto(f"{home}/drift")
    owner.get_by_role("button", name="Use the shop’s 0 for PIECE-1", exact=True).click()
    story.ask("reaches_the_ledger", sku="PIECE-1", stock=0)
    owner.goto(f"{home}/drift")
    owner.get_by_role("button", name="Keep 5 for PIECE-2", exact=True).click()
    sent(owner, story, "PIECE-2", 5)
    owner.goto(f"{home}/drift")
    owner.get_by_role("link", name="Use the shops’ for all").click()
    expect(owner.get_by_role("heading", level=1)).to_have_text("Use the shops’ numbers for all?")
    expect(owner.get_by_role("main")).to_contain_text("10 pieces become 0")
    pictures.take(owner, "differences-adopt")
    # Not for all of them, but for the one that was looked for.
    for _ in patiently(owner, "the shop's number of that piece counts"):
        owner.goto(f"{home}/drift/adopt?q=PIECE-11")
        use = owner.get_by_role("button", name="Use the shops’ numbers")
        if not use.count():
            break
        expect(owner.get_by_role("main")).to_contain_text("1 piece becomes 0")
        use.click()
        expect(owner.get_by_role("heading", level=1)).to_have_text("Differences")
    story.ask("reaches_the_ledger", sku="PIECE-11", stock=0)
    owner.goto(f"{home}/drift")
    owner.get_by_role("link", name="Keep Nexpura’s for all").click()
    expect(owner.get_by_role("heading", level=1)).to_contain_text("Keep Nexpura’s numbers for all?")
    pictures.take(owner, "differences-all")
    # What is read again at that moment waits on: it is said once more.
    for _ in patiently(owner, "nothing differs any more"):
        owner.goto(f"{home}/drift/push")
        keep = owner.get_by_role("button", name="Keep Nexpura’s numbers")
        if not keep.count():
            break
        keep.click()
        expect(owner.get_by_role("heading", level=1)).to_have_text("Differences")
    sent(owner, story, "PIECE-12", 5)

    owner.goto(f"{home}/customers")
    pictures.take(owner, "customers")

    # An event that nobody could apply is shown with its reason, and tried again.
    story.ask("fail", order=order)
    owner.goto(f"{home}/events?status=failed")
    expect(owner.get_by_role("row").nth(1)).to_contain_text(str(order))
    pictures.take(owner, "events")
    owner.get_by_role("row").nth(1).get_by_role("link").click()
    expect(owner.get_by_role("region", name="What became of it")).to_contain_text("currency")
    pictures.take(owner, "event")
    story.ask("mend")
    owner.get_by_role("button", name="Try again").click()
    story.ask("nothing_failed")
    owner.goto(f"{home}/events?status=failed")
    expect(owner.get_by_role("main")).to_contain_text("Nothing like that")

    # Staff look and adjust; what differs is decided by others.
    staff = person()
    come_in(staff, story.staff)
    staff.goto(f"{home}/drift")
    assert staff.get_by_role("button", name=re.compile("Keep|Use the shop")).count() == 0
    refused = staff.request.post(f"{home}/drift/push", headers={"origin": home, "sec-fetch-site": "same-origin"})
    assert refused.status == 403, refused.status
    staff.goto(f"{home}/inventory/RING")
    staff.get_by_label("Or: I counted, and there are").fill("4")
    staff.get_by_role("button", name="Save the count").click()
    expect(staff.locator(".big")).to_have_text("4")
    story.ask("reaches_the_shop", sku="RING", stock=4)

    # In WordPress the order says how it stands in Nexpura.
    story.ask("quiet")
    merchant = person()
    into_wordpress(merchant, story.shop, story.user, story.password)
    merchant.goto(f"{story.shop}/wp-admin/admin.php?page=wc-orders&action=edit&id={order}")
    expect(merchant.get_by_role("heading", name="In Nexpura")).to_be_visible()
    pictures.take(merchant, "wordpress-order", ours=False)
    merchant.goto(f"{story.shop}/wp-admin/admin.php?page=wc-orders")
    pictures.take(merchant, "wordpress-orders", ours=False)
    merchant.goto(f"{story.shop}/wp-admin/site-health.php")
    expect(merchant.get_by_role("heading", name="Site Health").first).to_be_visible()
    pictures.take(merchant, "wordpress-site-health", ours=False)
