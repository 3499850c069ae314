"""Shops without our extension: connected by key in the browser, followed by WooCommerce's webhooks, brought over with
progress; what a key that only reads is good for; and what each role may not do."""

import re

from playwright.sync_api import Page, expect

from cards import WHOLE_RUN, Runs, at_rest, bare, card
from doors import come_in, into_wordpress
from walk import until, walking

BY_WEBHOOKS = "through WooCommerce’s webhooks"


def connect(page: Page, home: str, shop: str, key: list[str]) -> None:
    page.goto(f"{home}/website/connect")
    page.get_by_label("Store URL").fill(shop)
    page.get_by_label("Consumer key").fill(key[0])
    page.get_by_label("Consumer secret").fill(key[1])
    page.get_by_role("button", name="Check and connect").click()
    expect(page.get_by_role("status").first).to_contain_text(f"Connected to {bare(shop)}")


def ours(story) -> list[str]:
    """The topics of our webhooks in the shop that are switched on."""
    hooks = story.ask("webhooks")
    return [one["topic"] for one in hooks if one["url"].startswith(story.relay) and one["status"] == "active"]


def refused(page: Page, home: str, pages: tuple[str, ...], deeds: tuple[str, ...]) -> None:
    """Somebody who may not is told so on each page, and does nothing by asking without one."""
    for path in pages:
        answer = page.goto(f"{home}{path}")
        assert answer.status == 403, f"{path} answered {answer.status}"
        expect(page.get_by_role("main")).to_contain_text("have permission to do this")
    for path in deeds:
        answer = page.request.post(f"{home}{path}", headers={"origin": home, "sec-fetch-site": "same-origin"})
        assert answer.status == 403, f"{path} answered {answer.status}"


def by_key(page: Page, story, pictures) -> None:
    home = story.relay
    connect(page, home, story.plain, story.full)
    at_rest(page)
    pictures.take(page, "connected")
    page.goto(f"{home}/integrations")
    store = card(page, story.plain)
    until(page, lambda: store.get_by_text(BY_WEBHOOKS), "the shop has its webhooks")
    expect(store.get_by_text("Webhooks: active")).to_be_visible()
    assert len(ours(story)) == 11, ours(story)

    # Taken away and set up again by hand.
    store.get_by_role("button", name="Remove webhooks").click()
    expect(store).to_contain_text("checked every few minutes")
    assert ours(story) == []
    at_rest(page)
    pictures.take(page, "swept")
    store.get_by_role("button", name="Set up webhooks").click()
    expect(store).to_contain_text(BY_WEBHOOKS)
    expect(page.get_by_role("status").first).to_contain_text("by webhooks")
    assert {"order.created", "product.updated", "customer.created"} <= set(ours(story))

    story.ask("opened", sku="PEARL")
    page.goto(f"{home}/integrations")
    runs = Runs(story, page, story.plain)
    runs.run("Import products", "Importing products", r"✓ Synced \d+ items?, \d+ skipped", lambda: pictures.take(page, "running"))
    at_rest(page)
    pictures.take(page, "integrations")

    # A sale, told by WooCommerce and shown by itself.
    page.goto(f"{home}/sales")
    order = story.ask("buy")
    sale = page.get_by_role("row").filter(has_text=f"#{order}")
    expect(sale).to_be_visible(timeout=WHOLE_RUN)
    story.ask("reaches_the_ledger", sku="PEARL", stock=4)
    # And back, without a plugin that would count.
    page.goto(f"{home}/inventory/PEARL")
    page.get_by_label("Or: I counted, and there are").fill("3")
    page.get_by_role("button", name="Save the count").click()
    story.ask("reaches_the_shop", sku="PEARL", stock=3)


def read_only(page: Page, story, pictures) -> None:
    connect(page, story.relay, story.plain, story.read)
    page.goto(f"{story.relay}/integrations")
    store = card(page, story.plain)
    expect(store.get_by_role("button", name="Import products")).to_be_enabled()
    expect(store.get_by_role("button", name="Push inventory")).to_be_disabled()
    at_rest(page)
    pictures.take(page, "read-only")
    connect(page, story.relay, story.plain, story.full)
    page.goto(f"{story.relay}/integrations")
    expect(store).to_have_count(1)
    expect(store.get_by_role("button", name="Push inventory")).to_be_enabled()


def with_the_plugin_alone(owner: Page, merchant: Page, story, pictures) -> None:
    owner.goto(f"{story.relay}/website/connect")
    owner.get_by_role("button", name="Make a connection string").click()
    string = owner.locator("code.secret").inner_text()
    into_wordpress(merchant, story.bare, story.user, story.password)
    merchant.goto(f"{story.bare}/wp-admin/admin.php?page=nexpura")
    merchant.locator("[name=connection]").fill(string)
    merchant.get_by_role("button", name="Connect", exact=True).click()
    expect(merchant.get_by_text("This shop is connected to Nexpura.")).to_be_visible()
    expect(merchant.get_by_text("Nexpura hears of sales by WooCommerce's webhooks.")).to_be_visible()
    merchant.get_by_text("For support").click()
    expect(merchant.get_by_text("by WooCommerce's webhooks (the PHP extension is not loaded)")).to_be_visible()
    merchant.get_by_role("button", name="Send test event").click()
    told = merchant.locator(".notice-success").filter(has_text="Nexpura knows this shop.")
    expect(told).to_be_visible()
    pictures.take(merchant, "wordpress-without-extension", within=".wrap")
    owner.goto(f"{story.relay}/integrations")
    until(owner, lambda: card(owner, story.bare).get_by_text(BY_WEBHOOKS), "the other shop has its webhooks")


def the_roles(person, owner: Page, story, pictures) -> None:
    home = story.relay
    article = card(owner, story.plain)
    store = article.get_by_role("link", name="Disconnect").get_attribute("href").removesuffix("/disconnect")
    for_owners = ("/settings/people",)
    manager = person()
    come_in(manager, story.manager)
    refused(manager, home, for_owners, for_owners)
    for path in ("/website/connect", "/integrations", "/settings/integrations", "/settings/activity"):
        assert manager.goto(f"{home}{path}").status == 200, path
    manager.goto(f"{home}/integrations")
    expect(card(manager, story.plain).get_by_role("button", name="Import products")).to_be_enabled()
    at_rest(manager)
    pictures.take(manager, "as-manager")
    # The shop with the plugin needs no custom fields.
    manager.goto(f"{home}/settings/integrations")
    fields = manager.get_by_label("Mark products and customers too")
    expect(fields).to_have_count(1)
    expect(fields).not_to_be_checked()
    fields.check()
    manager.locator("form").filter(has=fields).get_by_role("button", name="Save").click()
    expect(manager.get_by_text("Saved for")).to_be_visible()
    expect(fields).to_be_checked()
    pictures.take(manager, "marks")

    staff = person()
    come_in(staff, story.staff)
    refused(
        staff,
        home,
        (*for_owners, "/website/connect", "/settings/integrations", "/settings/activity", f"{store}/disconnect"),
        (
            *for_owners,
            "/website/connect",
            "/website/connect/string",
            *(f"{store}/sync/{kind}" for kind in ("products", "customers", "orders", "inventory", "reconcile")),
            *(f"{store}/{deed}" for deed in ("test", "webhooks/setup", "webhooks/remove", "disconnect", "resume", "accept")),
            "/settings" + store + "/policy",
            "/drift/adopt",
            "/drift/push",
            "/events/retry",
        ),
    )
    staff.goto(f"{home}/integrations")
    expect(card(staff, story.plain)).to_contain_text("Last synced")
    expect(staff.get_by_role("main").get_by_role("button")).to_have_count(0)
    expect(staff.get_by_role("link", name=re.compile("Disconnect|Connect a store"))).to_have_count(0)
    at_rest(staff)
    pictures.take(staff, "as-staff")
    for path in ("/", "/sales", "/inventory", "/customers", "/events", "/drift", "/settings"):
        assert staff.goto(f"{home}{path}").status == 200, path


with walking("by_webhooks") as (story, person, pictures):
    owner = person()
    come_in(owner, story.link)
    by_key(owner, story, pictures)
    read_only(owner, story, pictures)
    with_the_plugin_alone(owner, person(), story, pictures)
    the_roles(person, owner, story, pictures)

    # Our webhooks go with the connection.
    card(owner, story.plain).get_by_role("link", name="Disconnect").click()
    expect(owner.get_by_role("main")).to_contain_text("webhooks in the shop")
    pictures.take(owner, "disconnect")
    owner.get_by_role("button", name="Disconnect").click()
    owner.goto(f"{story.relay}/integrations")
    expect(card(owner, story.plain)).to_contain_text("Disconnected")
    assert ours(story) == []
    at_rest(owner)
    pictures.take(owner, "disconnected")
