"""Open pages from disk in Chromium."""

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}


@pytest.fixture(scope="session")
def browser():
    """One Chromium per worker."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open pages. Afterwards, check that they logged nothing and requested nothing but themselves."""
    messages, requests, contexts = [], [], []

    def opened(html, viewport=DESKTOP, **options):
        file = tmp_path / "page.html"
        file.write_bytes(html)
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready=yes]", timeout=60_000)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert messages == []
    assert {url for url in requests if not url.startswith(("data:", "blob:"))} <= {(tmp_path / "page.html").as_uri()}


def point_at(page, panel, across, up):
    """Move the mouse to a cell, given as fractions of the width and height, and return the hover text."""
    area = page.locator(f"#map-{panel} .nsewdrag").first
    area.scroll_into_view_if_needed()
    box, text = area.bounding_box(), f"#map-{panel} .hoverlayer .hovertext"
    # Away first, so that no text of an earlier cell is read.
    page.mouse.move(0, 0)
    page.wait_for_selector(text, state="detached")
    page.mouse.move(box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"])
    page.wait_for_selector(text)
    return page.locator(f"#map-{panel} .hoverlayer").text_content()


def picture(page, panel):
    return page.locator(f"#map-{panel} .heatmaplayer image").get_attribute("href")


def wide(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def point_at_pair(page, up, across):
    """Move the mouse to a pair of models, and return the hover text."""
    area = page.locator("#pairs .nsewdrag").first
    area.scroll_into_view_if_needed()
    box, count = area.bounding_box(), page.evaluate("document.getElementById('pairs').data[0].x.length")
    page.mouse.move(box["x"] + (across + 0.3) / count * box["width"], box["y"] + (up + 0.3) / count * box["height"])
    page.mouse.move(box["x"] + (across + 0.5) / count * box["width"], box["y"] + (up + 0.5) / count * box["height"])
    page.wait_for_function(f"document.getElementById('pair').textContent.startsWith('{up + 1} (')")
    return page.locator("#pairs .hoverlayer").text_content()
