# make demo   the whole way on synthetic speech, from a fresh machine
# make test   the tests, from a fresh machine; TESTS="-m slow" or a file chooses others
# make web    the chip's code as a web page, served on this computer
# make network-demo   broker, central service, three simulated devices and the page
# make release CORPORA=DIR   library, page and card of a model that may be passed on (CREMA-D alone)
# make chip-tools   what times the chip here: emulators and compilers, by apt-get, asked first
# make bench  speeds, as ratios taken in one run
# make lint   ruff, its formatter, mypy, and the layers of the packages

# The first Python that really starts (a version manager leaves stubs for those it does not), is new
# enough and can make an environment; or say make PYTHON=/path/to/python.
PYTHON_FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
  "$$python" -c '$(PYTHON_FITS)' >/dev/null 2>&1 && { command -v "$$python"; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
DEMO := demo
MODEL := $(DEMO)/models/model.joblib
LIBRARY := $(DEMO)/EmotionRecognition
CLIPS := $(DEMO)/dataset/synthetic

.PHONY: demo test web network-demo bench lint clean release chip-tools

define TRAIN
$(PY) dataset_generator.py --synthetic --out $(DEMO)/dataset
$(PY) train.py $(DEMO)/dataset/features.csv --models student_168 student_56 forest_small linear \
  --out $(DEMO)/models --reports $(DEMO)/reports
endef

demo: $(READY)
	$(TRAIN)
	$(PY) predictor.py $(CLIPS)/f1/f1_chairs_*.wav $(MODEL)
	@if command -v cc >/dev/null; then set -ex; \
	  $(PY) -m codegen $(MODEL) --out $(LIBRARY) --features $(DEMO)/dataset/features.csv --corpora $(CLIPS); \
	  $(PY) predictor.py $(CLIPS)/f1/f1_chairs_*.wav $(LIBRARY); \
	  $(PY) -m measure $(LIBRARY) --corpora $(CLIPS) --out $(DEMO)/reports --or-reference docs/footprint.md || \
	    echo "Above is what does not fit; all else is done."; \
	else echo "No C compiler here, so the export to C is left out; on Debian or Ubuntu: sudo apt-get install gcc"; fi

	@echo "Done, on SYNTHETIC speech: the way works, and its scores mean nothing for real speech."
	@echo "  $(DEMO)/reports/report.md  every score, with its interval"
	@echo "  $(LIBRARY).zip  for Sketch > Include Library > Add .ZIP Library"
	@echo "Next: make web                                    the same model in your browser, on your microphone"
	@echo "      speech-emotion record --labels happy sad --speaker NAME    your own clips (docs/own_recordings.md)"
	@echo "      make chip-tools                             what times the chip: sudo apt-get install, asked first"

# Emulators and cross compilers, as Debian has them; nothing is installed without this being called.
CHIP_TOOLS := gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc clang-22 llvm-22 \
  binutils-xtensa-lx106 gcc-12-source
chip-tools:
	@command -v apt-get >/dev/null || { echo "error: no apt-get here; install by hand: $(CHIP_TOOLS)"; exit 2; }
	@printf 'This runs: apt-get install $(CHIP_TOOLS)\nGo on? [y/N] '; read answer; [ "$$answer" = y ]
	@if [ "$$(id -u)" = 0 ]; then apt-get install $(CHIP_TOOLS); else sudo apt-get install $(CHIP_TOOLS); fi

# What may be passed on: a model of CREMA-D alone (ODbL), its library, page and card.
RELEASE := build/release
release: $(READY)
	@[ -n "$(CORPORA)" ] || { echo "error: say where CREMA-D is: make release CORPORA=DIR; to fetch it:" \
	  "python dataset_generator.py --download cremad --corpora DIR"; exit 2; }
	$(PY) dataset_generator.py --corpora "$(CORPORA)" --only cremad --engine device --augment --out $(RELEASE)/dataset
	$(PY) train.py $(RELEASE)/dataset/features.csv --models voice_224 --fit all --show "$(CORPORA)" \
	  --out $(RELEASE)/models --reports $(RELEASE)/reports
	$(PY) -m codegen $(RELEASE)/models/model.joblib --out $(RELEASE)/EmotionRecognition --web $(RELEASE)/page \
	  --features $(RELEASE)/dataset/features.csv --corpora "$(CORPORA)"
	cp $(RELEASE)/reports/model_card.md $(RELEASE)/model_card.md
	$(PY) -c "import shutil; shutil.make_archive('$(RELEASE)/page', 'zip', '$(RELEASE)/page')"
	@echo "Built here, on the clips at hand. To attach: $(RELEASE)/EmotionRecognition.zip, page.zip, model_card.md,"
	@echo "models/model.joblib and model.json. CREMA-D is under the Open Database License: name it, share alike."

$(MODEL): $(READY)
	$(TRAIN)

test: $(READY)
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

PORT := 8000
web: $(MODEL)
	$(PY) -m codegen $(MODEL) --out $(LIBRARY) --web build/web
	@echo "http://127.0.0.1:$(PORT)/ speaks to this computer only; Ctrl-C ends it"
	@$(PY) -m http.server --bind 127.0.0.1 --directory build/web $(PORT)

# What it keeps is in build/network; the devices are the library's own code, hearing synthetic clips.
network-demo: $(MODEL)
	@command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || { echo "error: mosquitto is not installed;" \
	  "on Debian or Ubuntu: sudo apt-get install mosquitto"; exit 2; }
	$(PY) -m codegen $(MODEL) --out $(LIBRARY) --clips 0
	$(PY) -m central --folder build/network --page-port $(PORT) demo --library $(LIBRARY) --clips $(CLIPS)

bench: $(READY)
	$(PY) -m speech_emotion benchmark

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

# The stamp is written last: an interrupted installation is taken up again.
$(READY): requirements.txt constraints.txt pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "error: no Python 3.11 to 3.13 with its venv module on the PATH;" \
	  "on Debian or Ubuntu: sudo apt-get install python3-venv; or say: make PYTHON=/path/to/python3.12"; exit 2; }
	@"$(PYTHON)" -c '$(PYTHON_FITS)' || { echo "error: '$(PYTHON)' is not a Python 3.11 to 3.13 with its venv" \
	  "module; say: make PYTHON=/path/to/python3.12"; exit 2; }
	"$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(READY)

clean:
	rm -rf $(VENV) $(DEMO)
