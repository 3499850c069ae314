"""The first owner comes in by the link that the command line printed, and lets others in; each sees what is theirs."""

import re
from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from doors import come_in, log_in
from walk import SMALL_PHONE, fits, walking

# How much of the page has moved since it was first painted.
SHIFTS = """
    window.shifted = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.shifted += one.value; }))
        .observe({ type: "layout-shift", buffered: true });
"""


def invite(page: Page, email: str, role: str) -> str:
    page.get_by_label("E-mail").fill(email)
    page.locator("form[action='/settings/people']").get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name=f"Give {email} this link")).to_be_visible()
    return page.locator("code.secret").inner_text()


with walking("first_login") as (story, person, pictures):
    owner = person()
    owner.goto(story.relay)
    expect(owner).to_have_url(re.compile("/login"))
    pictures.take(owner, "login")
    log_in(owner, story.relay, "ann@aurelia.example", "a guess at it")
    expect(owner.get_by_role("alert")).to_be_visible()

    owner.goto(story.link)
    pictures.take(owner, "set-password")
    come_in(owner, story.link)
    expect(owner.get_by_text("No sales in the last 14 days.")).to_be_visible()
    pictures.take(owner, "home")
    owner.goto(f"{story.relay}/settings")
    pictures.take(owner, "settings")
    owner.set_viewport_size(SMALL_PHONE)
    fits(owner, "settings, on a small phone")
    owner.goto(f"{story.relay}/settings/people")
    links = {role: invite(owner, f"{role}@aurelia.example", role) for role in ("manager", "staff")}
    pictures.take(owner, "people")

    # A moment is told as the reader's own clock has it, before anything of the page is seen; its title keeps UTC.
    for zone, ahead, scripts in (("Asia/Kolkata", 330, True), ("UTC", 0, True), ("Asia/Kolkata", 0, False)):
        reader = person(timezone_id=zone, java_script_enabled=scripts)
        reader.context.add_cookies(owner.context.cookies())
        if scripts:
            reader.add_init_script(SHIFTS)
        reader.goto(f"{story.relay}/settings/people")
        invite(reader, f"{zone[-3:]}-{scripts}@aurelia.example".lower(), "staff")
        moment = reader.locator("time[data-form=moment]").first
        at = datetime.fromisoformat(moment.get_attribute("datetime"))
        in_utc = f"{at:%-d %b %Y, %H:%M} UTC"
        told = f"{at + timedelta(minutes=ahead):%-d %b %Y, %H:%M}" if scripts else in_utc
        expect(moment).to_have_text(told)
        expect(moment).to_have_attribute("title", in_utc)
        if scripts:
            assert reader.evaluate("window.shifted") == 0, f"in {zone} the page moved under the reader's eyes"
        if ahead:
            pictures.take(reader, "people-elsewhere")

    # Whoever is to go is asked about first.
    gone = "utc-true@aurelia.example"
    owner.goto(f"{story.relay}/settings/people")
    owner.get_by_role("link", name=re.compile(f"^Remove… ?{re.escape(gone)}$")).click()
    expect(owner.get_by_role("heading", level=1)).to_have_text(f"Remove {gone}?")
    pictures.take(owner, "remove-somebody")
    owner.get_by_role("link", name="Keep them").click()
    somebody = owner.get_by_role("row").filter(has_text=gone)
    expect(somebody).to_be_visible()
    somebody.get_by_role("link", name=re.compile("^Remove")).click()
    owner.get_by_role("button", name="Remove", exact=True).click()
    expect(owner.get_by_role("status").first).to_be_visible()
    expect(somebody).to_have_count(0)
    owner.goto(f"{story.relay}/settings/people")

    # By keyboard alone: the first stop leads past the navigation.
    owner.keyboard.press("Tab")
    expect(owner.get_by_role("link", name="Skip to the page")).to_be_focused()

    for role, link in links.items():
        other = person()
        come_in(other, link)
        refused = other.goto(f"{story.relay}/settings/people")
        assert refused.status == 403, refused.status
        expect(other.get_by_role("main")).to_contain_text("have permission to do this")
        if role == "staff":
            pictures.take(other, "refused")
        # A link is for once.
        other.context.clear_cookies()
        other.goto(link)
        assert "New password" not in other.content()
        log_in(other, story.relay, f"{role}@aurelia.example")
        expect(other.get_by_role("navigation", name="Pages")).to_be_visible()
        other.get_by_role("button", name="Log out").click()
        other.goto(story.relay)
        expect(other).to_have_url(re.compile("/login"))

    owner.goto(f"{story.relay}/settings/activity")
    expect(owner.get_by_role("main")).to_contain_text("staff@aurelia.example")
    pictures.take(owner, "activity")
