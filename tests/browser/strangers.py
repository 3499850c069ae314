"""Who comes to a door that is not theirs: an address that leads nowhere, a link that counts no longer, a form of another
site's page, too many guesses; and somebody who works for several jewellers."""

import re

from playwright.sync_api import Page, expect

from doors import PASSWORD, come_in, log_in
from walk import walking


def leads_nowhere(page: Page, address: str, status: int, told: str) -> None:
    """An address answers with a page that says why there is nothing, and from which one goes on."""
    answer = page.goto(address)
    assert answer.status == status, f"{address} answered {answer.status}"
    expect(page.get_by_role("heading", level=1)).to_have_text(told)
    expect(page.get_by_role("link", name=re.compile("^Go to (Nexpura|Home)$"))).to_have_attribute("href", "/")


def the_outside(page: Page, story, pictures) -> None:
    home = story.relay
    leads_nowhere(page, f"{home}/nothing/here", 404, "Not found")
    pictures.take(page, "not-found")
    leads_nowhere(page, f"{home}/logout", 405, "Nothing to see here")
    leads_nowhere(page, f"{home}/set-password?link=nobody-gave-this", 410, "This link is no longer valid")
    pictures.take(page, "wrong-link")
    page.goto(story.late)
    expect(page.get_by_label("New password")).to_be_visible()
    story.ask("links_expire")
    leads_nowhere(page, story.late, 410, "This link is no longer valid")
    # What a person asks for is shown once they are in, and not before.
    page.goto(f"{home}/sales?q=25")
    expect(page).to_have_url(re.compile(r"/login\?next="))


def from_elsewhere(page: Page, story, pictures) -> None:
    """Another site's page sends a form of ours in somebody's name."""
    page.set_content(
        f'<form method="post" action="{story.relay}/login"><input name="email" value="ann@aurelia.example">'
        f'<input name="password" value="{PASSWORD}"><button>Win a ring</button></form>'
    )
    with page.expect_response(f"{story.relay}/login") as answer:
        page.get_by_role("button", name="Win a ring").click()
    assert answer.value.status == 403, answer.value.status
    expect(page.get_by_role("heading", level=1)).to_have_text("Not from here")
    pictures.take(page, "from-elsewhere")


def of_two_jewellers(page: Page, story, pictures) -> None:
    log_in(page, story.relay, "ann@aurelia.example")
    expect(page.get_by_role("alert")).to_contain_text("several jewellers")
    jeweller = page.get_by_label("Jeweller")
    expect(jeweller.get_by_role("option")).to_have_text(["aurelia", "borealis"])
    pictures.take(page, "several-jewellers")
    jeweller.select_option("borealis")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("borealis")
    leads_nowhere(page, f"{story.relay}/nothing/here", 404, "Not found")
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    pictures.take(page, "not-found-within")


def guess(page: Page, story, pictures) -> None:
    for _ in range(20):
        with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            log_in(page, story.relay, "ann@aurelia.example", "a guess at it")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if answer.value.status == 429:
            break
        expect(page.get_by_role("alert")).to_contain_text("wrong")
    expect(page.get_by_role("heading", level=1)).to_have_text("Too many tries")
    expect(page.get_by_role("main")).to_contain_text("Try again in")
    pictures.take(page, "too-many-tries")


with walking("strangers") as (story, person, pictures):
    for link in (story.link, story.elsewhere):
        come_in(person(), link)
    the_outside(person(), story, pictures)
    from_elsewhere(person(), story, pictures)
    of_two_jewellers(person(), story, pictures)
    guess(person(), story, pictures)
