"""What a generated library takes on the chip: time, memory, energy; on emulated chips, or on a board."""
