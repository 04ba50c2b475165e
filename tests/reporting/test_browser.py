"""The report in a real browser: headless Chromium, driven by Selenium, without any network."""

import json
import shutil

import pytest

from blsh.reporting.results import make_results
from blsh.reporting.summaries import write_summaries
from tests.reporting.conftest import make_example, make_full_summaries
from tests.waiting import wait_until

pytestmark = pytest.mark.long

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
)
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write_summaries(folder / "summaries", make_full_summaries(size=250))
    examples = [make_example(folder / str(n), title=f"Speaker {n} in rain", seconds=8.0) for n in range(2)]
    return make_results(folder / "summaries", folder, title="Everything", examples=examples, finish_command="make x")[
        -1
    ]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install '.[long]'")
    from selenium.webdriver.chrome.service import Service

    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium or no chromedriver on this machine (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = webdriver.Chrome(options=options, service=Service(driver))
    session.execute_cdp_cmd("Network.enable", {})
    yield session
    session.quit()


@pytest.fixture
def page(chromium, report):
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.get(report.as_uri())
    return chromium


def test_nothing_is_fetched_and_nothing_is_wrong(page, report):
    page.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    page.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    wait_until(lambda: page.execute_script("return Array.from(document.images).every((one) => one.complete)"))
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {request["documentURL"] for request in sent} == {report.as_uri()}
    urls = [request["request"]["url"] for request in sent]
    assert [url for url in urls if not url.startswith("data:")] == [report.as_uri()]
    assert page.get_log("browser") == []
    assert page.execute_script("return Array.from(document.images).filter((one) => !one.naturalWidth).length") == 0


def test_a_table_sorts_by_a_column_in_both_directions(page):
    def column():
        return page.execute_script(
            "return Array.from(document.querySelectorAll('#table-taslp_table1 tbody tr'))"
            ".map((row) => row.cells[row.cells.length - 4].dataset.value)"
        )

    head = "document.querySelectorAll('#table-taslp_table1 th')"
    click = f"{head}[{head}.length - 4].querySelector('button').click()"
    before = column()
    page.execute_script(click)
    rising = column()
    assert page.execute_script(f"return {head}[{head}.length - 4].ariaSort") == "ascending"
    known = [float(value) for value in rising if value]
    assert known == sorted(float(value) for value in before if value)
    assert rising[len(known) :] == [""] * (len(before) - len(known))  # what is not trained stays last
    page.execute_script(click)
    falling = column()
    assert [float(value) for value in falling if value] == known[::-1]
    assert falling[len(known) :] == [""] * (len(before) - len(known))


def test_text_columns_sort_as_text(page):
    page.execute_script("document.querySelector('#table-claims th button').click()")
    verdicts = page.execute_script(
        "return Array.from(document.querySelectorAll('#table-claims tbody tr')).map((row) => row.dataset.verdict)"
    )
    assert verdicts == sorted(verdicts) and len(set(verdicts)) > 2


def test_a_long_table_shows_one_verdict(page):
    shown = (
        "return Array.from(document.querySelectorAll('#table-scorecard tbody tr'))"
        ".filter((row) => row.offsetParent).map((row) => row.dataset.verdict)"
    )
    everything = page.execute_script(shown)
    choose = (
        "const choice = document.querySelector('select[data-table=scorecard]');"
        "choice.value = arguments[0]; choice.dispatchEvent(new Event('change'))"
    )
    page.execute_script(choose, "agrees")
    assert page.execute_script(shown) == ["agrees"] * everything.count("agrees")
    page.execute_script(choose, "")
    assert page.execute_script(shown) == everything


def test_a_sound_plays_to_its_end_and_the_others_stop(page):
    state = "return Array.from(document.querySelectorAll('.track audio')).map((sound) => !sound.paused)"
    press = "document.querySelectorAll('.track button')[arguments[0]].click()"
    assert page.execute_script(state) == [False] * 6
    page.execute_script(press, 0)
    wait_until(lambda: page.execute_script("return document.querySelector('.track audio').currentTime") > 0.2)
    assert page.execute_script("return document.querySelector('.track audio').duration") == pytest.approx(8.0, abs=0.05)
    page.execute_script(press, 4)
    wait_until(lambda: page.execute_script(state) == [False, False, False, False, True, False])
    pressed = "return Array.from(document.querySelectorAll('.track button')).map((one) => one.ariaPressed)"
    assert page.execute_script(pressed) == ["false"] * 4 + ["true", "false"]
    wait_until(lambda: page.execute_script(state) == [False] * 6)
    assert page.get_log("browser") == []


def test_a_click_on_a_spectrogram_plays_from_there(page):
    from selenium.webdriver.common.action_chains import ActionChains

    picture = page.find_elements("css selector", ".spectrogram")[1]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", picture)
    page.execute_script("document.querySelectorAll('.track audio')[1].load()")
    wait_until(lambda: page.execute_script("return document.querySelectorAll('.track audio')[1].readyState > 0"))
    ActionChains(page).move_to_element_with_offset(picture, picture.size["width"] // 4, 0).click().perform()
    wait_until(lambda: page.execute_script("return document.querySelectorAll('.track audio')[1].currentTime") >= 5.6)


def test_a_phone_shows_the_page_without_scrolling_sideways(page):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    page.refresh()
    page.execute_script("document.querySelectorAll('details').forEach((one) => one.open = true)")
    assert page.execute_script("return window.innerWidth") == PHONE["width"]
    assert page.execute_script("return document.documentElement.scrollWidth") <= PHONE["width"]
    beyond = page.execute_script(
        "return Array.from(document.querySelectorAll('body *')).filter((one) => !one.closest('.scroll')"
        " && one.getBoundingClientRect().right > window.innerWidth + 1).map((one) => one.tagName + '.' + one.className)"
    )
    assert beyond == []
    # Text is not shrunk: a finger and an eye need 14 px at least.
    assert page.execute_script("return parseFloat(getComputedStyle(document.body).fontSize)") >= 16
    assert page.execute_script("return parseFloat(getComputedStyle(document.querySelector('td')).fontSize)") >= 14


def test_every_sound_and_table_can_be_reached_by_keyboard_and_screen_reader(page):
    names = page.execute_script(
        "return Array.from(document.querySelectorAll('.track button')).map((one) => one.ariaLabel)"
    )
    assert len(set(names)) == len(names) == 6
    assert page.execute_script("return Array.from(document.images).every((one) => one.alt.length > 10)")
    assert page.execute_script(
        "return Array.from(document.querySelectorAll('.scroll')).every((one) => one.tabIndex === 0)"
    )
