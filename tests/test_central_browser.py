"""The service's page in a real browser: what a device says is on it, in words that a screen reader reads, and
nothing that anybody names can harm it."""

import json
import re
import shutil
import sys
import time

import network_harness as harness
import pytest
from network_harness import Net, about, hang_up, sentence, wait

from speech_emotion.central import deciding
from speech_emotion.central.hub import Hub
from speech_emotion.central.store import Store
from speech_emotion.colours import COLOURS

REQUIREMENTS = "pip install -r tests/web-requirements.txt"
sync_api = pytest.importorskip("playwright.sync_api", reason=f"no Playwright; {REQUIREMENTS}")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=f"no axe; {REQUIREMENTS}")
expect = sync_api.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"

harness.need_broker()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; apt-get install chromium")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    made = Net(tmp_path_factory.mktemp("net") / "network", {"mic": "kitchen", "far": "study"})
    made.network.titles["study"] = HOSTILE
    made.network.save()
    made.start_broker()
    made.start_service()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser():
    with (
        sync_api.sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as made,
    ):
        yield made


@pytest.fixture
def page(browser, net):
    """The page, open and live; whatever it complains of fails the test."""
    with browser.new_context() as context:
        made = context.new_page()
        made.set_default_timeout(15_000)
        complaints = []
        made.on("pageerror", lambda error: complaints.append(str(error)))
        made.goto(net.page)
        expect(made.locator("#connection")).to_have_text("Live.")
        yield made
        assert complaints == []


@pytest.fixture(scope="module")
def speak(net):
    """Says a sentence as a device: (device, shares)."""
    state = {"seq": int(time.time()) % 10**6}

    def say(name, shares=(1000, 7000, 1500, 500)):
        client = net.clients.get(name) or net.client(
            name, will=(f"emotion/{name}/status", b"offline")
        )
        boot = state["seq"] + 1
        state["seq"] += 1
        client.publish(f"emotion/{name}/about", about(boot), qos=1, retain=True)
        client.publish(f"emotion/{name}/status", b"online", qos=1, retain=True)
        client.publish(
            f"emotion/{name}/voice", sentence(1, boot=boot, shares=shares), qos=1
        ).wait_for_publish(5)

    return say


def card(page, place):
    return page.locator(f"li[data-place='{place}']")


def test_what_was_said_is_shown_in_words_and_in_its_colour(page, speak):
    speak("mic")
    kitchen = card(page, "kitchen")
    expect(kitchen.locator(".emotion")).to_have_text("happy")
    expect(kitchen.locator(".certainty")).to_contain_text("70 % sure")
    red, green, blue = (int(COLOURS["happy"].page[i : i + 2], 16) for i in (1, 3, 5))
    expect(kitchen).to_have_css("border-left-color", f"rgb({red}, {green}, {blue})")
    expect(kitchen.locator(".strip")).to_have_attribute("aria-label", "Last hour: happy 1 min")
    expect(page.locator("#key li")).to_have_text(["happy"])
    speak("mic", (3000, 2500, 2500, 2000))
    speak("mic", (2900, 2600, 2500, 2000))
    expect(kitchen.locator(".emotion")).to_have_text("perhaps angry")


def test_voice_and_face_are_shown_beside_both_and_that_they_differ(page, speak):
    """What the service publishes of a decision of both, drawn by the page's own code."""
    speak("mic")
    kitchen = card(page, "kitchen")
    expect(kitchen.locator(".emotion")).to_have_text("happy")
    expect(kitchen.locator(".channels")).to_be_hidden()
    page.evaluate(
        """() => drawChannels(places.get("kitchen").parts.channels, {
            voice: {emotion: "happy", confidence: 0.7}, face: {emotion: "sad", confidence: 0.5}})"""
    )
    expect(kitchen.locator(".channels")).to_have_text(
        "voice: happy 70 %, face: sad 50 % – they differ"
    )


def test_a_page_that_opens_later_shows_the_same(page, speak):
    speak("mic", (500, 500, 500, 8500))
    expect(card(page, "kitchen").locator(".emotion")).to_have_text("sad")
    strip = card(page, "kitchen").locator(".strip").get_attribute("aria-label")
    page.reload()
    expect(card(page, "kitchen").locator(".emotion")).to_have_text("sad")
    assert card(page, "kitchen").locator(".strip").get_attribute("aria-label") == strip


def test_it_is_read_aloud_where_that_was_asked_for(page, speak):
    spoken = page.locator("#spoken[aria-live=polite]")
    speak("mic", (8500, 500, 500, 500))
    expect(card(page, "kitchen").locator(".emotion")).to_have_text("angry")
    expect(spoken).to_have_text("")
    page.locator("#announce").select_option("kitchen")
    speak("far", (500, 8500, 500, 500))
    speak("mic", (500, 500, 8500, 500))
    expect(spoken).to_have_text("kitchen: neutral, 85 %")


def test_a_sound_for_a_change_of_emotion(page, speak):
    page.evaluate(
        """() => {
          window.tones = [];
          const start = OscillatorNode.prototype.start;
          OscillatorNode.prototype.start = function (moment) {
            tones.push(this.frequency.value);
            start.call(this, moment);
          };
        }"""
    )
    page.locator("#sound").check()
    speak("mic", (8500, 500, 500, 500))
    expect(card(page, "kitchen").locator(".emotion")).to_have_text("angry")
    speak("mic", (8500, 500, 500, 500))
    speak("mic", (500, 8500, 500, 500))
    expect(card(page, "kitchen").locator(".emotion")).to_have_text("happy")
    assert page.evaluate("tones.length") == 2
    page.locator("#sound").uncheck()


def test_hostile_names_are_only_text(page, speak, net):
    speak("far", (500, 8500, 500, 500))
    expect(card(page, "study").locator("h3")).to_have_text(HOSTILE)
    expect(page).to_have_title("Speech emotion: places")
    far = net.clients["far"]
    for payload in (HOSTILE.encode(), b"{", json.dumps({"v": 1, "p": HOSTILE}).encode()):
        far.publish("emotion/far/voice", payload, qos=1).wait_for_publish(5)
    refused = page.locator("tr[data-device='far'] td").last
    expect(refused).to_have_text("3")
    assert page.locator("img").count() == 0


def test_labels_of_any_script_are_only_text_too(page, net):
    """Also those that a script's objects have by themselves."""
    labels = ("高兴", HOSTILE[:50], "constructor", "__proto__")
    client = net.client("far")
    client.publish("emotion/far/about", about(88, labels), qos=1)
    for seq, label in enumerate(labels, 1):
        shares = [500 if other != label else 8500 for other in labels]
        client.publish("emotion/far/voice", sentence(seq, boot=88, shares=shares), qos=1)
        expect(card(page, "study").locator(".emotion")).to_have_text(label)
        colour = card(page, "study").evaluate("item => item.style.borderLeftColor")
        assert colour.startswith("rgb"), colour
    assert page.locator("img").count() == 0
    expect(page).to_have_title("Speech emotion: places")
    client.publish("emotion/far/about", about(89), qos=1).wait_for_publish(5)


def test_who_is_offline_and_what_was_lost_is_shown(page, speak, net):
    speak("far")
    row = page.locator("tr[data-device='far']")
    expect(row.locator("td").nth(1)).to_have_text("online")
    before = int(row.locator("td").nth(3).inner_text())
    far = net.clients["far"]
    boot = 77
    far.publish("emotion/far/about", about(boot), qos=1)
    for seq in (1, 4):
        far.publish("emotion/far/voice", sentence(seq, boot=boot), qos=1).wait_for_publish(5)
    expect(row.locator("td").nth(3)).to_have_text(str(before + 2))
    far.publish("emotion/far/status", b"offline", qos=1, retain=True).wait_for_publish(5)
    expect(row.locator("td").nth(1)).to_have_text("offline")
    expect(card(page, "study").locator(".who")).to_have_text("offline: far")
    hang_up(net.clients.pop("far"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
def test_no_accessibility_violations(browser, net, speak, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    speak("mic")
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.goto(net.page)
        expect(card(page, "kitchen").locator(".emotion")).not_to_have_text("–")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, "scrolls sideways"


def test_everything_is_reached_by_keyboard(page):
    reached = []
    page.locator("body").press("Tab")
    for _ in range(4):
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.className")
        )
        page.keyboard.press("Tab")
    assert [each for each in reached if each] == ["announce", "sound", "scroll"]


def test_the_page_says_when_nobody_answers_and_goes_on_when_somebody_does(page, net, speak):
    net.kill(net.broker)
    expect(page.locator("#trouble")).to_contain_text("No news from the devices")
    net.start_broker()
    expect(page.locator("#trouble")).to_be_hidden()
    net.kill(net.service)
    expect(page.locator("#connection")).to_contain_text("does not answer")
    net.start_service()
    expect(page.locator("#connection")).to_have_text("Live.")
    time.sleep(1)
    speak("mic", (8500, 500, 500, 500))
    expect(card(page, "kitchen").locator(".emotion")).to_have_text("angry")


def test_the_page_of_two_hundred_places_opens(browser, tmp_path):
    """Two hundred places with an hour of sentences; how long it took is printed, not judged."""
    made = Net(tmp_path / "network")
    store, now = Store(made.network.history), int(time.time() * 1000)
    row = {label: 0.7 if label == "happy" else 0.1 for label in harness.LABELS}
    decisions = [
        deciding.Decision(f"d{p}:{i}", f"room-{p}", end - 1000, end, 0, "happy", 0.7, False, row, ["d"])
        for p in range(200) for i in range(60) for end in [now - i * 60_000]
    ]  # fmt: skip
    store.write(decisions, Hub(), now)
    store.close()
    try:
        made.start_broker()
        made.start_service()
        with browser.new_context() as context:
            page = context.new_page()
            start = time.monotonic()
            page.goto(made.page)
            expect(page.locator("body[data-ready=yes]")).to_be_attached()
            print(f"200 places open after {time.monotonic() - start:.2f} s", file=sys.stderr)
            expect(page.locator("li.place")).to_have_count(200)
            strip = card(page, "room-7").locator(".strip")
            # a minute may have begun since
            expect(strip).to_have_attribute(
                "aria-label", re.compile("Last hour: happy (59|60) min")
            )
    finally:
        made.close()


def test_many_viewers_at_once_are_bounded(net):
    import urllib.error
    import urllib.request

    answers = []
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            for _ in range(60):
                answers.append(urllib.request.urlopen(net.page + "events", timeout=5))
        assert refused.value.code == 503
    finally:
        for answer in answers:
            answer.close()
    wait(lambda: net.state()["service"]["broker"] is None, "room for a viewer", 40)
