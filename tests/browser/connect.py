"""A store is connected in both ways, brought over and given back with live progress, reconciled and disconnected."""

import re

from playwright.sync_api import expect

from cards import WHOLE_RUN, Runs, at_rest, bare, card
from doors import come_in, into_wordpress
from walk import until, walking

with walking("connect") as (story, person, pictures):
    owner = person()
    come_in(owner, story.link)
    owner.goto(f"{story.relay}/integrations")
    pictures.take(owner, "no-store")
    owner.get_by_role("link", name="Connect a store").first.click()
    pictures.take(owner, "connect")

    # With the plugin: one string, pasted once.
    owner.get_by_role("button", name="Make a connection string").click()
    string = owner.locator("code.secret").inner_text()
    expect(owner.get_by_text("This page notices by itself")).to_be_visible()
    expect(owner.get_by_text("in WordPress, see here")).to_be_hidden()
    pictures.take(owner, "connection-string")
    # Where copying is not allowed, that is said and the string is selected; pressed again, it may work.
    owner.evaluate("() => { navigator.clipboard.writeText = async () => { throw new DOMException('', 'NotAllowedError') } }")
    owner.get_by_role("button", name="Copy").click()
    refused = owner.get_by_role("button", name="Copying was refused")
    expect(refused).to_be_visible()
    assert owner.evaluate("getSelection().toString()").strip() == string
    pictures.take(owner, "connection-string-not-copied")
    owner.evaluate("delete navigator.clipboard.writeText")
    owner.context.grant_permissions(["clipboard-read", "clipboard-write"])
    refused.click()
    expect(owner.get_by_role("button", name="Copied")).to_be_visible()
    assert owner.evaluate("navigator.clipboard.readText()") == string
    merchant = person()
    into_wordpress(merchant, story.shop, story.user, story.password)
    merchant.goto(f"{story.shop}/wp-admin/admin.php?page=nexpura")
    expect(merchant.get_by_role("heading", name="Connect this shop to Nexpura")).to_be_visible()
    pictures.take(merchant, "wordpress-not-connected", within=".wrap")
    merchant.locator("[name=connection]").fill("https://not-a-string")
    merchant.get_by_role("button", name="Connect", exact=True).click()
    expect(merchant.locator(".notice-error")).to_be_visible()
    pictures.take(merchant, "wordpress-wrong-string", within=".wrap")
    merchant.locator("[name=connection]").fill(string)
    merchant.get_by_role("button", name="Connect", exact=True).click()
    expect(merchant.get_by_text("This shop is connected to Nexpura.")).to_be_visible()
    pictures.take(merchant, "wordpress-connected", within=".wrap")
    # The page in the panel notices by itself, and the string is not shown again.
    expect(owner.get_by_role("status")).to_contain_text("is connected", timeout=WHOLE_RUN)
    assert string not in owner.content()
    pictures.take(owner, "connected")

    owner.goto(f"{story.relay}/integrations")
    expect(card(owner, story.shop)).to_contain_text("Connected", ignore_case=True)
    story.ask("opened")

    # Imports: what is there already is passed over, what cannot be brought over is told with the reason.
    story.ask("copies", of="CHAIN", count=900)
    runs = Runs(story, owner, story.shop)
    lived = runs.run(
        "Import products",
        "Importing products",
        r"✓ Synced 900 items, 1 skipped[\s\S]*up to date already",
        lambda: pictures.take(owner, "running"),
    )
    assert any(re.fullmatch(r"Importing products: [1-9]\d* of \d+", told) for told in lived), lived
    card(owner, story.shop).get_by_role("link", name="Why").click()
    expect(owner.get_by_role("row").filter(has_text="Loose stone")).to_contain_text("SKU")
    pictures.take(owner, "run")
    owner.goto(f"{story.relay}/integrations")
    synced = r"✓ Synced \d+ items?, \d+ skipped"
    runs.run("Import customers", "Importing customers", synced)
    runs.run("Import orders", "Importing orders", synced)

    # Every run can be looked up again, with its report.
    at_rest(owner)
    card(owner, story.shop).get_by_role("link", name="Earlier runs").click()
    products = owner.get_by_role("row").filter(has_text="Import products").first
    expect(products).to_contain_text("Done")
    expect(products.get_by_role("cell")).to_contain_text(["Import products", "900", "1"])
    pictures.take(owner, "runs")
    owner.get_by_label("What").select_option("Import orders")
    owner.get_by_role("button", name="Show", exact=True).click()
    expect(owner.get_by_role("row").filter(has_text="Import orders").first).to_be_visible()
    expect(owner.get_by_role("row").filter(has_text="Import products")).to_have_count(0)
    owner.get_by_role("link", name="Show all").click()
    products.get_by_role("link").click()
    expect(owner.get_by_role("row").filter(has_text="Loose stone")).to_be_visible()
    file = owner.request.get(owner.url + "/findings.csv")
    assert file.status == 200 and "Loose stone" in file.text(), file.status

    # What would change is shown before it is pushed.
    owner.goto(f"{story.relay}/integrations")
    story.ask("hold")
    story.ask("adjust", sku="RING", change="-2")
    card(owner, story.shop).get_by_role("link", name="What would change").click()
    change = owner.get_by_role("row").filter(has_text="RING")
    expect(change.get_by_role("cell").last).to_have_text("9 → 7 (−2)")
    pictures.take(owner, "what-would-change")
    owner.goto(f"{story.relay}/integrations")
    # The change is on its way by itself as well; where a sweep is before the run, it may be through before it is counted.
    runs.run("Push inventory", "Pushing inventory", "✓ Synced (1 item|0 items), 0 skipped")
    story.ask("reaches_the_shop", sku="RING", stock=7)
    card(owner, story.shop).get_by_role("link", name="What would change").click()
    # The shop has it before its answer has come back.
    until(owner, lambda: owner.get_by_text("Nothing would change"), "the push is acknowledged")
    owner.goto(f"{story.relay}/integrations")
    card(owner, story.shop).get_by_role("button", name="Test the connection").click()
    expect(owner.get_by_role("status").first).to_be_visible()

    # With a key: what is wrong is said, and nothing is kept of it.
    def by_key(address: str, secret: str) -> None:
        owner.goto(f"{story.relay}/website/connect")
        owner.get_by_label("Store URL").fill(address)
        owner.get_by_label("Consumer key").fill(story.consumer_key)
        owner.get_by_label("Consumer secret").fill(secret)
        owner.get_by_role("button", name="Check and connect").click()

    by_key(story.plain, "cs_" + "0" * 40)
    expect(owner.get_by_role("alert")).to_contain_text("Invalid API credentials")
    pictures.take(owner, "wrong-key")
    by_key("https://nobody.invalid", story.consumer_secret)
    expect(owner.get_by_role("alert")).to_contain_text("Cannot reach store URL")
    by_key(f"  {story.plain}/  ", story.consumer_secret)
    expect(owner.get_by_role("status").first).to_contain_text(f"Connected to {bare(story.plain)}")
    assert story.consumer_secret not in owner.content()

    owner.goto(f"{story.relay}/integrations")
    for shop in (story.shop, story.plain):
        expect(card(owner, shop)).to_contain_text("Connected", ignore_case=True)
    at_rest(owner)
    pictures.take(owner, "integrations")

    manager_page = owner.goto(f"{story.relay}/settings/integrations")
    assert manager_page.status == 200
    pictures.take(owner, "policies")

    owner.goto(f"{story.relay}/integrations")
    card(owner, story.plain).get_by_role("link", name="Disconnect").click()
    expect(owner.get_by_role("main")).to_contain_text("What stays")
    pictures.take(owner, "disconnect")
    owner.get_by_role("button", name="Disconnect").click()
    owner.goto(f"{story.relay}/integrations")
    expect(card(owner, story.plain)).to_contain_text("Disconnected", ignore_case=True)
    expect(card(owner, story.shop)).to_contain_text("Connected", ignore_case=True)
