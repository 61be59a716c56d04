# make demo   the whole way on synthetic speech, from a fresh machine
# make test   the tests, from a fresh machine
# make bench  speeds, as ratios taken in one run
# make lint   ruff

# The first Python that really starts (a version manager leaves stubs for those it does not), is new
# enough and can make an environment; or say make PYTHON=/path/to/python.
PYTHON_FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
  "$$python" -c '$(PYTHON_FITS)' >/dev/null 2>&1 && { command -v "$$python"; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
DEMO := demo

.PHONY: demo test bench lint clean

demo: $(READY)
	$(PY) dataset_generator.py --synthetic --out $(DEMO)/dataset
	$(PY) train.py $(DEMO)/dataset/features.csv --models mlp_64 mlp_64_int8 forest_small linear \
	  --out $(DEMO)/models --reports $(DEMO)/reports
	$(PY) predictor.py $(DEMO)/dataset/synthetic/f1/f1_chairs_*.wav $(DEMO)/models/model.joblib
	@if command -v cc >/dev/null; then set -ex; \
	  $(PY) -m codegen $(DEMO)/models/model.joblib --out $(DEMO)/EmotionRecognition \
	    --features $(DEMO)/dataset/features.csv --corpora $(DEMO)/dataset/synthetic; \
	  $(PY) predictor.py $(DEMO)/dataset/synthetic/f1/f1_chairs_*.wav $(DEMO)/EmotionRecognition; \
	else echo "No C compiler here, so the export to C is left out; on Debian or Ubuntu: sudo apt-get install gcc"; fi

test: $(READY)
	$(PY) -m pytest

bench: $(READY)
	$(PY) -m features.benchmark

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

# The stamp is written last: an interrupted installation is taken up again.
$(READY): requirements.txt constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "error: no Python 3.11 to 3.13 with its venv module on the PATH;" \
	  "on Debian or Ubuntu: sudo apt-get install python3-venv; or say: make PYTHON=/path/to/python3.12"; exit 2; }
	@"$(PYTHON)" -c '$(PYTHON_FITS)' || { echo "error: '$(PYTHON)' is not a Python 3.11 to 3.13 with its venv" \
	  "module; say: make PYTHON=/path/to/python3.12"; exit 2; }
	"$(PYTHON)" -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(READY)

clean:
	rm -rf $(VENV) $(DEMO)
