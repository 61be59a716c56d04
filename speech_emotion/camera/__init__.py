"""From a camera or a video to emotions of faces, at a steady rate. Pictures are looked at and forgotten."""

CAMERAS = "/dev/video"
"""How a camera's name begins; all else is a file."""
