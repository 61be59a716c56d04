# make demo   the whole way on synthetic speech, from a fresh machine
# make test   the tests, from a fresh machine
# make bench  speeds, as ratios taken in one run
# make lint   ruff

# the first Python that is new enough; or say make PYTHON=/path/to/python
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(shell command -v $(p))))
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
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "error: Python 3.11 to 3.13 is needed, '$(PYTHON)' is not one; say: make PYTHON=/path/to/python3.12"; exit 2; }
	@"$(PYTHON)" -m venv $(VENV) || \
	  { echo "error: no venv module; on Debian or Ubuntu: sudo apt-get install python3-venv"; exit 2; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $(READY)

clean:
	rm -rf $(VENV) $(DEMO)
