"""What a merchant sees and does in WordPress: the settings page and its buttons, the order's box and column, the piece
beside a stock, WooCommerce's status report and Site Health; while the relay answers and while it is away."""

import re

from playwright.sync_api import Page, expect

from doors import come_in, for_support, into_wordpress
from walk import HEALTH, PHONE, Story, opens, until, walking

SETTINGS = "admin.php?page=nexpura"
STATUS = "table:has([data-export-label='Nexpura'])"
IN_NEXPURA = "#nexpura-order"


def row(page: Page, caption: str, name: str):
    """What stands beside a name in one of the settings page's tables."""
    for_support(page)
    table = page.locator(f"h3:text-is('{caption}') + table")
    return table.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True)).locator("td")


def press(page: Page, button: str, told: str | re.Pattern, *, good: bool = True) -> None:
    """Presses a button of the settings page, which then says what came of it."""
    for_support(page)
    page.get_by_role("button", name=button, exact=True).click()
    notice = page.locator(f".wrap .notice-{'success' if good else 'error'}")
    expect(notice.filter(has_text=told)).to_be_visible()


def stands(page: Page, how: str):
    """The settings page's first card, which says how this shop stands."""
    return page.locator(".nexpura-card").filter(has=page.get_by_role("heading", name=how, exact=True))


def box(page: Page):
    return page.locator(IN_NEXPURA)


def health(page: Page, label: str, *, passed: bool) -> None:
    """Site Health lists a finding, once it has asked all that it asks."""
    if passed:
        expect(page.locator(".site-health-progress.loading")).to_have_count(0, timeout=HEALTH)
        opens(page.locator(".site-health-view-passed"), page.locator("#health-check-issues-good"))
    finding = page.get_by_role("button", name=label)
    expect(finding).to_be_visible(timeout=HEALTH)
    opens(finding, page.get_by_role("button", name=label, expanded=True))


def while_all_is_well(page: Page, story: Story, pictures, admin: str) -> None:
    page.goto(f"{admin}/{SETTINGS}")
    well = stands(page, "Connected").filter(has_text="Everything is sent.")
    until(page, lambda: well, "what the sale touched is sent")
    # Nobody replaces a connection or ends it by the way.
    for hidden in ("Replace and connect", "Disconnect"):
        expect(page.get_by_role("button", name=hidden, exact=True)).to_be_hidden()
    pictures.take(page, "settings", within=".wrap")
    expect(row(page, "Connection", "Nexpura says")).to_have_text("connected")
    expect(row(page, "Connection", "Relay")).to_have_text(story.relay)
    expect(row(page, "Connection", "Capture")).to_contain_text("by the PHP extension")
    expect(row(page, "Spool", "Waiting to be sent")).to_have_text("0")
    expect(row(page, "Spool", "Writable")).to_have_text("yes")
    pictures.take(page, "settings-for-support", within=".wrap")
    press(page, "Send test event", re.compile(r"Nexpura acknowledged it within [\d.]+ seconds"))
    pictures.take(page, "test-event", within=".wrap")

    page.goto(f"{admin}/admin.php?page=wc-orders&action=edit&id={story.order}")
    until(page, lambda: box(page).get_by_role("link", name="In Nexpura"), "the order is in the ledger")
    expect(box(page).get_by_role("link", name="In Nexpura")).to_have_attribute(
        "href", re.compile(f"^{re.escape(story.relay)}/sales/")
    )
    expect(box(page).get_by_role("link", name="Try again now")).to_have_count(0)
    pictures.take(page, "order", within=IN_NEXPURA)
    page.goto(f"{admin}/admin.php?page=wc-orders")
    column = page.locator(f"#order-{story.order} td.column-nexpura")
    until(page, lambda: column.get_by_role("link", name="In Nexpura"), "the list says so too")
    pictures.take(page, "orders", within="td.column-nexpura")


def the_stocks(page: Page, story: Story, pictures, admin: str) -> None:
    page.goto(f"{admin}/post.php?post={story.ring}&action=edit")
    beside = page.locator("#inventory_product_data .nexpura-state").locator("..")
    until(page, lambda: beside.filter(has_text=f"Nexpura has {story.left}."), "the relay has told")
    opens(page.locator(".inventory_tab a"), page.locator("#inventory_product_data"))
    for sentence in ("SKU matched: RING.", f"Nexpura has {story.left}.", "Nothing was pushed yet."):
        expect(beside).to_contain_text(sentence)
    piece = beside.get_by_role("link", name="Open the piece in Nexpura")
    expect(piece).to_have_attribute("href", f"{story.relay}/inventory/RING")
    pictures.take(page, "product", within="#inventory_product_data div:has(> .nexpura-state)")

    page.goto(f"{admin}/post.php?post={story.band}&action=edit")
    variations = page.locator("#variable_product_options .woocommerce_variation")
    opens(page.locator(".variations_tab a"), page.locator("#variable_product_options"))
    expect(variations).to_have_count(2)
    one = variations.filter(has_text="BAND-52")
    beside = one.locator(".nexpura-state").locator("..")
    opens(one.locator("h3"), beside)
    expect(beside).to_contain_text("SKU matched: BAND-52.")
    expect(beside).to_contain_text("Nexpura has 4.")
    pictures.take(page, "variation", within="#variable_product_options .form-row:has(> .nexpura-state)")

    page.goto(f"{admin}/edit.php?post_type=product")
    mark = page.locator(f"#post-{story.ring} .post-state").filter(has_text="Synced with Nexpura")
    until(page, lambda: mark, "the piece is marked in the list")
    pictures.take(page, "products", within=".post-state")
    page.goto(f"{admin}/users.php")
    synced = page.locator("td.column-nexpura_synced").filter(has_text=re.compile("^Synced with Nexpura$"))
    until(page, lambda: synced, "the customer is marked in the list")
    expect(page.locator("tr").filter(has=synced)).to_contain_text("ada@buyers.example")
    pictures.take(page, "users", within="td.column-nexpura_synced")


def the_reports(page: Page, story: Story, pictures, admin: str) -> None:
    page.goto(f"{admin}/admin.php?page=wc-status")
    section = page.locator(STATUS)
    expect(section.get_by_role("row").filter(has_text="Nexpura says")).to_contain_text("connected")
    pictures.take(page, "system-status", within=STATUS, closeup=True)
    report = page.locator("#debug-report textarea")
    opens(page.get_by_role("link", name="Get system report"), report)
    expect(report).to_have_value(re.compile("### Nexpura ###"))
    assert "whsec_" not in report.input_value() and "ck_" not in report.input_value()

    page.goto(f"{admin}/site-health.php")
    health(page, "This shop is connected to Nexpura", passed=True)
    for label in (
        "The Nexpura PHP extension is loaded",
        "Captured events are sent as they happen",
        "The shop has the address under which it is connected",
        "revision table is in order",
        "The Nexpura relay can be reached",
        "Nexpura knows this shop and reads it",
    ):
        expect(page.get_by_role("button", name=label)).to_be_visible(timeout=HEALTH)
    pictures.take(page, "site-health", within="[id^=health-check-accordion-block-nexpura]")
    page.goto(f"{admin}/site-health.php?tab=debug")
    info = page.locator("#health-check-accordion-block-nexpura")
    opens(page.get_by_role("button", name="Nexpura", exact=True), info)
    expect(info).to_contain_text("Order storage")
    assert "whsec_" not in info.inner_text()
    pictures.take(page, "site-health-info", within="#health-check-accordion-block-nexpura")


def the_plugin_itself(page: Page, story: Story, pictures, admin: str) -> None:
    page.goto(f"{admin}/plugins.php")
    ours = page.locator("tr[data-slug='nexpura']")
    expect(ours.get_by_role("link", name="Settings")).to_have_attribute("href", re.compile(r"page=nexpura$"))
    ours.scroll_into_view_if_needed()
    pictures.take(page, "plugins", within="tr[data-slug='nexpura']")
    page.goto(f"{admin}/options-privacy.php?tab=policyguide")
    opens(page.get_by_role("button", name="Nexpura", exact=True), page.get_by_text("are passed on to Nexpura"))
    pictures.take(page, "privacy-guide", within=".privacy-settings-accordion-panel:not([hidden])")


def what_needs_a_person(page: Page, story: Story, pictures, admin: str) -> None:
    """Each trouble is said where people look, and on the settings page with what to press."""
    notice = page.locator("#wpbody-content .notice").filter(has_text="Nexpura:")

    def told(where: str, said: str) -> None:
        page.goto(f"{admin}/index.php")
        expect(notice.filter(has_text=said)).to_be_visible()
        pictures.take(page, f"dashboard-{where}", within="#wpbody-content .notice:has(a[href$='page=nexpura'])")
        page.goto(f"{admin}/{SETTINGS}")

    story.ask("key_is_removed")
    told("key-removed", "The WooCommerce key that Nexpura uses was removed")
    expect(stands(page, "Nexpura cannot read this shop")).to_contain_text("Connect again: a new key is made.")
    pictures.take(page, "settings-key-removed", within=".wrap")
    press(page, "Connect again (makes a new key)", "This shop is connected to Nexpura.")
    expect(stands(page, "Connected")).to_be_visible()

    story.ask("comes_from_elsewhere")
    told("moved", "https://old.example")
    expect(stands(page, "Moved, or a copy?")).to_contain_text("https://old.example")
    pictures.take(page, "settings-moved", within=".wrap")
    page.get_by_role("button", name="The shop has moved here").click()
    expect(stands(page, "Connected")).to_be_visible()

    # A string is there, and the relay could not be asked yet.
    story.ask("relay_goes_away")
    story.ask("registration_is_forgotten")
    page.goto(f"{admin}/{SETTINGS}")
    page.get_by_role("button", name="Connect now").click()
    expect(page.locator(".wrap .notice-error").filter(has_text="could not be reached")).to_be_visible()
    expect(stands(page, "Not connected yet")).to_be_visible()
    pictures.take(page, "settings-half-connected", within=".wrap")
    told("half-connected", "could not be reached")
    story.ask("relay_comes_back")
    page.get_by_role("button", name="Connect now").click()
    expect(stands(page, "Connected")).to_be_visible()


def while_the_relay_is_away(page: Page, story: Story, pictures, admin: str) -> None:
    story.ask("relay_goes_away")
    order = story.ask("sell", product=story.ring)
    page.goto(f"{admin}/{SETTINGS}")
    press(page, "Send test event", re.compile(r"did not take the test event yet"), good=False)
    first = stands(page, "No connection to Nexpura right now")
    expect(first).to_contain_text(re.compile(r"Nexpura does not answer\. \d+ events? waits? here and (is|are) sent later"))
    # What broke, in the machines' own words, is for those who look for it.
    read_first = page.locator(".notice:visible, .nexpura-card").all_inner_texts()
    assert not re.search("cURL|os error|spool|relay", "\n".join(read_first)), read_first
    pictures.take(page, "settings-relay-away", within=".wrap")
    expect(row(page, "Connection", "Nexpura says")).to_contain_text("cURL error 7")
    expect(row(page, "Spool", "Waiting to be sent")).not_to_have_text("0")
    expect(row(page, "Spool", "Last problem")).not_to_be_empty()
    pictures.take(page, "settings-relay-away-for-support", within=".wrap")
    page.goto(f"{admin}/admin.php?page=wc-orders&action=edit&id={order}")
    expect(box(page)).to_contain_text("Waiting to be sent")
    expect(box(page)).to_contain_text("Nexpura does not answer.")
    pictures.take(page, "order-relay-away", within=IN_NEXPURA)
    page.goto(f"{admin}/site-health.php")
    health(page, "The Nexpura relay cannot be reached", passed=False)
    expect(page.get_by_role("button", name="Nexpura says nothing of this shop")).to_be_visible(timeout=HEALTH)
    pictures.take(page, "site-health-relay-away", within="[id^=health-check-accordion-block-nexpura]")

    story.ask("relay_comes_back")
    page.goto(f"{admin}/{SETTINGS}")
    press(page, "Send now", re.compile(r"^\d+ sent, nothing left\.$"))
    expect(row(page, "Spool", "Waiting to be sent")).to_have_text("0")
    expect(row(page, "Connection", "Nexpura says")).to_have_text("connected")
    story.ask("quiet")
    page.goto(f"{admin}/admin.php?page=wc-orders&action=edit&id={order}")
    if box(page).get_by_role("link", name="Try again now").count():
        box(page).get_by_role("link", name="Try again now").click()
    until(page, lambda: box(page).get_by_role("link", name="In Nexpura"), "the order has come through")


def what_failed_is_tried_again(page: Page, story: Story, pictures, admin: str) -> None:
    story.ask("fail", order=story.order)
    press_again = page.locator(f"#order-{story.order} td.column-nexpura").get_by_role("link", name="Try again now")
    page.goto(f"{admin}/admin.php?page=wc-orders")
    # What the relay said a moment ago is shown for a while.
    until(page, lambda: press_again, "the list has heard of it")
    pictures.take(page, "orders-failed", within="td.column-nexpura")
    # On a phone a row shows its columns to who opens it.
    page.set_viewport_size(PHONE)
    opens(page.locator(f"#order-{story.order} .toggle-row"), press_again)
    pictures.take(page, "orders-failed-open", within="td.column-nexpura")
    page.goto(f"{admin}/admin.php?page=wc-orders&action=edit&id={story.order}")
    until(page, lambda: box(page).filter(has_text="Failed"), "the order's page has heard of it")
    expect(box(page)).to_contain_text("Nexpura could not read the latest change, and tries again by itself.")
    expect(box(page)).to_contain_text("An earlier state was synced: ")
    expect(box(page)).not_to_contain_text("Synced with Nexpura")
    expect(box(page).locator(".nexpura-cause")).to_contain_text("currency")
    pictures.take(page, "order-failed", within=IN_NEXPURA)
    story.ask("mend")
    box(page).get_by_role("link", name="Try again now").click()
    expect(page.locator(".notice-success").filter(has_text="Nexpura reads it again now")).to_be_visible()
    story.ask("nothing_failed")
    page.goto(f"{admin}/admin.php?page=wc-orders")
    expect(press_again).to_have_count(0)


with walking("wordpress") as (story, person, pictures):
    admin = f"{story.shop}/wp-admin"
    merchant = person()
    into_wordpress(merchant, story.shop, story.user, story.password)
    for part in (
        while_all_is_well,
        the_stocks,
        the_reports,
        the_plugin_itself,
        what_failed_is_tried_again,
        while_the_relay_is_away,
        what_needs_a_person,
    ):
        part(merchant, story, pictures, admin)

    # Let go of from here, it is so there.
    merchant.goto(f"{admin}/{SETTINGS}")
    merchant.get_by_text("Disconnect…").click()
    pictures.take(merchant, "before-disconnecting", within=".wrap")
    expect(merchant.get_by_role("heading", name="Disconnect this shop from Nexpura?")).to_be_visible()
    press(merchant, "Disconnect", "This shop is disconnected from Nexpura, and its key removed.")
    pictures.take(merchant, "disconnected", within=".wrap")
    owner = person()
    come_in(owner, story.link)
    owner.goto(f"{story.relay}/integrations")
    expect(owner.get_by_role("article").filter(has_text=story.shop.split("://", 1)[1])).to_contain_text("Disconnected")
