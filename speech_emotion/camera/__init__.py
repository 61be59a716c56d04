"""From a camera or a video to emotions of faces, at a steady rate. Pictures are looked at and forgotten."""
