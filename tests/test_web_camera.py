"""The camera in the page, in a real browser with a made-up camera: loaded when asked for and not before, the
same faces, probabilities and answers as Python's on the same pictures and sound, a clear state each."""

import base64
import json
import re
import shutil
import subprocess
import sys

import drawn_faces
import numpy as np
import pytest
import soundfile
from conftest import REPOSITORY
from test_face import LABELS, made_up
from test_web_browser import (
    ALL_OFF,
    CAUGHT,
    CHROMIUM,
    FLAGS,
    RATE,
    answers,
    axe,
    chromium,
    expect,
    make,
    opened,
    serving,
    web,
)  # fmt: skip

from speech_emotion import corpora, fusion
from speech_emotion.camera import page as camera_page
from speech_emotion.camera import sources, watching
from speech_emotion.errors import UserError
from speech_emotion.face import model_file
from speech_emotion.features import audio
from speech_emotion.fusion import tables
from speech_emotion.model import compiled

pytest.importorskip("cv2", reason="no OpenCV; pip install 'speech-emotion[face]'")
__all__ = ["chromium"]  # a fixture
SAME = 1e-3  # the bar; the same numbers on the same pictures differ by nothing
FACE = (240, 120, drawn_faces.drawn(200, smile=1))
pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; apt-get install chromium"),
    pytest.mark.skipif(
        not (shutil.which("clang") and shutil.which("wasm-ld")),
        reason=f"no compiler for WebAssembly; {web.INSTALL}",
    ),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("camera")
    model_file.save(
        made_up(),
        folder / "face.joblib",
        labels=LABELS,
        threshold=0.0,
        about="drawn faces",
        scores={},
    )
    return make(folder, "--face", folder / "face.joblib")


@pytest.fixture(scope="module")
def address(world):
    with serving(world / "web") as address:
        yield address


@pytest.fixture(scope="module")
def camera(chromium, world, tmp_path_factory):
    """Starts a browser whose camera shows pictures, over and over, and whose microphone hears a file."""
    folder = tmp_path_factory.mktemp("shown")
    started = {}

    def start(name, looks, sound=None):
        if name not in started:
            video = drawn_faces.y4m(folder / f"{name}.y4m", looks)
            fake = [
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={video}",
            ]
            if sound is not None:
                fake.append(f"--use-file-for-fake-audio-capture={sound}")
            started[name] = chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake])
        return started[name]

    yield start
    for browser in started.values():
        browser.close()


ALLOWED = ("camera", "microphone")


def agree(page):
    page.locator("#camera").click()
    page.locator("#camera-agree").click()


def state(page):
    return page.locator("#camera-state")


def facts(page, name):
    return json.loads(page.locator("#camera-section").get_attribute(f"data-{name}"))


@pytest.fixture
def shown(camera, address):
    """The page before one face, the camera on."""
    browser = camera("one", [drawn_faces.scene(FACE)])
    with opened(browser, address, permissions=ALLOWED) as page:
        agree(page)
        expect(state(page)).to_have_text("One face, in the middle.")
        yield page


# --- asked, and not before -------------------------------------------------------------------------


def test_nothing_of_the_camera_is_loaded_or_asked_before_the_person_agrees(camera, address):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with opened(browser, address, permissions=ALLOWED) as page:
        asked = []
        page.context.on("request", lambda request: asked.append(request.url))
        page.evaluate(
            """() => {
              navigator.mediaDevices.getUserMedia = () => {
                window.asked = 1;
                throw new Error("x");
              };
            }"""
        )
        page.wait_for_timeout(2500)  # the service worker keeps the page by then
        page.locator("#camera").click()
        expect(page.locator("#camera-consent")).to_contain_text("none is kept, none is sent")
        page.locator("#camera-refuse").click()
        expect(page.locator("#camera-section")).to_be_hidden()
        expect(page.locator("#camera")).to_be_focused()
        assert not [url for url in asked if "camera.js" in url]
        assert page.evaluate("[typeof Camera, window.asked]") == ["undefined", None]
        page.locator("#camera").click()
        page.locator("#camera-agree").click()
        expect(state(page)).to_contain_text("could not be started")
        assert [url for url in asked if "camera.js" in url]


def test_what_is_loaded_at_first_is_as_small_as_ever(world):
    files = {path.name: path.read_bytes() for path in (world / "web").iterdir()}
    first = {name: content for name, content in files.items() if name != "camera.js"}
    assert sum(map(len, first.values())) <= 500_000
    assert len(files["camera.js"]) <= 700_000
    worker = files["worker.js"].decode()
    kept = json.loads(re.search(r"const FILES = (.*);\n", worker)[1])
    assert "camera.js" not in kept and 'const LATER = ["camera.js"];' in worker
    assert b"Intel License Agreement" in files["camera.js"]


def test_what_is_wrong_with_the_options_is_one_line(world, monkeypatch):
    def said(*options):
        command = [sys.executable, str(REPOSITORY / "codegen"), "model.joblib", *options]
        done = subprocess.run(
            command, cwd=world, capture_output=True, text=True, env={"PYTHONPATH": str(REPOSITORY)}
        )
        assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr
        return done.stderr

    assert "name its folder with --web" in said("--face", "face.joblib")
    assert "gone.joblib" in said("--web", "other", "--face", "gone.joblib")
    assert "name a model with --face" in said("--web", "other", "--weights", "w.json")
    face = model_file.load(world / "face.joblib")
    with pytest.raises(UserError, match="share 1 labels"):
        camera_page.more(["angry", "bored"], face, fusion.DEFAULT)


# --- the same as Python -----------------------------------------------------------------------------


def watched(world, video):
    """What `python -m camera` says of a file: its sights."""
    command = [sys.executable, str(REPOSITORY / "camera"), str(video), "face.joblib", "--json"]
    done = subprocess.run(
        command,
        cwd=world,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(REPOSITORY)},
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


KEEP_SENTENCES = """() => {
  window.heard = [];
  element("answer").addEventListener("heard", ({ detail }) => {
    if (detail.type === "sentence") {
      heard.push({ ...detail, said: { ...element("camera-section").dataset } });
    }
  });
  const { hearSentence } = page;
  page.hearSentence = function (answer, samples) {
    window.samples = Array.from(samples);
    hearSentence.call(this, answer, samples);
  };
}"""


def check_fused(world, camera, address, clip, folder, name):
    """A face before the camera, a clip before the microphone: voice, face and both are Python's."""
    pause = np.zeros(RATE * 3 // 2, np.int16)
    sound = folder / "microphone.wav"
    soundfile.write(sound, np.concatenate([pause, audio.read(clip), pause]), RATE)
    look = drawn_faces.scene(FACE)
    with opened(camera(name, [look] * 3, sound), address, permissions=ALLOWED) as page:
        agree(page)
        expect(state(page)).to_have_text("One face, in the middle.")
        page.evaluate(KEEP_SENTENCES)
        page.locator("#microphone").click()
        [(label, probabilities)] = answers(page, 1)
        both = page.evaluate("JSON.parse(element('camera-section').dataset.both)")
        page.wait_for_function("() => cameraDoor.camera.watcher.sights.length > 0")
        sights = page.evaluate("cameraDoor.camera.watcher.sights")
        samples = np.array(page.evaluate("samples"), np.int16)
        told = page.locator("#both-detail").inner_text()
        verdict = page.locator("#both-emotion").inner_text()
    drawn_faces.y4m(folder / "seen.y4m", [look] * 20)
    [theirs] = watched(world, folder / "seen.y4m")
    face = np.array([list(theirs["probabilities"].values())], np.float32)
    for sight in sights:
        assert (sight["face"], sight["where"]) == (1, theirs["where"])
        assert sight["probabilities"] == pytest.approx(face[0].tolist(), abs=SAME)
    library = compiled.Library(world / "Voice")
    answer = library.answer(samples)  # the very sentence that the page has cut out of the sound
    assert library.labels[answer.probabilities.argmax()] == label
    assert probabilities == pytest.approx(answer.probabilities.tolist(), abs=SAME)
    mine, seen = tuple(library.labels), tuple(LABELS)
    labels = tables.shared_labels(mine, seen)
    rows = [
        tables.aligned(each, own, labels)
        for each, own in ((answer.probabilities[None], mine), (face, seen))
    ]
    fused = fusion.fuse(*rows)[0]
    assert both["final"]
    for channel, expected in zip(
        ("voice", "face", "both"), (rows[0][0], rows[1][0], fused), strict=True
    ):
        assert both[channel] == pytest.approx(expected.tolist(), abs=SAME), channel
    best = labels[int(fused.argmax())]
    assert verdict == (best if fused.max() >= 0.3 else "uncertain")
    assert f"both {best}" in told and f"({fusion.disagreement(*rows)[0]:.2f} apart)" in told


def test_voice_face_and_both_are_pythons(world, camera, address, tmp_path):
    clips = sorted((world / "clips").rglob("*.wav"))
    library = compiled.Library(world / "Voice")
    clip = max(clips, key=lambda path: library.answer(audio.load(path)).probabilities.max())
    check_fused(world, camera, address, clip, tmp_path, "made")


@pytest.mark.corpora
def test_voice_face_and_both_are_pythons_on_a_real_voice(
    world, camera, address, tmp_path, corpora_dir
):
    clip = next(c.path for c in corpora.discover(corpora_dir).clips if c.path.suffix == ".flac")
    check_fused(world, camera, address, clip, tmp_path, "real")


def moving():
    """A face that walks and changes, a second one that comes and goes, the dark: pictures, five a second."""
    looks = []
    for i in range(45):
        faces = []
        if i < 38:
            side = 120 + 2 * i
            faces.append(
                (20 + 6 * i, 60, drawn_faces.drawn(side, smile=np.sin(i / 6), seed=i // 9))
            )
        if 12 <= i < 25:
            faces.append((460, 200 + i, drawn_faces.drawn(110, smile=-1, seed=7)))
        wall = drawn_faces.scene(*faces) if i < 40 else np.zeros((480, 640), np.uint8)
        looks.append(wall)
    return looks


def seen_by_page(page, looks):
    """The page's own code on given grey values: faces of each look, and all sights."""
    return page.evaluate(
        """async ([looks, width, height]) => {
          const looker = await Looker.open(CAMERA.wasm);
          const watcher = new Watcher();
          const found = looks.map((look, i) => {
            const grey = Uint8Array.from(atob(look), (c) => c.charCodeAt(0));
            looker.room(grey.length, width, height).set(grey);
            const seen = looker.look({ offset: 0, stride: width, width, height, limited: false });
            watcher.look(i / CAMERA.rate, seen);
            return seen;
          });
          watcher.look(1e6, { width, faces: [] });
          return [found, watcher.sights];
        }""",
        [[base64.b64encode(look.tobytes()).decode() for look in looks], *looks[0].shape[::-1]],
    )


def test_faces_that_come_go_and_move_are_told_apart_and_judged_as_by_python(world, shown):
    looks = moving()
    model = model_file.load(world / "face.joblib")
    watcher = watching.Watcher(model)
    sights = []
    for i, look in enumerate(looks):
        sights += watcher.look(sources.Look(i / 5, look))
    sights += watcher.look(sources.Look(1e6, looks[-1]))
    _, found = seen_by_page(shown, looks)
    assert len(found) == len(sights) > 5 and max(sight.face for sight in sights) >= 2
    for mine, theirs in zip(found, sights, strict=True):
        assert (mine["begin"], mine["face"], mine["where"], mine["trouble"]) == (
            theirs.begin, theirs.face, theirs.where, theirs.trouble,
        )  # fmt: skip
        if theirs.probabilities is None:
            assert mine["probabilities"] is None
        else:
            assert mine["probabilities"] == pytest.approx(theirs.probabilities.tolist(), abs=1e-6)


def test_pictures_of_4k_are_made_smaller_as_python_does_it(world, shown, tmp_path):
    big = drawn_faces.scene((1400, 600, drawn_faces.drawn(900)), width=3840, height=2160)
    video = drawn_faces.y4m(tmp_path / "4k.y4m", [big])
    [look] = sources.looks(str(video), 5)
    [seen], _ = seen_by_page(
        shown, [np.clip((big.astype(int) - 16) * 255 / 219 + 0.5, 0, 255).astype(np.uint8)]
    )
    model = model_file.load(world / "face.joblib")
    watcher = watching.Watcher(model)
    [sight] = watcher.look(look) or watcher.finish()
    assert (seen["width"], seen["height"]) == look.grey.shape[::-1] == (1280, 720)
    [face] = seen["faces"]
    assert face["side"] == sight.side
    assert face["probabilities"] == pytest.approx(sight.probabilities.tolist(), abs=1e-6)


# --- states -----------------------------------------------------------------------------------------


def test_a_face_is_found_boxed_and_its_bars_shown(shown):
    [box] = facts(shown, "boxes")
    assert abs(box["x"] - FACE[0]) < 60 and abs(box["y"] - FACE[1]) < 60 and box["side"] > 100
    expect(shown.locator("#bars-face .first")).to_have_count(1)
    expect(shown.locator("#bars-both .first")).to_have_count(1)
    expect(shown.locator("#bars-voice .first")).to_have_count(0)
    expect(shown.locator("#both-detail")).to_contain_text("The face alone")
    expect(shown.locator("#camera-section")).to_contain_text("never tried on anybody who talks")
    drawn = shown.evaluate(
        "element('camera-boxes').getContext('2d').getImageData(0, 0, 640, 480).data.some((v) => v > 0)"
    )
    assert drawn
    print(
        f"\nthe face's part: {shown.locator('#camera-section').get_attribute('data-cost')} ms a look"
    )


def test_denied_camera_is_said_and_the_page_lives(camera, address, world):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with opened(browser, address) as page:  # no permission, and nobody there to be asked
        agree(page)
        expect(state(page)).to_contain_text("The camera was denied")
        expect(page.locator("#camera")).to_have_text("Start camera")
        expect(page.locator("#camera-live")).to_be_hidden()
        page.set_input_files("#files", next((world / "clips").rglob("*.wav")))
        answers(page, 1)


def test_absent_camera_is_said(chromium, address):
    with (
        chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
        opened(browser, address, permissions=ALLOWED) as page,
    ):
        agree(page)
        expect(state(page)).to_contain_text("No camera was found")


def test_a_camera_lost_in_mid_stream_or_silent_is_said_and_can_be_started_again(camera, address):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with browser.new_context(permissions=list(ALLOWED)) as context:
        context.add_init_script(CAUGHT)
        page = context.new_page()
        page.goto(address)
        agree(page)
        expect(state(page)).to_contain_text("One face")
        page.evaluate("caught.tracks[0].dispatchEvent(new Event('mute'))")
        expect(state(page)).to_contain_text("No pictures come from the camera")
        page.evaluate("caught.tracks[0].dispatchEvent(new Event('unmute'))")
        expect(state(page)).to_contain_text("One face")
        page.evaluate("caught.tracks[0].dispatchEvent(new Event('ended'))")
        expect(state(page)).to_contain_text("The camera was lost")
        expect(page.locator("#camera")).to_have_text("Start camera")
        expect(page.locator("#camera-live")).to_be_hidden()
        page.wait_for_function(ALL_OFF)
        page.locator("#camera").click()  # agreed already
        expect(state(page)).to_contain_text("One face")


def test_the_person_stops_it_and_nothing_is_left(camera, address):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with browser.new_context(permissions=list(ALLOWED)) as context:
        context.add_init_script(CAUGHT)
        page = context.new_page()
        page.goto(address)
        agree(page)
        expect(state(page)).to_contain_text("One face")
        page.locator("#camera").press("Enter")
        expect(state(page)).to_have_text("Camera off.")
        page.wait_for_function(ALL_OFF)
        expect(page.locator("#camera-live")).to_be_hidden()
        left = page.evaluate(
            """() => {
              const { camera } = cameraDoor;
              const { buffer } = camera.looker.c.memory;
              const picture = new Uint8Array(buffer, camera.looker.c.picture(), 640 * 480);
              return [camera.watcher, camera.video.srcObject, picture.some((value) => value !== 0)];
            }"""
        )
        assert left == [None, None, False]
        page.locator("#camera").click()
        page.locator("#camera").click()  # stopped before it had started
        expect(state(page)).to_have_text("Camera off.")
        page.wait_for_function(ALL_OFF)
        page.locator("#camera").click()
        expect(state(page)).to_contain_text("One face")
        page.locator("#to-record").click()  # another view has no camera
        page.wait_for_function(ALL_OFF)


def wide(width, height, *faces):
    return drawn_faces.scene(*faces, width=width, height=height)


STATES = {
    "two faces": (
        wide(640, 480, (40, 120, drawn_faces.drawn(180)), (400, 140, drawn_faces.drawn(160, smile=-1))),
        "Two faces: who of them speaks is not known, so the voice answers alone.", 2,
    ),
    "no face": (wide(640, 480), "No face is seen", 0),
    "black": (np.full((480, 640), 16, np.uint8), "The picture is black or very dark", 0),
    "4K": (
        wide(3840, 2160, (1400, 600, drawn_faces.drawn(900))),
        "One face, in the middle. Pictures of 3840 × 2160 are looked at smaller.", 1,
    ),
    "small": (
        wide(240, 180, (100, 90, drawn_faces.drawn(40, seed=1))),
        "The face is too small: come nearer", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_each_state_is_said(camera, address, name):
    look, words, faces = STATES[name]
    with opened(camera(name, [look]), address, permissions=ALLOWED) as page:
        agree(page)
        expect(state(page)).to_contain_text(words)
        assert len(facts(page, "boxes")) == faces
        fused = name == "4K"
        expect(page.locator("#bars-both .first")).to_have_count(int(fused))


SAID = """([probabilities, seconds]) => {
  const { camera } = cameraDoor;
  const label = probabilities.indexOf(Math.max(...probabilities));
  page.tell("sentence", { name: "Sentence 1", answer: { probabilities, label }, seconds });
}"""


def test_with_two_faces_none_or_a_late_camera_the_voice_answers_alone(camera, address, world):
    labels = compiled.Library(world / "Voice").labels
    row = [0.5 if i == 0 else 0.5 / (len(labels) - 1) for i in range(len(labels))]
    cases = {
        "two faces": (2.0, "2 faces were seen"), "no face": (2.0, "no face was seen"),
        "one": (60.0, "the camera saw too little of it"),
    }  # fmt: skip
    for name, (seconds, words) in cases.items():
        look = drawn_faces.scene(FACE) if name == "one" else STATES[name][0]
        with opened(camera(name, [look]), address, permissions=ALLOWED) as page:
            agree(page)
            page.wait_for_function("() => cameraDoor.camera?.watcher?.looks.length > 12")
            if name == "one":
                page.evaluate("cameraDoor.camera.began -= 100000")  # the sentence began long before
            page.evaluate(SAID, [row, seconds])
            expect(page.locator("#both-detail")).to_contain_text(f"the voice alone, as {words}")
            said = facts(page, "both")
            assert said["face"] is None and said["both"] == pytest.approx(said["voice"], abs=1e-7)


def test_where_the_browser_gives_no_grey_values_a_canvas_does(camera, address):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with browser.new_context(permissions=list(ALLOWED)) as context:
        context.add_init_script("delete window.VideoFrame;")
        page = context.new_page()
        page.goto(address)
        agree(page)
        expect(state(page)).to_have_text("One face, in the middle.")


def test_a_part_that_cannot_be_loaded_is_said_and_tried_again(camera, address):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with browser.new_context(permissions=list(ALLOWED), service_workers="block") as context:
        page = context.new_page()
        context.route("**/camera.js", lambda route: route.abort())
        page.goto(address)
        agree(page)
        expect(state(page)).to_contain_text("could not be loaded")
        context.unroute("**/camera.js")
        page.locator("#camera").click()
        expect(state(page)).to_contain_text("One face")


def test_offline_it_works_once_it_was_used(world, camera):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with browser.new_context(permissions=list(ALLOWED)) as context:
        page = context.new_page()
        with serving(world / "web") as address:
            page.goto(address)
            expect(page.locator("#offline")).to_contain_text("It works offline")
            page.goto(address)  # by now it is kept
            agree(page)
            expect(state(page)).to_contain_text("One face")
        context.set_offline(True)
        page.goto(address)
        agree(page)
        expect(state(page)).to_contain_text("One face")


# --- for everybody ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "scheme"), [(390, "dark"), (390, "light"), (1100, "light"), (1100, "dark")]
)
def test_no_accessibility_violations_in_any_state(camera, address, world, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    browser = camera("one", [drawn_faces.scene(FACE)])
    with opened(browser, address, permissions=ALLOWED, reduced_motion="reduce", **options) as page:
        labels = compiled.Library(world / "Voice").labels
        row = [0.5 if i == 0 else 0.5 / (len(labels) - 1) for i in range(len(labels))]

        def check(what):
            found = axe.Axe().run(page)
            assert found.violations_count == 0, f"{what}: {found.generate_report()}"
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, f"{what}: scrolls sideways"

        page.locator("#camera").click()
        check("consent")
        page.locator("#camera-agree").click()
        page.wait_for_function("() => cameraDoor.camera?.watcher?.looks.length > 12")
        check("on")
        page.evaluate(SAID, [row, 2.0])
        expect(page.locator("#both-detail")).to_contain_text("apart")
        check("fused")
        page.locator("#camera").click()
        check("off")


def test_everything_is_reached_by_keyboard(camera, address):
    browser = camera("one", [drawn_faces.scene(FACE)])
    with opened(browser, address, permissions=ALLOWED) as page:
        page.locator("#microphone").focus()
        page.keyboard.press("Tab")
        expect(page.locator("#camera")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#camera-agree")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.locator("#camera-refuse")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Space")
        expect(page.locator("#camera")).to_be_focused()
        expect(page.locator("#camera")).to_have_text("Stop camera")
        expect(state(page)).to_contain_text("One face")
        page.keyboard.press("Enter")
        expect(state(page)).to_have_text("Camera off.")
