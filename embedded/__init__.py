"""The chip's extractor in C99 (`src/`), and `generate`, which writes the parts that the schema decides."""
