"""Names, SKUs and errors that are scripts: every page that shows them shows them as they were written, and none runs
them or tries to. Files for spreadsheets hold no formulas."""

import csv
import io
import re
from urllib.parse import quote

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from cards import WHOLE_RUN
from doors import come_in, for_support, into_wordpress
from walk import HEALTH, opens, until, walking

# A script, a handler or an address of theirs that has become part of the page.
AT_WORK = """() => [...document.querySelectorAll("*")].filter((one) =>
    (one.localName === "script" && one.textContent.trim().startsWith("nexpura_ran"))
    || (one.getAttribute("onerror") ?? "").startsWith("nexpura_ran")
    || (one.getAttribute("href") ?? "").startsWith("javascript:nexpura_ran")
).map((one) => one.outerHTML)"""


class Watch:
    """Somebody who looks at pages and notices what runs there."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.ran: list[str] = []
        page.expose_function("nexpura_ran", lambda place: self.ran.append(f"{place} on {page.url}"))

    def see(self, address: str, *shown: str) -> None:
        """Opens a page, which shows these as text and lets nothing run."""
        self.page.goto(address)
        self.look(*shown)

    def look(self, *shown: str) -> None:
        for place in shown:
            # Where it stands may be folded away, as a tab of WooCommerce's is; and the page may be on its way.
            wanted = f"nexpura_ran('{place}')"
            try:
                self.page.wait_for_function("(wanted) => document.body.textContent.includes(wanted)", arg=wanted)
            except NotInTime as late:
                raise AssertionError(f"{self.page.url} does not show the {place}") from late
        # A picture that fails tells so a moment later.
        self.page.wait_for_function("[...document.images].every((one) => one.complete || one.loading === 'lazy')")
        at_work = self.page.evaluate(AT_WORK)
        assert not at_work, f"{self.page.url}: {at_work}"
        assert not self.ran, self.ran


def the_panel(watch: Watch, story, pictures) -> None:
    page, home = watch.page, story.relay
    watch.see(f"{home}/inventory/{quote(story.sku, safe='')}", "sku", "product")
    page.get_by_label("Units").fill("1")
    page.get_by_label("Reason").select_option("other")
    page.get_by_label("Note").first.fill(story.note)
    page.get_by_role("button", name="Save", exact=True).click()
    watch.look("sku", "product", "adjusted")
    pictures.take(page, "piece")
    watch.see(f"{home}/inventory", "sku", "product")
    pictures.take(page, "inventory")
    watch.see(f"{home}/sales", "first name", "last name")
    pictures.take(page, "sales")
    watch.see(
        f"{home}/sales/{story.sale}",
        *("sku", "product", "first name", "last name", "company", "phone", "city", "note"),
        *("method", "transaction", "refund"),
    )
    pictures.take(page, "sale")
    watch.see(f"{home}/customers", "first name", "last name")
    pictures.take(page, "customers")

    watch.see(f"{home}/integrations")
    page.get_by_role("button", name="Import products").click()
    expect(page.locator(".notice").filter(has_text="✓ Synced")).to_be_visible(timeout=WHOLE_RUN)
    page.get_by_role("link", name=re.compile("Why|Details")).click()
    watch.look("skipped")
    pictures.take(page, "run")

    watch.see(f"{home}/settings/integrations")
    page.get_by_label("The shop’s number counts").check()
    page.get_by_role("button", name="Save").click()
    story.ask("empty_in_the_shop")
    page.goto(f"{home}/integrations")
    page.get_by_role("button", name="Compare now").click()
    page.goto(f"{home}/drift")
    until(page, lambda: page.get_by_role("button", name=re.compile("^Use the shop’s")), "the differences are there")
    watch.look("sku", "product")
    pictures.take(page, "differences")
    changes = page.goto(f"{home}/integrations") and page.get_by_role("link", name="What would change")
    changes.click()
    watch.look()
    watch.see(home)
    # Only now: what comes by a spool of its own is one more spool whose silence has to be believed.
    story.ask("misunderstand")
    watch.see(f"{home}/events?status=failed", "error")
    pictures.take(page, "events")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_text("Technical details").click()
    expect(page.get_by_role("heading", name="What the shop sent")).to_be_visible()
    watch.look("error")
    pictures.take(page, "event")
    watch.see(f"{home}/events?q={story.order}")
    for event in [link.get_attribute("href") for link in page.get_by_role("row").get_by_role("link").all()][:3]:
        watch.see(f"{home}{event}")
    watch.see(f"{home}/settings/activity", "sku")
    pictures.take(page, "activity")
    for asked in ("sales?q", "inventory?q", "customers?q", "events?q", "settings/activity?actor", "sales?from"):
        watch.see(f"{home}/{asked}={quote(story.asked)}")
    for odd in ("sales/", "inventory/", "events/", "integrations/runs/", "set-password?token="):
        watch.see(f"{home}/{odd}{quote(story.asked, safe='')}")


def the_files(page: Page, story) -> None:
    """What a spreadsheet opens has none of their formulas, and has them as text."""
    cells: set[str] = set()
    for name in ("sales", "inventory", "customers", "events", "drift", "settings/activity"):
        answer = page.request.get(f"{story.relay}/{name}.csv")
        assert answer.status == 200, f"{name}.csv answered {answer.status}"
        for line in csv.reader(io.StringIO(answer.text())):
            for cell in line:
                number = re.fullmatch(r"[+-]?\d+(\.\d+)?", cell)
                assert number or not re.match(r"[=+\-@\t\r\n]", cell), f"{name}.csv has {cell!r}"
                cells.add(cell)
    for formula in story.formulas:
        assert any(cell.startswith(f"'{formula}") for cell in cells), f"no file has {formula}"


def the_variations(watch: Watch, story, *shown: str) -> None:
    """WooCommerce brings them when somebody opens their tab."""
    page = watch.page
    watch.see(f"{story.shop}/wp-admin/post.php?post={story.band}&action=edit")
    variations = page.locator("#variable_product_options .woocommerce_variation")
    opens(page.locator(".variations_tab a"), page.locator("#variable_product_options"))
    beside = variations.locator(".nexpura-state").locator("..")
    expect(beside).to_have_count(1)
    for place in shown:
        expect(beside).to_contain_text(f"nexpura_ran('{place}')")
    watch.look()


def site_health(watch: Watch, story, finding: str, *shown: str) -> None:
    """What of it comes from the relay is asked for in the background, and written into the page by a script."""
    watch.see(f"{story.shop}/wp-admin/site-health.php")
    expect(watch.page.locator(".site-health-progress.loading")).to_have_count(0, timeout=HEALTH)
    expect(watch.page.locator(".health-check-accordion-trigger", has_text=finding)).to_be_attached()
    watch.look(*shown)


def in_wordpress(watch: Watch, story, finding: str, *shown: str) -> None:
    """Every screen of ours there; Site Health finds this."""
    page, admin = watch.page, f"{story.shop}/wp-admin"
    watch.see(f"{admin}/admin.php?page=wc-orders", *shown)
    watch.see(f"{admin}/admin.php?page=wc-orders&action=edit&id={story.order}", *shown)
    expect(page.locator("#nexpura-order")).to_be_attached()
    watch.see(f"{admin}/post.php?post={story.piece}&action=edit")
    expect(page.locator("#inventory_product_data .nexpura-state")).to_be_attached()
    the_variations(watch, story, *shown)
    watch.see(f"{admin}/admin.php?page=nexpura")
    expect(page.get_by_role("heading", name="Nexpura", exact=True)).to_be_visible()
    watch.see(f"{admin}/admin.php?page=wc-status")
    expect(page.locator("[data-export-label=Nexpura]")).to_be_attached()
    site_health(watch, story, finding, *shown)
    watch.see(f"{admin}/site-health.php?tab=debug")


with walking("inert") as (story, person, pictures):
    # Where nobody is careful it does run; else all that follows would prove nothing.
    careless = Watch(person())
    careless.page.set_content(f'<p title="{story.control}">')
    careless.page.wait_for_function("document.images.length > 0 && document.images[0].complete")
    assert careless.ran, "the mischief is too tame"
    careless.page.close()

    owner = Watch(person())
    come_in(owner.page, story.link)
    the_panel(owner, story, pictures)
    the_files(owner.page, story)

    merchant = Watch(person())
    into_wordpress(merchant.page, story.shop, story.user, story.password)
    in_wordpress(merchant, story, "Nexpura knows this shop and reads it")
    # What says that it is the relay is believed no more than a buyer.
    story.ask("lie", status=200)
    in_wordpress(merchant, story, "Nexpura has a problem with this shop", "relay")
    pictures.take(merchant.page, "wordpress", ours=False)
    for status in (409, 422, 500):
        story.ask("lie", status=status)
        in_wordpress(merchant, story, "Nexpura says nothing of this shop")
        merchant.page.goto(f"{story.shop}/wp-admin/admin.php?page=nexpura")
        for button in ("Send test event", "Connect again (makes a new key)"):
            for_support(merchant.page)
            merchant.page.get_by_role("button", name=button).click()
            expect(merchant.page.locator(".wrap .notice-error").first).to_be_visible()
            merchant.look()
