"""What a model is: estimators the chip can repeat, the model file, the compiled library, answers to clips."""
