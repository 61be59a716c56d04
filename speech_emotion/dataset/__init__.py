"""Clips to tables: copies that sound like the world, the journal of long work, clips.csv and features.csv."""
