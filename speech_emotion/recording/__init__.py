"""Recording one's own clips: from a board's microphone over USB, or from the computer's."""
