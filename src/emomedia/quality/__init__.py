"""The quality stage: what is measured of each clip, and whether it is kept (docs/quality.md)."""
