# make demo   the whole way on synthetic speech, from a fresh machine
# make test   the tests, from a fresh machine; TESTS="-m slow" or a file chooses others
# make web    the chip's code as a web page, served on this computer
# make network-demo   broker, central service, three simulated devices and the page
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

.PHONY: demo test web network-demo bench lint clean

define TRAIN
$(PY) dataset_generator.py --synthetic --out $(DEMO)/dataset
$(PY) train.py $(DEMO)/dataset/features.csv --models student_224 student_56 forest_small linear \
  --out $(DEMO)/models --reports $(DEMO)/reports
endef

demo: $(READY)
	$(TRAIN)
	$(PY) predictor.py $(CLIPS)/f1/f1_chairs_*.wav $(MODEL)
	@if command -v cc >/dev/null; then set -ex; \
	  $(PY) -m codegen $(MODEL) --out $(LIBRARY) --features $(DEMO)/dataset/features.csv --corpora $(CLIPS); \
	  $(PY) predictor.py $(CLIPS)/f1/f1_chairs_*.wav $(LIBRARY); \
	  $(PY) -m measure $(LIBRARY) --corpora $(CLIPS) --out $(DEMO)/reports || \
	    echo "Above is what does not fit, or what is missing here to measure it; all else is done."; \
	else echo "No C compiler here, so the export to C is left out; on Debian or Ubuntu: sudo apt-get install gcc"; fi

$(MODEL): $(READY)
	$(TRAIN)

test: $(READY)
	$(PY) -m pytest -n 2 --dist loadfile $(TESTS)

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
