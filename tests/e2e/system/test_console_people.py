"""What people do in the console, in a real browser: customers, suggestions, cases; what others did meanwhile is told in words."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.system import System

pytestmark = pytest.mark.browser
SLOW_MS = 30_000
_numbers = count(1)


def say(system: System, channel: str, account: str, text: str, *, minutes_ago: float = 5, **author: Any) -> str:
    """Post one item and return its id."""
    item = {
        "source": "people-test",
        "external_id": f"p{next(_numbers)}",
        "channel": channel,
        "author": {"id": account, **author},
        "text": text,
        "occurred_at": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(),
        "brand": "Acme",
    }
    status, told = system.ask("ingest", "/v1/feedback", method="POST", body=item)
    assert status == 202, told
    return str(told["feedback_id"])


def customer_of(system: System, feedback_id: str) -> str:
    """Return the customer whose an item is."""
    system.settle()
    status, told = system.ask("crm-sync", f"/v1/feedback/{feedback_id}")
    assert status == 200, told
    return str(told["customer_id"])


def go(page: Page, address: str) -> None:
    """Open a page of the console by its address, as a link does."""
    page.evaluate("address => { location.hash = address; }", address)


@pytest.fixture
def two(system: System) -> tuple[str, str]:
    """Two customers of one name, by their ids; each test's are its own."""
    mark = f"n{next(_numbers)}"
    one = say(system, "forum", f"{mark}a", "Where is my parcel?", handle=f"{mark}a", name=f"Nora {mark.title()}")
    other = say(system, "shop", f"{mark}b", "It <i>never</i> came.", minutes_ago=3, handle=f"{mark}b", name=f"Nora {mark.title()} <b>")
    return customer_of(system, one), customer_of(system, other)


def test_a_customer_page_shows_what_comes_in_while_it_is_read(system: System, page: Page) -> None:
    mark = f"n{next(_numbers)}"
    one = customer_of(system, say(system, "forum", mark, "Is anybody there?", name=f"Nora {mark}"))
    go(page, f"#/customers/{one}")
    expect(page.locator("#timeline li")).to_have_count(1, timeout=SLOW_MS)
    expect(page.locator("#page h1")).to_be_focused()
    say(system, "forum", mark, "Never mind, it works.", minutes_ago=1, name=f"Nora {mark}")
    expect(page.locator("#timeline li").first).to_contain_text("Never mind", timeout=SLOW_MS)


@pytest.mark.capability("C1")
def test_two_customers_are_merged_with_a_preview_and_taken_apart_again(system: System, page: Page, two: tuple[str, str]) -> None:
    one, other = two
    go(page, f"#/customers/{one}")
    page.get_by_role("button", name="Merge…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("searchbox").fill(other)
    dialog.get_by_role("radio").check(timeout=SLOW_MS)
    expect(dialog.locator(".side").last).to_contain_text("2 items", timeout=SLOW_MS)
    dialog.get_by_role("button", name="Merge them").click()
    expect(dialog).to_be_hidden(timeout=SLOW_MS)
    expect(page.locator("#timeline li")).to_have_count(2, timeout=SLOW_MS)
    expect(page.locator("#timeline")).to_contain_text("It <i>never</i> came.")
    expect(page.locator(".history")).to_contain_text("Jürgen Möller joined it with another", timeout=SLOW_MS)
    expect(page.locator(".evidence")).to_be_visible()
    assert (
        system.ask("crm-sync", f"/v1/customers/{other}")[1]["customer_id"]
        == system.ask("crm-sync", f"/v1/customers/{one}")[1]["customer_id"]
    )
    page.get_by_role("button", name="Take apart…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Take apart")).to_be_disabled()
    dialog.locator("label", has_text="shop:").first.click()
    expect(dialog.locator(".sides")).to_be_visible(timeout=SLOW_MS)
    dialog.get_by_role("button", name="Take apart").click()
    expect(page.locator("#timeline li")).to_have_count(1, timeout=SLOW_MS)
    assert system.ask("crm-sync", f"/v1/customers/{other}")[1]["customer_id"] == other


def test_what_somebody_else_did_meanwhile_is_told_in_words_and_nothing_is_overwritten(
    system: System, page: Page, two: tuple[str, str]
) -> None:
    one, _ = two
    go(page, f"#/customers/{one}")
    page.get_by_role("button", name="Edit…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Value").fill("Nora Newname")
    assert system.ask("crm-sync", f"/v1/customers/{one}/lock", method="POST", body={"locked": True})[0] == 200
    dialog.get_by_role("button", name="Set it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("locked it", timeout=SLOW_MS)
    expect(page.locator("#page h1")).not_to_contain_text("Newname")
    dialog.get_by_role("button", name="Set it").click()
    expect(page.locator("#page h1")).to_contain_text("Nora Newname", timeout=SLOW_MS)
    expect(page.locator("#page h1")).to_contain_text("locked")
    expect(page.locator(".fields")).to_contain_text("Jürgen Möller")


@pytest.mark.capability("G2")
def test_a_consent_is_recorded_and_the_rules_are_told(system: System, page: Page, two: tuple[str, str]) -> None:
    del system
    go(page, f"#/customers/{two[0]}")
    page.get_by_role("button", name="Consents…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("The customer").select_option("allows it")
    dialog.get_by_role("button", name="Record it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("needs the identifier", timeout=SLOW_MS)
    dialog.get_by_label("The customer").select_option("forbids it")
    dialog.get_by_role("button", name="Record it").click()
    expect(page.locator(".consents")).to_contain_text("forbidden", timeout=SLOW_MS)


@pytest.mark.capability("G14")
def test_a_customer_is_forgotten_only_after_a_confirmation_and_shows_receipts(system: System, page: Page, two: tuple[str, str]) -> None:
    one, _ = two
    go(page, f"#/customers/{one}")
    name = system.ask("crm-sync", f"/v1/customers/{one}")[1]["name"]
    page.get_by_role("button", name="Forget…").click()
    dialog = page.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Forget for ever")
    dialog.get_by_role("textbox").fill("somebody else")
    expect(button).to_be_disabled()
    dialog.get_by_role("textbox").fill(name)
    button.click()
    expect(page.locator("#receipts")).to_contain_text("crm-sync", timeout=SLOW_MS)
    assert system.ask("crm-sync", f"/v1/customers/{one}")[0] == 410
    go(page, f"#/customers/{one}")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is left", timeout=SLOW_MS)


@pytest.mark.capability("C1")
def test_suggestions_are_decided_by_the_keyboard(system: System, page: Page) -> None:
    mails = [f"review{next(_numbers)}@example.org" for _ in range(2)]
    people = ("Xanthippe Quill", "Yorick Vandermeer")
    for mail, name in zip(mails, people, strict=True):
        for channel in ("forum", "reviews"):
            said = say(system, channel, f"{mail[:8]}-{channel}", "How do I log in?", name=name, email=mail)
    customer_of(system, said)
    go(page, "#/review")
    pairs = page.locator(".pair")
    first = pairs.filter(has_text=people[0])
    expect(first.locator(".ground").first).to_be_visible(timeout=SLOW_MS)
    first.get_by_role("button", name="Same person").press("Enter")
    expect(first).to_have_count(0, timeout=SLOW_MS)
    second = pairs.filter(has_text=people[1])
    second.get_by_role("button", name="Not the same").press("Enter")
    expect(second).to_have_count(0, timeout=SLOW_MS)
    assert len(system.ask("crm-sync", f"/v1/customers?q={people[0].replace(' ', '%20')}")[1]["items"]) == 1
    assert len(system.ask("crm-sync", f"/v1/customers?q={people[1].replace(' ', '%20')}")[1]["items"]) == 2


def test_a_case_is_noted_assigned_handed_over_answered_and_resolved(system: System, page: Page) -> None:
    account = f"case{next(_numbers)}"
    opened = say(system, "twitter", account, "My bill is wrong and nobody helps, I want my money back!", handle=account)
    system.settle()
    case_id = system.ask("triage", f"/v1/feedback/{opened}")[1]["case_id"]
    go(page, f"#/cases/{case_id}")
    for button, field, value, confirm in (
        ("Note…", "Note", "looks like order 12 <script>", "Leave the note"),
        ("Assign…", "Owner", "Jürgen Möller", "Assign"),
        ("Hand over…", "Why", "it is a bug", "Hand over"),
    ):
        page.get_by_role("button", name=button).click()
        page.get_by_role("dialog").get_by_label(field).fill(value)
        page.get_by_role("dialog").get_by_role("button", name=confirm).click()
        expect(page.get_by_role("dialog")).to_have_count(0, timeout=SLOW_MS)
    expect(page.locator(".history")).to_contain_text("looks like order 12 <script>", timeout=SLOW_MS)
    expect(page.locator("header.head")).to_contain_text("owned by Jürgen Möller")
    page.get_by_role("textbox", name="Your answer").fill("We are looking into it.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.locator(".thread .ours")).to_contain_text("We are looking into it.", timeout=SLOW_MS)
    page.get_by_role("button", name="Resolve…").click()
    page.get_by_role("dialog").get_by_role("button", name="It is settled").click()
    expect(page.locator("header.head")).to_contain_text("resolved", timeout=SLOW_MS)
    expect(page.get_by_role("button", name="Reopen…")).to_be_visible()


def test_a_case_is_handed_to_any_team_of_the_installation(system: System, page: Page) -> None:
    account = f"case{next(_numbers)}"
    opened = say(system, "twitter", account, "My bill is wrong and nobody helps, I want my money back!", handle=account)
    system.settle()
    case_id = system.ask("triage", f"/v1/feedback/{opened}")[1]["case_id"]
    rules = system.ask("triage", "/v1/rules")[1]["rules"]
    put = {"rules": rules | {"teams": [*rules["teams"], "billing"]}, "reason": "a team of our own"}
    assert system.ask("triage", "/v1/rules", method="PUT", body=put)[0] == 200
    try:
        go(page, "#/cases")
        expect(page.get_by_label("Team").get_by_role("option", name="billing")).to_have_count(1, timeout=SLOW_MS)
        go(page, f"#/cases/{case_id}")
        page.get_by_role("button", name="Hand over…").click()
        page.get_by_role("dialog").get_by_label("Team").select_option("billing")
        page.get_by_role("dialog").get_by_role("button", name="Hand over").click()
        expect(page.locator("header.head")).to_contain_text("team billing", timeout=SLOW_MS)
    finally:
        assert system.ask("triage", "/v1/rules", method="PUT", body={"rules": None})[0] == 200


def test_pages_fit_a_narrow_window_and_can_be_walked_by_keys(system: System, page: Page, two: tuple[str, str]) -> None:
    del system
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (f"#/customers/{two[0]}", "#/cases", "#/review"):
        go(page, address)
        expect(page.locator("#page h1")).to_be_focused(timeout=SLOW_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
    go(page, f"#/customers/{two[0]}")
    expect(page.locator("#page h1")).to_be_focused(timeout=SLOW_MS)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Merge…")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Merge…")).to_be_focused()


def test_an_address_that_leads_nowhere_says_so(page: Page) -> None:
    go(page, "#/customers/00000000-0000-4000-8000-000000000000")
    expect(page.get_by_role("alert")).to_contain_text("No customer ever had that id", timeout=SLOW_MS)
