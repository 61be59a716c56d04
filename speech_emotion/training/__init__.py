"""From features.csv to a model that is scored honestly and can be flashed as it is."""
