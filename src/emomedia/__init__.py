"""emomedia: raw footage of two people talking, turned into a dataset."""

__version__ = "0.1.0"
