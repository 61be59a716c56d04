"""What a generated library takes on the chip: time, memory, energy; counted on emulated chips, or on a board."""
