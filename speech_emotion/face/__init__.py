"""From a picture of a face to an emotion: folders of pictures, features in integers, a small network.

`python -m face train FOLDER`; what it was measured on: docs/face.md.
"""
