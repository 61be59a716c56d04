"""The page in a real browser: a clip dropped into it gets the answer of `predictor.py CLIP build/Library`, a
microphone is recognised, what is wrong is said, and nothing leaves the page."""

import base64
import csv
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import unicodedata
import zipfile
from contextlib import contextmanager, suppress

import numpy as np
import pytest
import soundfile
import soxr
from codegen_models import COLUMNS, acquainted_pipeline, network
from conftest import REPOSITORY
from test_names import HOSTILE

from speech_emotion import cli, corpora, names
from speech_emotion.codegen import library as library_files
from speech_emotion.codegen import pipeline, source, voices, web
from speech_emotion.commands import codegen as codegen_command
from speech_emotion.corpora import recordings, synthetic
from speech_emotion.features import audio, device, speech
from speech_emotion.model import compiled, persistence, voice
from speech_emotion.model.estimators import Int8Network
from speech_emotion.model.recognition import predict_all
from speech_emotion.recording.session import Sentence
from speech_emotion.training import candidates

REQUIREMENTS = "pip install -r tests/web-requirements.txt"
sync_api = pytest.importorskip("playwright.sync_api", reason=f"no Playwright; {REQUIREMENTS}")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=f"no axe; {REQUIREMENTS}")
expect = sync_api.expect
expect.set_options(timeout=20_000)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip
EXACT = 1e-4  # the bar; the same code on the same samples differs by nothing
NEARLY = (
    0.02  # other resamplers and decoders than soxr's and libsndfile's: 0.008 at worst, at 8 kHz
)
RATE = 16000

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; apt-get install chromium"),
    pytest.mark.skipif(
        not (shutil.which("clang") and shutil.which("wasm-ld")),
        reason=f"no compiler for WebAssembly; {web.INSTALL}",
    ),
]


# --- a model, its library, its page, a server, a browser ---------------------------------------


def make(folder, *options):
    """Synthetic clips, and the library and page of a network trained on them; options: more of codegen's."""
    clips = synthetic.write(folder / "clips", speakers=2, sentences=2)
    vectors = np.array([device.extract(audio.load(clip.path)) for clip in clips])
    model = network(Int8Network, 64).fit(vectors, np.array([clip.emotion for clip in clips]))
    facts = {
        "name": "voice", "labels": model.classes_.tolist(), "columns": COLUMNS, "engine": "device",
        "threshold": 0.3, "corpora": ["synthetic"], "scores": {"weighted_f1": 0.5},
    }  # fmt: skip
    persistence.save(model, folder / "model.joblib", facts)
    arguments = ["--out", folder / "Voice", "--web", folder / "web", "--clips", 0, *options]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["codegen", str(folder / "model.joblib"), *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.run(codegen_command.main)
    assert leaving.value.code == 0
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="module")
def clips(world):
    return sorted((world / "clips").rglob("*.wav"))


@pytest.fixture(scope="module")
def library(world):
    return compiled.Library(world / "Voice")


@pytest.fixture(scope="module")
def address(world):
    with serving(world / "web") as address:
        yield address


@contextmanager
def serving(folder):
    """A server of a folder; its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def copyfile(self, source, outputfile):
            with suppress(ConnectionError):  # a page that is closed while it is being kept
                super().copyfile(source, outputfile)

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        yield playwright.chromium


@pytest.fixture(scope="module")
def browser(chromium):
    with chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser:
        yield browser


@contextmanager
def opened(browser, address, name="", **options):
    """The page, ready; afterwards, no error in its console and no request but for its own files."""
    with browser.new_context(**options) as context:
        page = context.new_page()
        errors, requests = [], []
        page.on(
            "console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        context.on("request", lambda request: requests.append(request.url))
        page.goto(address + name)
        expect(page.locator("#microphone")).to_be_enabled()
        yield page
        assert errors == []
        away = [url for url in requests if not url.startswith((address, "data:", "blob:"))]
        assert away == []
        assert len(requests) > len(web.SCRIPTS)


@pytest.fixture
def page(browser, address):
    with opened(browser, address) as page:
        yield page


def drop(page, paths):
    """Files dropped on the page, as from a file manager."""
    files = [[path.name, base64.b64encode(path.read_bytes()).decode()] for path in paths]
    page.evaluate(
        """files => {
          const dropped = new DataTransfer();
          for (const [name, content] of files) {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
            dropped.items.add(new File([bytes], name));
          }
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: dropped, bubbles: true }));
        }""",
        files,
    )


def answers(page, count, timeout=30):
    """Label and probabilities of the latest clips, the first heard first."""
    rows = page.locator("#clips > li")
    expect(rows).to_have_count(count, timeout=1000 * timeout)
    found = [
        (row.get_attribute("data-label"), row.get_attribute("data-probabilities"))
        for row in rows.all()
    ]
    return [(label, json.loads(text) if text else None) for label, text in reversed(found)]


def predicted(world, paths):
    """What `predictor.py CLIP ... build/Library --json` prints."""
    command = [
        sys.executable,
        str(REPOSITORY / "predictor.py"),
        *map(str, paths),
        str(world / "Voice"),
    ]
    run = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def check_same(found, expected, tolerance=EXACT):
    """found: `answers`. expected: `predicted`, or `listened`."""
    for (label, probabilities), answer in zip(found, expected, strict=True):
        assert label == answer["emotion"], answer["file"]
        assert probabilities == pytest.approx(list(answer["probabilities"].values()), abs=tolerance)


def listened(library, paths):
    """The same without starting the command: quick."""
    found = predict_all(paths, library)
    return [answer.as_json() for answer in found]


# --- clips ---------------------------------------------------------------------------------------


def test_dropped_clips_get_the_predictors_answer(world, clips, page, tmp_path):
    flac = tmp_path / "clip.flac"
    soundfile.write(flac, audio.read(clips[3]), RATE)
    loud = tmp_path / "loud.wav"  # Chromium decodes large samples to other numbers than n / 32768
    samples = audio.read(clips[5]).astype(float)
    soundfile.write(loud, (samples * 32700 / np.abs(samples).max()).astype(np.int16), RATE)
    stereo = tmp_path / "stereo.wav"
    soundfile.write(stereo, np.stack([samples[1:], samples[:-1]], 1).astype(np.int16), RATE)
    coarse = tmp_path / "8 bits.wav"
    soundfile.write(coarse, samples / np.abs(samples).max(), RATE, subtype="PCM_U8")
    paths = [*clips[:3], flac, loud, stereo, coarse]
    drop(page, paths)
    check_same(answers(page, len(paths)), predicted(world, paths))


def test_a_chosen_clip_is_the_same_as_a_dropped_one(library, clips, page):
    page.set_input_files("#files", clips[7])
    check_same(answers(page, 1), listened(library, [clips[7]]))


@pytest.mark.corpora
def test_real_clips_get_the_predictors_answer(world, page, corpora_dir):
    found = [
        clip.path for clip in corpora.discover(corpora_dir).clips if clip.path.suffix == ".flac"
    ]
    paths = [found[i] for i in np.linspace(0, len(found) - 1, 12).astype(int)]
    drop(page, paths)
    check_same(answers(page, 12), predicted(world, paths))


@pytest.mark.parametrize(
    ("name", "rate", "channels"),
    [
        ("studio.wav", 48000, 2),
        ("cd.flac", 44100, 1),
        ("odd.wav", 24414, 1),
        ("telephone.wav", 8000, 1),
        ("small.mp3", 16000, 1),
        ("usual.mp3", 44100, 2),
        ("small.ogg", 16000, 1),
    ],
)
def test_other_rates_and_formats_are_nearly_the_same(
    library, clips, page, tmp_path, name, rate, channels
):
    path = tmp_path / name
    sound = soxr.resample(audio.read(clips[9]) / audio.FULL_SCALE, RATE, rate)
    soundfile.write(path, np.tile(sound[:, None], channels), rate)
    page.set_input_files("#files", path)
    found = answers(page, 1)
    check_same(found, listened(library, [path]), tolerance=NEARLY)


def test_answer_is_shown_and_announced(clips, page, library):
    drop(page, clips[:1])
    answers(page, 1)
    [answer] = listened(library, clips[:1])
    expect(page.locator("#emotion")).to_have_text(answer["emotion"])
    expect(page.locator("#status[aria-live=polite]")).to_contain_text(answer["emotion"])
    shown = [
        float(each.get_attribute("value")) for each in page.locator("#probabilities data").all()
    ]
    assert shown == pytest.approx(list(answer["probabilities"].values()), abs=EXACT)
    expect(page.locator("#cost")).to_contain_text("of one core")
    expect(page.locator("#caution")).to_contain_text("synthetic")
    expect(page.locator("#contours")).to_have_attribute(
        "aria-label", re.compile(r"F0 from \d+ to \d+ Hz")
    )


def test_reasons_are_the_models_own(clips, page, library):
    """The probability that a column leaves behind, were it as usual, is that of the library."""
    drop(page, clips[:1])
    [(label, _)] = answers(page, 1)
    page.locator("#all > summary").click()
    rows = page.locator("#columns > li")
    expect(rows).to_have_count(len(COLUMNS))
    name = rows.first.locator("strong").inner_text()
    vector = device.extract(audio.load(clips[0]))
    model = persistence.load(clips[0].parents[2] / "model.joblib")
    place = COLUMNS.index(name)
    vector[place] = model.pipeline.steps[0][1].mean_[place]
    probability = library.probabilities(vector[None])[0][library.labels.index(label)]
    assert rows.first.locator(".would").inner_text() == f"{100 * probability:.1f} %"


def test_reasons_in_words_say_what_is_unusual(world, clips, page):
    """A shouting voice is louder than usual: of all clips, the loudest and the softest."""
    loudness = [np.square(audio.read(clip).astype(float)).mean() for clip in clips]
    words = {}
    for which in (np.argmax(loudness), np.argmin(loudness)):
        page.set_input_files("#files", clips[which])
        answers(page, len(words) + 1)
        away = page.evaluate(
            "MODEL.aspects.map((a) => inWords(a, page.recogniser.away(page.answer.last)).words)"
        )
        words[which] = away
        shown = page.locator("#why strong").all_inner_texts()
        assert set(map(str.lower, shown)) <= set(map(str.lower, away))
    assert ["louder" in each for each in words.values()] == [True, False]
    assert ["softer" in each for each in words.values()] == [False, True]


def test_uncertain_below_the_threshold(clips, page):
    """The same page, its model's threshold raised: "uncertain", as predictor.py says it, and why."""
    page.evaluate("MODEL.threshold = 1")
    drop(page, clips[:1])
    [(label, _)] = answers(page, 1)
    expect(page.locator("#emotion")).to_have_text("uncertain")
    expect(page.locator("#certainty")).to_contain_text(f"Perhaps {label}")
    expect(page.locator("#certainty")).to_contain_text("Below 100 %")


# --- what cannot be heard --------------------------------------------------------------------------


def half_an_hour(path):
    """A header that promises 30 minutes of silence, which the file system does not store."""
    size = 30 * 60 * RATE * 2
    soundfile.write(path, np.zeros(0, np.int16), RATE)
    head = bytearray(path.read_bytes()[:44])
    head[4:8], head[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    path.write_bytes(head)
    os.truncate(path, 44 + size)


def make_bad(folder, kind):
    path = folder / f"{kind}.wav"
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "header only":
            soundfile.write(path, np.zeros(0, np.int16), RATE)
        case "text":
            path = path.with_suffix(".txt")
            path.write_text("angry\n" * 1000)
        case "broken":
            path.write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(range(200)))
        case "half an hour":
            half_an_hour(path)
        case "half an hour of flac":
            path = path.with_suffix(".flac")
            soundfile.write(path, np.zeros(30 * 60 * RATE, np.int16), RATE)
        case "too short":
            soundfile.write(path, np.ones(800, np.int16), RATE)
        case "silence":
            soundfile.write(path, np.zeros(2 * RATE, np.int16), RATE)
        case "NaN":
            soundfile.write(path, np.full(RATE, np.nan, np.float32), RATE, subtype="FLOAT")
        case "slow":
            soundfile.write(path, np.ones(6000, np.int16), 2000)
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "is empty"),
        ("header only", "not a sound that this browser can read"),
        ("text", "not a sound that this browser can read"),
        ("broken", "not a sound that this browser can read"),
        ("half an hour", "30 min 0 s long"),
        ("half an hour of flac", "30 min 0 s long"),
        ("too short", "too short"),
        ("silence", "no speech"),
        ("NaN", "NaN"),
        ("slow", "2000 Hz"),
    ],
)
def test_what_is_wrong_is_said_and_the_page_lives(library, clips, page, tmp_path, kind, words):
    path = make_bad(tmp_path, kind)
    page.set_input_files("#files", path)
    assert answers(page, 1) == [(None, None)]
    status = page.locator("#status")
    expect(status).to_contain_text(path.name)
    expect(status).to_contain_text(words)
    page.set_input_files("#files", clips[0])
    check_same(answers(page, 2)[1:], listened(library, clips[:1]))


def test_an_old_answer_leaves_when_a_new_file_fails(page, clips, tmp_path):
    page.set_input_files("#files", clips[0])
    answers(page, 1)
    expect(page.locator("#why-section")).to_be_visible()
    page.set_input_files("#files", make_bad(tmp_path, "empty"))
    answers(page, 2)
    expect(page.locator("#emotion")).to_have_text("No answer")
    expect(page.locator("#certainty")).to_contain_text("is empty")
    expect(page.locator("#why-section")).to_be_hidden()
    expect(page.locator("#plots-section")).to_be_hidden()
    assert (
        page.locator("#probabilities data").all_inner_texts()
        == ["–"] * page.locator("#probabilities data").count()
    )


# --- what a stranger finds ---------------------------------------------------------------------------


def test_a_made_up_voice_is_heard_and_played_without_a_microphone(page):
    examples = page.locator(".example")
    assert examples.all_inner_texts() == [emotion for _, emotion in voices.CHOSEN]
    examples.first.click()
    answers(page, 1)
    expect(page.locator("#status")).to_contain_text("made-up woman, meant to sound happy")
    expect(page.locator("#clips .play")).to_have_attribute("aria-label", re.compile("^Stop"))
    expect(page.locator("#playhead")).to_be_visible()
    expect(page.locator("#clips .play")).to_have_attribute("aria-label", re.compile("^Play"))
    expect(page.locator("#playhead")).to_be_hidden()


def test_it_works_offline_once_it_was_served(world, browser, clips, library, tmp_path):
    """A page that is made anew is shown at once; with the server gone, the kept one answers as before."""
    folder = shutil.copytree(world / "web", tmp_path / "web")
    for path in folder.rglob("*"):
        os.utime(path, (10**9, 10**9))  # of old files a browser thinks that they stay as they are
    with browser.new_context() as context:
        page = context.new_page()
        with serving(folder) as address:
            page.goto(address)
            expect(page.locator("#offline")).to_contain_text("It works offline")
            index = (folder / "index.html").read_text(encoding="utf-8")
            anew = index.replace("How does a voice sound?", "Anew").replace(
                "<title>", "<title>Anew: "
            )
            (folder / "index.html").write_text(anew, encoding="utf-8")
            page.goto(address)
            expect(page.locator("h1")).to_have_text("Anew")
        context.set_offline(True)
        page.goto(address)
        expect(page.locator("h1")).to_have_text("How does a voice sound?")
        page.set_input_files("#files", clips[0])
        check_same(answers(page, 1), listened(library, clips[:1]))


def test_where_it_does_not_work_offline_it_says_so(browser, address):
    with browser.new_context() as context:
        context.add_init_script("Object.defineProperty(navigator, 'serviceWorker', {})")
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#offline")).to_contain_text("Offline it does not work here")


# --- whose voice it is -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def acquainted(world, clips):
    """The page of a model that knows voices, its library and its pipeline."""
    columns = candidates.columns()
    places = [COLUMNS.index(name) for name in columns]
    vectors = np.array([device.extract(audio.load(clip)) for clip in clips])[:, places]
    emotions = np.array([clip.stem.split("_")[-1] for clip in clips])
    pipeline_ = acquainted_pipeline(vectors, emotions, [clip.parent.name for clip in clips])
    facts = {"labels": pipeline_.classes_.tolist(), "columns": columns, "engine": "device"}
    facts |= {"threshold": 0.3, "corpora": ["synthetic"]}
    folder = world / "acquainted"
    folder.mkdir()
    persistence.save(pipeline_, folder / "model.joblib", facts)
    plan = pipeline.plan(pipeline_, facts)
    files = library_files.contents(
        plan, source.write(plan, name="voice"), name="Voice", sizes="", facts=facts
    )
    library_files.write(files, folder / "Voice")
    web.write(web.contents(plan, files, facts), folder / "web")
    return folder


KNOWN = "knows your voice from"
STATE = "Array.from(page.recogniser.voiceBytes())"


def test_the_voice_in_the_page_is_pythons_and_cs_to_the_last_bit(browser, acquainted, clips):
    """A sequence of clips of one voice, then of another: answers, sentences known, and the profile's bytes;
    kept over a reload, and forgotten when asked."""
    opened_library = compiled.Library(acquainted / "Voice")
    in_c = voice.VoiceOfLibrary(acquainted / "c.json", opened_library)
    model = persistence.load(acquainted / "model.joblib")
    in_python = voice.VoiceOfModel(acquainted / "python.json", model)
    own = clips[:9]
    sequence = [*own, *clips[-7:]]
    with opened(browser, f"{(acquainted / 'web').as_uri()}/", "index.html") as page:
        expect(page.locator("#voice-known")).to_contain_text("does not know your voice yet")
        page.locator("#same-voice").check()
        for i, clip in enumerate(sequence):
            known = in_c.known
            expected = in_c.hear(audio.load(clip))
            probabilities = in_python.answer(device.extract(audio.load(clip)))
            page.set_input_files("#files", clip)
            label, found = answers(page, i + 1)[-1]
            row = page.locator("#clips > li").first
            assert label == expected.label
            assert np.array_equal(np.float32(found), expected.probabilities)
            assert found == pytest.approx(probabilities.tolist(), abs=EXACT)
            assert int(row.get_attribute("data-known")) == known
            if i == len(own) - 1:
                assert in_c.known == in_python.known > 5
                told = f"{KNOWN} {in_c.known} sentences"
                expect(page.locator("#voice-known")).to_have_text(told)
        assert page.evaluate(STATE) == in_c._state.tolist()
        assert page.evaluate("page.recogniser.voice().known") == in_python.known == 0
        expect(page.locator("#voice-known")).to_contain_text("somebody else seems to speak")
        page.reload()
        expect(page.locator("#voice-known")).to_contain_text("somebody else seems to speak")
        assert page.evaluate(STATE) == in_c._state.tolist()
        page.locator("#forget").click()
        expect(page.locator("#voice-known")).to_contain_text("does not know your voice yet")
        assert page.evaluate("localStorage.getItem(VOICE_KEY)") is None
        assert page.evaluate(STATE) == opened_library.nobody().tolist()


@pytest.mark.parametrize("change", ["kept.model = 'x'", "kept.state = 'AAAA'", "kept = 7"])
def test_a_voice_of_another_model_or_damaged_is_forgotten_and_said(
    browser, acquainted, clips, change
):
    with opened(browser, f"{(acquainted / 'web').as_uri()}/", "index.html") as page:
        page.locator("#same-voice").check()
        page.set_input_files("#files", clips[0])
        expect(page.locator("#voice-known")).to_have_text(f"{KNOWN} 1 sentence")
        page.evaluate(
            f"""() => {{
              let kept = JSON.parse(localStorage.getItem(VOICE_KEY));
              {change};
              localStorage.setItem(VOICE_KEY, JSON.stringify(kept));
            }}"""
        )
        page.reload()
        expect(page.locator("#status")).to_contain_text("learnt with another model, or is damaged")
        expect(page.locator("#voice-known")).to_contain_text("does not know your voice yet")
        assert page.evaluate("localStorage.getItem(VOICE_KEY)") is None


def test_clips_are_nobodys_voice_unless_it_is_said(browser, acquainted, clips):
    with opened(browser, f"{(acquainted / 'web').as_uri()}/", "index.html") as page:
        page.set_input_files("#files", clips[0])
        answers(page, 1)
        assert page.evaluate("page.recogniser.voice().known") == 0


def test_a_model_that_knows_no_voices_shows_no_such_line(page):
    expect(page.locator("#voice")).to_be_hidden()


# --- microphone --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spoken(world, clips, library):
    """A clip that the model is surest of."""
    return max(clips, key=lambda path: library.answer(audio.load(path)).probabilities.max())


@pytest.fixture(scope="module")
def listening(chromium, spoken, world):
    """A browser whose microphone hears that clip, between silences, over and over."""
    path = world / "microphone.wav"
    pause = np.zeros(RATE * 3 // 2, np.int16)
    soundfile.write(path, np.concatenate([pause, audio.read(spoken), pause]), RATE)
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={path}"]
    with chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake]) as browser:
        yield browser


def test_microphone_recognises(listening, address, library, spoken):
    expected = library.answer(audio.load(spoken)).label
    with opened(listening, address, permissions=["microphone"]) as page:
        page.locator("#microphone").press("Enter")
        expect(page.locator("#status")).to_contain_text("Listening")
        usage = cpu_use(page)
        [(label, probabilities)] = answers(page, 1)
        main, whole = usage()
        print(
            f"\nof one core while live: {main:.1%} the main thread, {whole:.1%} the page's process, in which"
        )
        print(f"the recogniser takes {page.locator('#cost').inner_text()}")
        assert label == expected
        expect(page.locator("#emotion")).to_have_text(label)
        assert sum(probabilities) == pytest.approx(1, abs=1e-5)
        page.locator("#microphone").press("Enter")
        expect(page.locator("#status")).to_have_text("Microphone off.")
        page.set_input_files("#files", spoken)  # and clips go on as before
        assert answers(page, 2)[1][0] == expected


def cpu_use(page):
    """Returns a function that says which shares of one core the page's main thread and its process, the
    browser's own audio included, have used since."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def metrics():
        found = session.send("Performance.getMetrics")["metrics"]
        values = {each["name"]: each["value"] for each in found}
        return np.array([values[name] for name in ("ThreadTime", "ProcessTime", "Timestamp")])

    began = metrics()

    def used():
        *work, seconds = metrics() - began
        return [share / seconds for share in work]

    return used


def test_silent_microphone_is_said(chromium, address, tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(RATE, np.int16), RATE)
    fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={path}"]
    with (
        chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *fake]) as browser,
        opened(browser, address, permissions=["microphone"]) as page,
    ):
        page.locator("#microphone").click()
        expect(page.locator("#emotion")).to_have_text("Listening")
        expect(page.locator("#status")).to_contain_text("Only silence arrives")


def test_nothing_that_is_said_contradicts_the_sound(page, spoken):
    """Before anybody spoke, what arrives is said; after a sentence it is not, however long it is silent."""
    hear = """([samples, seconds]) => {
      window.take ??= page.listen();
      const sound = new Int16Array(samples.length + seconds * SOUND.rate);
      sound.set(samples);
      for (let i = 0; i + SOUND.hop <= sound.length; i += SOUND.hop) {
        take(sound.subarray(i, i + SOUND.hop));
      }
    }"""
    page.evaluate(hear, [[], 10])
    expect(page.locator("#status")).to_contain_text("Only silence arrives")
    page.evaluate(hear, [audio.read(spoken).tolist(), 30])
    expect(page.locator("#status")).to_contain_text("Sentence 1")
    expect(page.locator("#answer")).to_have_class(re.compile("final"))


def test_eleven_minutes_of_microphone(page, spoken, library):
    """What is drawn is forgotten from its beginning; the sentences are found all the same."""
    samples = np.concatenate([np.zeros(RATE, np.int16), audio.read(spoken)])
    rounds = 11 * 60 * RATE // len(samples)
    found = page.evaluate(
        """async ([samples, rounds]) => {
          const recogniser = await Recogniser.open(MODEL);
          const traces = new Traces(recogniser.mels);
          const heard = [];
          const onAnswer = (answer) => heard.push(answer.label);
          const sentences = new Sentences(recogniser, traces, { onAnswer });
          const { hop } = recogniser;
          const sound = new Int16Array(rounds * samples.length).map((_, i) => samples[i % samples.length]);
          for (let i = 0; i + hop <= sound.length; i += hop) {
            sentences.push(sound.subarray(i, i + hop));
          }
          return { heard, hops: traces.hops, kept: KEEP_HOPS };
        }""",
        [samples.tolist(), rounds],
    )
    assert found["kept"] / 2 <= found["hops"] <= found["kept"]
    assert len(found["heard"]) >= rounds - 2
    expected = library.labels.index(library.answer(audio.load(spoken)).label)
    assert found["heard"].count(expected) >= 0.9 * len(found["heard"])


def test_denied_microphone_is_said_and_the_page_lives(listening, address, library, clips):
    with opened(listening, address) as page:  # no permission, and nobody there to be asked
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_contain_text("The microphone was denied")
        expect(page.locator("#microphone")).to_be_enabled()
        page.set_input_files("#files", clips[0])
        check_same(answers(page, 1), listened(library, clips[:1]))


def test_absent_microphone_is_said(browser, address):
    with opened(browser, address, permissions=["microphone"]) as page:
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_contain_text("No microphone was found")


# --- recording ---------------------------------------------------------------------------------------


def unpacked(path, folder):
    """What a zip holds, laid into a folder."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder


def saved(page, folder):
    with page.expect_download() as download:
        page.locator("#save").click()
    download.value.save_as(folder / "recordings.zip")
    return unpacked(folder / "recordings.zip", folder / "recordings")


def record(page, *, speaker=None, labels=None, choose=None):
    """Fill in the form as given, and wait for another take."""
    for place, text in (("#speaker", speaker), ("#labels", labels)):
        if text is not None:
            page.locator(place).fill(text)
            page.locator(place).press("Tab")
    if choose is not None:
        page.get_by_role("radio", name=choose).check()
    takes = page.locator("#takes > li")
    count = takes.count()
    if page.locator("#record-start").inner_text().startswith("Start"):
        page.locator("#record-start").click()
        expect(page.locator("#record-status")).to_contain_text("Be quiet")
    expect(takes).to_have_count(count + 1, timeout=30_000)


def test_what_is_recorded_is_what_dataset_generator_reads(listening, address, spoken, tmp_path):
    """Two speakers, labels with a blank and an umlaut; one take deleted, the page reloaded in between."""
    with opened(listening, address, "#record", permissions=["microphone"]) as page:
        expect(page.locator("#record-start")).to_be_disabled()
        record(page, speaker="Jörg Ö", labels="Very Happy, böse, very happy")
        record(page, choose="böse")
        expect(page.locator("#noise")).to_contain_text("dBFS")
        record(page)
        page.locator("#record-start").click()
        page.get_by_role("button", name="Delete böse, Jörg Ö, take 1").click()
        page.reload()
        expect(page.locator("#takes > li")).to_have_count(2)
        record(page, speaker="anna", choose="böse")
        folder = saved(page, tmp_path)
        expect(page.locator("#next")).to_be_visible()
    found = corpora.discover(folder)
    assert {(clip.emotion, clip.speaker) for clip in found.clips} == {
        ("very happy", "Jörg Ö"),
        ("böse", "Jörg Ö"),
        ("böse", "anna"),
    }
    assert [path.name for path, _ in found.ignored] == ["background_noise.wav"]
    with (folder / recordings.FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == recordings.COLUMNS
    assert [row["path"] for row in rows] == [
        "very happy/Jörg Ö_01.wav", "böse/Jörg Ö_02.wav", "böse/anna_01.wav",
    ]  # fmt: skip
    original = audio.read(spoken)
    for row in rows:
        facts = soundfile.info(folder / row["path"])
        assert (facts.samplerate, facts.channels, facts.subtype) == (RATE, 1, "PCM_16")
        assert float(row["seconds"]) == pytest.approx(facts.duration, abs=1e-3)
        samples = audio.read(folder / row["path"])
        peak = 20 * np.log10(np.abs(samples.astype(int)).max() / audio.FULL_SCALE)
        assert float(row["peak_dbfs"]) == pytest.approx(peak, abs=0.06)
        assert row["clipped_samples"] == "0" and row["device"] and int(row["rate"]) >= RATE
        # the whole clip is in it: its gate keeps a little before, and the pause behind
        assert len(samples) > 0.7 * len(original)
        assert np.abs(samples).max() == pytest.approx(np.abs(original).max(), rel=0.05)


HOSTILE_TAKES = """names => {
  const samples = Int16Array.from({ length: 1600 }, (_, i) => 1000 * Math.sin(i / 9));
  const takes = [];
  for (const name of names) {
    const [label] = labelsOf(name.replaceAll(",", " "));
    const speaker = plainName(name);
    if (label && speaker && !takes.some((take) => take.emotion === label)) {
      const take = nextTake(takes, label, speaker);
      const facts = { emotion: label, speaker, take, when: isoTime(new Date()), device: name, rate: 48000 };
      takes.push({ ...facts, samples }, { ...facts, take: take + 1, samples });
    }
  }
  const reader = new FileReader();
  return new Promise((resolve) => {
    const shown = takes.map((take) => [take.emotion, take.speaker]);
    reader.onload = () => resolve([shown, reader.result.split(",")[1]]);
    reader.readAsDataURL(zipOfTakes(takes, null));
  });
}"""


def test_hostile_names_are_safe_files_and_read_back_as_shown(page, tmp_path):
    shown, content = page.evaluate(HOSTILE_TAKES, [name for name in HOSTILE if name != "\ud800"])
    assert len(shown) > 200
    (tmp_path / "hostile.zip").write_bytes(base64.b64decode(content))
    folder = unpacked(tmp_path / "hostile.zip", tmp_path / "recordings")
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*.wav")]
    assert len({unicodedata.normalize("NFC", file).casefold() for file in files}) == len(shown)
    with (folder / recordings.FILE).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"] for row in rows} == set(files)
    for row in rows:
        for value in (row["emotion"], row["speaker"], row["device"]):
            assert not value.startswith(("=", "+", "-", "@")), "a formula, for a spreadsheet"
            assert not set(value) & set('/\\:*?"<>|') and value == value.strip(" .")
        assert names.label_flaw(row["emotion"]) == ""
    assert [[row["emotion"], row["speaker"]] for row in rows] == shown


def test_takes_of_two_tabs_have_paths_of_their_own(browser, address):
    """Both are open when the other records, and neither's take is lost."""
    with browser.new_context() as context:
        tabs = [context.new_page() for _ in range(2)]
        for tab in tabs:
            tab.goto(address)
            expect(tab.locator("#shelf")).to_contain_text("Takes stay")
        for tab in tabs:
            tab.evaluate(
                """async () => {
                  const { recorder } = page;
                  recorder.speaker = "anna";
                  recorder.of = { emotion: "angry", when: isoTime(new Date()) };
                  recorder.microphone = { name: "a microphone", rate: 48000 };
                  await recorder.keep(new Int16Array(16000).fill(1000));
                }"""
            )
        tabs[0].reload()
        expect(tabs[0].locator("#shelf")).to_contain_text("Takes stay")
        paths = tabs[0].evaluate("page.recorder.takes.map(pathOf)")
        assert paths == ["angry/anna_01.wav", "angry/anna_02.wav"]
        same = [{"emotion": "angry", "speaker": "Anna", "take": 3}]
        assert tabs[0].evaluate("takes => nextTake(takes, 'angry', 'anna')", same) == 4


@pytest.mark.parametrize("gain", [0.01, 1, 40])
def test_a_take_is_judged_as_record_judges_it(page, spoken, gain):
    """Level, clipped samples and flaws of a soft, a good and a clipped take."""
    samples = np.clip(np.round(audio.read(spoken) * gain), -32768, 32767).astype(np.int16)
    js = f"Int16Array.from({samples.tolist()})"
    level = page.evaluate(f"levels({js})")
    assert level["speech"] == pytest.approx(speech.level(samples), abs=1e-6)
    assert level["clipped"] == speech.clipped(samples)
    told = page.evaluate(f"flawOf({js})")
    flaws = Sentence(samples, 0).flaws()
    assert [each.split(" (")[0] for each in flaws] == [
        each.split(" (")[0] for each in told.split("; ") if each
    ]
    assert bool(told) == (gain != 1)


# --- privacy, size, access ---------------------------------------------------------------------------


def test_page_cannot_reach_anybody(browser, address):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        blocked = page.evaluate(
            """async (address) => {
              const seen = [];
              addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
              await fetch(address).catch(() => {});
              navigator.sendBeacon(address, "voice");
              const image = new Image();
              image.src = address + "?voice";
              await new Promise((resolve) => (image.onerror = resolve));
              return seen;
            }""",
            address,
        )
        assert "connect-src" in blocked
        assert "img-src" in blocked


def test_works_from_the_disk_without_a_server(world, library, clips, browser):
    with opened(browser, f"{(world / 'web').as_uri()}/", "index.html") as page:
        page.set_input_files("#files", clips[0])
        check_same(answers(page, 1), listened(library, clips[:1]))


def test_model_of_few_groups(browser, clips, tmp_path):
    """What such a chip does not compute is not drawn; the answer is right all the same."""
    columns = [name for name in COLUMNS if name.startswith("rms_")]
    places = [COLUMNS.index(name) for name in columns]
    vectors = np.array([device.extract(audio.load(clip)) for clip in clips])
    emotions = np.array([clip.stem.split("_")[-1] for clip in clips])
    model = network(Int8Network, 8).fit(vectors[:, places], emotions)
    facts = {"labels": model.classes_.tolist(), "columns": columns}
    plan = pipeline.plan(model, facts)
    files = library_files.contents(
        plan, source.write(plan, name="few"), name="Few", sizes="", facts=facts
    )
    library_files.write(files, tmp_path / "Few")
    web.write(web.contents(plan, files, facts), tmp_path / "web")
    with opened(browser, f"{(tmp_path / 'web').as_uri()}/", "index.html") as page:
        page.set_input_files("#files", clips[0])
        few = compiled.Library(tmp_path / "Few")
        check_same(answers(page, 1), listened(few, clips[:1]))
        expect(page.locator("#contours")).to_have_attribute("aria-label", re.compile("uses no F0"))


def test_page_is_at_most_500_kilobytes(world):
    assert sum(path.stat().st_size for path in (world / "web").iterdir()) <= 500_000


def enter(page, state, clips, folder):
    """Bring the page into a state of its own."""
    match state:
        case "answer, all columns, a failed file, uncertain":
            drop(page, [*clips[:1], make_bad(folder, "empty"), *clips[1:2]])
            answers(page, 3)
            page.locator("#all > summary").click()
        case "uncertain":
            page.evaluate("MODEL.threshold = 1")
            drop(page, clips[:1])
            answers(page, 1)
        case "no answer":
            page.set_input_files("#files", make_bad(folder, "silence"))
            answers(page, 1)
        case "listening":
            page.evaluate("void page.listen()")
        case "hearing":
            page.evaluate("void (page.listen(), page.answer.hear())")
        case "so far":
            drop(page, clips[:1])
            answers(page, 1)
            page.evaluate(
                "{ const { last } = page.answer; page.listen(); page.answer.provisional(last); }"
            )
        case "recording":
            page.evaluate(
                """() => {
                  location.hash = "#record";
                  element("speaker").value = "anna";
                  page.recorder.settle();
                  const samples = Int16Array.from({ length: 9000 }, (_, i) => (i % 90) * 900 - 32768);
                  page.recorder.addRow({ id: 1, emotion: "angry", speaker: "anna", take: 1, samples });
                  page.recorder.keepNoise([new Int16Array(SOUND.hop)]);
                  element("record-level").hidden = element("next").hidden = false;
                }"""
            )
            expect(page.locator("#takes .flaw")).to_be_visible()


STATES = (
    "idle", "answer, all columns, a failed file, uncertain", "uncertain", "no answer", "listening", "hearing",
    "so far", "recording",
)  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1100, "light")])
def test_no_accessibility_violations_in_any_state(
    browser, acquainted, clips, tmp_path, scheme, width
):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    for state in STATES:
        with (
            serving(acquainted / "web") as address,
            opened(browser, address, reduced_motion="reduce", **options) as page,
        ):
            enter(page, state, clips, tmp_path)
            found = axe.Axe().run(page)
            assert found.violations_count == 0, f"{state}: {found.generate_report()}"
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, f"{state}: scrolls sideways"


MID_PHONE = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 750e3 / 8,
}
"""Lighthouse's "fast 3G", in bytes per second and ms; with the processor four times slower."""


def test_the_first_answer_on_a_phone_is_told(browser, acquainted):
    """How long a stranger waits for the first answer; printed, as time is no pass or fail."""
    with serving(acquainted / "web") as address, browser.new_context() as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", MID_PHONE)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        began = time.monotonic()
        page.goto(address, wait_until="commit")
        page.locator(".example").first.click()
        answers(page, 1)
        print(f"\nfirst answer {time.monotonic() - began:.1f} s after the address, on a mid phone")


def test_everything_is_reached_by_keyboard(page, clips):
    drop(page, clips[:1])
    answers(page, 1)
    reached = []
    page.locator("body").press("Tab")
    for _ in range(10):
        focus = "document.activeElement"
        reached.append(page.evaluate(f"{focus}.id || {focus}.className || {focus}.tagName"))
        page.keyboard.press("Tab")
    assert list(dict.fromkeys(reached)) == [
        "to-try", "to-record", "microphone", "example", "files", "SUMMARY", "play",
    ]  # fmt: skip
    page.locator("#all > summary").press("Enter")
    expect(page.locator("#columns > li")).to_have_count(len(COLUMNS))


# --- a microphone that fails -----------------------------------------------------------------------


CAUGHT = """
window.caught = { tracks: [], contexts: [], listeners: [] };
const media = navigator.mediaDevices;
const ask = media.getUserMedia.bind(media);
media.getUserMedia = async (wish) => {
  const stream = await ask(wish);
  caught.tracks.push(...stream.getTracks());
  return stream;
};
window.AudioContext = class extends AudioContext {
  constructor(...options) { super(...options); caught.contexts.push(this); }
};
window.AudioWorkletNode = class extends AudioWorkletNode {
  constructor(...options) { super(...options); caught.listeners.push(this); }
};
"""
"""Keeps what the page opens in sight."""
ALL_OFF = """() => caught.tracks.length > 0
  && caught.tracks.every((track) => track.readyState === "ended")
  && caught.contexts.every((context) => context.state === "closed")"""


@contextmanager
def watched(listening, address, change=""):
    with listening.new_context(permissions=["microphone"]) as context:
        context.add_init_script(CAUGHT + change)
        page = context.new_page()
        page.goto(address)
        expect(page.locator("#microphone")).to_be_enabled()
        yield page


FAILED_STARTS = {
    "rates that cannot be joined": (
        "AudioContext.prototype.createMediaStreamSource = () => {"
        " throw new DOMException('different sample-rate', 'NotSupportedError'); };",
        "The microphone and the loudspeaker run at different rates",
    ),
    "a worklet that does not load": (
        "AudioWorklet.prototype.addModule = () => Promise.reject(new DOMException('x', 'AbortError'));",
        "could not load the page's sound processing",
    ),
    "a node that cannot be made": (
        "window.AudioWorkletNode = class { constructor() { throw new TypeError('no'); } };",
        "The microphone could not be started (no)",
    ),
    "a context that does not start": (
        "AudioContext.prototype.resume = () => Promise.reject(new DOMException('x', 'InvalidStateError'));",
        "The microphone could not be started (x)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILED_STARTS)
def test_a_failed_start_leaves_nothing_on_and_says_a_sentence(listening, address, name):
    change, words = FAILED_STARTS[name]
    with watched(listening, address, change) as page:
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_contain_text(words)
        expect(page.locator("#microphone")).to_be_enabled()
        expect(page.locator("#microphone")).to_have_text("Start microphone")
        page.wait_for_function(ALL_OFF)


def test_a_browser_that_joins_a_microphone_at_its_own_rate_only_is_asked_for_that(
    listening, address, spoken, library
):
    change = """
      const join = AudioContext.prototype.createMediaStreamSource;
      MediaStreamTrack.prototype.getSettings = () => ({ sampleRate: 32000 });
      AudioContext.prototype.createMediaStreamSource = function (stream) {
        if (this.sampleRate !== 32000) {
          throw new DOMException("different sample-rate", "NotSupportedError");
        }
        return join.call(this, stream);
      };"""
    with watched(listening, address, change) as page:
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_contain_text("Listening")
        [(label, _)] = answers(page, 1)
        assert label == library.answer(audio.load(spoken)).label
        states = page.evaluate("caught.contexts.map((each) => each.state)")
        assert states == ["closed", "running"]


def test_what_happens_to_a_microphone_on_the_way_is_noticed(listening, address):
    with watched(listening, address) as page:
        status = page.locator("#status")

        def tell(what):
            page.evaluate(what)

        page.locator("#microphone").click()
        expect(status).to_contain_text("Listening")
        tell("caught.tracks[0].dispatchEvent(new Event('mute'))")
        expect(status).to_contain_text("The microphone is muted")
        tell("caught.tracks[0].dispatchEvent(new Event('unmute'))")
        expect(status).to_contain_text("Listening")
        # a call: the system takes the sound, and gives it back
        tell(
            "caught.resume = caught.contexts[0].resume; caught.contexts[0].resume = async () => {}"
        )
        tell("caught.contexts[0].suspend()")
        expect(status).to_contain_text("The sound is interrupted")
        tell("caught.resume.call(caught.contexts[0])")
        expect(status).to_contain_text("Listening")
        tell("caught.tracks[0].dispatchEvent(new Event('ended'))")
        expect(status).to_contain_text("The microphone went away")
        page.wait_for_function(ALL_OFF)


def test_a_worklet_that_fails_is_noticed_and_nothing_is_left_on(listening, address):
    change = """
      window.Blob = class extends Blob {
        constructor(parts, options) {
          const [start, end] = ["process([channels]) {", " if (currentTime > 1) throw new Error();"];
          super(parts.map((part) => part.replace(start, start + end)), options);
        }
      };"""
    with watched(listening, address, change) as page:
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_contain_text("The sound could not be processed any more")
        expect(page.locator("#microphone")).to_have_text("Start microphone")
        page.wait_for_function(ALL_OFF)


def test_a_microphone_from_which_no_sound_comes_is_said(listening, address):
    with watched(listening, address, "AudioNode.prototype.connect = () => {};") as page:
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_contain_text("No sound arrives from the microphone")
        page.locator("#microphone").click()
        expect(page.locator("#status")).to_have_text("Microphone off.")
        page.wait_for_function(ALL_OFF)


# --- odd files ---------------------------------------------------------------------------------------


def test_odd_files_are_heard_as_by_predictor_and_it_is_said(page, clips, library, tmp_path):
    samples = audio.read(clips[4])
    soundfile.write(tmp_path / "whole.wav", samples.astype(float), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "one.wav", np.stack([samples, 0 * samples], axis=1), RATE)
    loud = samples / 32768
    loud[3000:3010] = 1.5
    soundfile.write(tmp_path / "over.wav", loud, RATE, subtype="FLOAT")
    status = page.locator("#status")
    for i, (name, words) in enumerate(
        [
            ("whole", "taken as 16-bit"),
            ("one", "a channel that holds nothing"),
            ("over", "10 samples"),
        ]
    ):
        path = tmp_path / f"{name}.wav"
        page.set_input_files("#files", path)
        check_same(answers(page, i + 1)[-1:], listened(library, [path]))
        expect(status).to_contain_text(words)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hum", "no speech"),
        ("noise", "no speech"),
        ("units", "times full scale"),
        ("opposed", "cancel"),
    ],
)
def test_files_without_speech_or_sense_get_no_emotion(page, clips, tmp_path, name, words):
    t, path = np.arange(2 * RATE) / RATE, tmp_path / f"{name}.wav"
    voice = audio.read(clips[0])
    sounds = {
        "hum": 0.05 * np.sin(2 * np.pi * 50 * t),
        "noise": 0.05 * np.random.default_rng(0).standard_normal(2 * RATE),
        "units": voice * 0.77,
        "opposed": np.stack([voice, -voice], axis=1) / 32768,
    }
    soundfile.write(path, sounds[name], RATE, subtype="FLOAT")
    page.set_input_files("#files", path)
    assert answers(page, 1) == [(None, None)]
    expect(page.locator("#status")).to_contain_text(words)
