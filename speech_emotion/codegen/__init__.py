"""From a trained model to a verified C library: `python -m codegen model.joblib`."""
