"""The page in a real browser: no request, sorting, filters, comparing, marks, media, small screens, and axe's rules."""

from __future__ import annotations

import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian: apt-get install chromium)")
QUIET = ("--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update")
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        yield started
        started.close()


@pytest.fixture
def opened(browser):
    """Return a function that opens a page from the disk; the page may ask for nothing and complain of nothing."""
    contexts, requests, complaints = [], [], []

    def open_page(path, fragment="", **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert not [url for url in requests if not url.startswith(("file:", "data:", "blob:"))]


def column(page, table, number):
    """Return the texts of a column, from the top."""
    return page.locator(f"#{table} tbody tr:visible > :nth-child({number + 1})").all_inner_texts()


def keys(page, table, number):
    cells = page.locator(f"#{table} tbody tr > :nth-child({number + 1})").all()
    return [float(key) for cell in cells if (key := cell.get_attribute("data-key")) is not None]


def test_it_opens_from_the_disk_and_asks_for_nothing(opened, whole_page):
    page = opened(whole_page)
    assert page.title().startswith("pesbench:")
    assert page.locator("h2").count() == 8


def test_a_click_sorts_and_a_second_one_turns_it_round(opened, whole_page):
    page = opened(whole_page)
    heading = page.locator("#choice-0-methods thead th").nth(1)
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert keys(page, "choice-0-methods", 1) == sorted(keys(page, "choice-0-methods", 1))
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    found = keys(page, "choice-0-methods", 1)
    assert found == sorted(found, reverse=True) and len(found) > 2
    other = page.locator("#choice-0-methods thead th").nth(0)
    other.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    names = column(page, "choice-0-methods", 0)
    assert names == sorted(names, key=str.lower)


def test_the_keyboard_sorts_too(opened, whole_page):
    page = opened(whole_page)
    heading = page.locator("#choice-0-methods thead th").nth(1)
    heading.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Space")
    assert heading.get_attribute("aria-sort") == "descending"


def test_filters_hide_lines_in_every_table(opened, whole_page):
    page = opened(whole_page)
    before = column(page, "choice-0-methods", 0)
    page.get_by_label("force field").uncheck()
    after = column(page, "choice-0-methods", 0)
    assert len(after) < len(before)
    assert not page.locator('tr[data-kind="force-field"]:visible').count()
    assert "methods are shown" in page.locator("#hint").inner_text()
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.getElementById('hint').textContent === ''")
    assert column(page, "choice-0-methods", 0) == before


def test_times_are_compared_with_a_method_of_the_readers_choice(opened, whole_page):
    page = opened(whole_page)
    page.get_by_label("Compare times with").select_option("toy")
    line = page.locator('#choice-0-methods tr[data-method="toy"]')
    assert "× 1.00" in line.inner_text()
    times = keys(page, "choice-0-methods", 1)
    ratios = [
        float(text.split()[1]) for text in page.locator("#choice-0-methods td:nth-child(2) .ratio").all_inner_texts()
    ]
    own = float(line.locator("td").first.get_attribute("data-key"))
    assert ratios == pytest.approx([time / own for time in times], rel=0.01)


def test_a_link_keeps_what_was_chosen(opened, whole_page):
    page = opened(whole_page)
    page.get_by_label("force field").uncheck()
    page.get_by_label("Compare times with").select_option("toy")
    page.locator("#choice-0-methods thead th").nth(1).get_by_role("button").click()
    again = opened(whole_page, page.evaluate("location.hash"))
    assert not again.get_by_label("force field").is_checked()
    assert again.get_by_label("Compare times with").input_value() == "toy"
    assert again.locator("#choice-0-methods thead th").nth(1).get_attribute("aria-sort") == "ascending"
    assert column(again, "choice-0-methods", 0) == column(page, "choice-0-methods", 0)


def test_a_mark_tells_its_value_to_the_pointer_and_to_the_keyboard(opened, whole_page):
    page = opened(whole_page)
    mark = page.locator('#speed .mark[aria-label*="["]').first
    label = mark.get_attribute("aria-label")
    assert "ms per" in label
    mark.focus()
    assert page.locator("#tip").inner_text() == label
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    mark.locator(".aim").hover()
    assert page.locator("#tip").inner_text() == label


def test_the_numbers_can_be_saved(opened, whole_page):
    page = opened(whole_page)
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    assert download.value.suggested_filename == "pesbench.json"


def test_without_javascript_everything_can_be_read(opened, whole_page):
    page = opened(whole_page, java_script_enabled=False)
    assert page.locator("#controls").is_hidden()
    assert page.locator("main table:visible").count() == page.locator("main table").count() > 10
    assert page.locator("thead button").count() == 0


def test_nothing_is_wider_than_a_phone(opened, whole_page, hostile_page):
    for path in (whole_page, hostile_page):
        page = opened(path, viewport=PHONE)
        wide, narrow = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide <= narrow


def test_it_is_dark_where_the_reader_wants_it_dark_and_light_on_paper(opened, whole_page):
    page = opened(whole_page, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    fill = "getComputedStyle(document.querySelector('svg.figure text')).fill"
    assert sum(channels(page.evaluate(ground))) < 150
    assert sum(channels(page.evaluate(fill))) > 500
    page.emulate_media(media="print", color_scheme="dark")
    assert channels(page.evaluate(ground)) == [255, 255, 255]
    assert page.locator("nav").is_hidden()


def channels(color):
    return [int(part) for part in color.removeprefix("rgb(").rstrip(")").split(",")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, whole_page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(opened(whole_page, color_scheme=scheme))
    assert not [
        (rule["id"], rule["help"], rule["nodes"][0]["html"][:200], len(rule["nodes"]))
        for rule in found.response["violations"]
    ]


def test_words_that_look_like_markup_do_nothing(opened, hostile_page):
    page = opened(hostile_page)
    assert page.title().startswith("pesbench:")
    assert page.locator("img").count() == 0
    assert "<script>document.title = 'taken'</script>" in page.locator("#speed").inner_text()


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_the_first_screen_answers_in_words_with_numbers(opened, whole_page, viewport):
    page = opened(whole_page, viewport=viewport)
    answer = page.locator("#choice .answer")
    assert answer.count() >= 2
    for one in answer.all():
        box = one.bounding_box()
        assert box["y"] + box["height"] < viewport["height"]
    assert "ms a force call" in answer.first.inner_text()


def test_each_mark_of_the_first_figure_has_its_name_and_no_name_covers_another(opened, whole_page):
    page = opened(whole_page, viewport={"width": 1280, "height": 800})
    said = [mark.get_attribute("aria-label").split(";")[0] for mark in page.locator("#choice .mark").all()]
    texts = [one for one in page.locator("#choice svg text").all() if one.text_content().strip() in said]
    assert sorted(one.text_content().strip() for one in texts) == sorted(said) and len(said) > 2
    boxes = [one.bounding_box() for one in texts]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
            down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
            assert min(across, down) < 2


def test_a_wide_table_shows_that_it_scrolls(opened, whole_page):
    page = opened(whole_page, viewport={"width": 390, "height": 844})
    wide = page.locator(".scroll:has(#choice-0-methods)")
    assert wide.evaluate("one => one.scrollWidth > one.clientWidth && getComputedStyle(one).scrollbarWidth") == "thin"
    assert "gradient" in wide.evaluate("one => getComputedStyle(one).backgroundImage")


def test_the_times_stand_in_one_table(opened, whole_page):
    page = opened(whole_page)
    (time, *_) = column(page, "choice-0-methods", 1)
    found = [one for one in page.locator("main td").all_inner_texts() if one.strip() == time.strip()]
    assert len(found) == 1
