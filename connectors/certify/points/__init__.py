"""The points of the certification, one module each; a point is named after its module."""
