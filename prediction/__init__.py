"""From clips and a model to emotions: what predictor.py prints and draws."""
