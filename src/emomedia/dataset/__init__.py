"""The finished dataset: the audit of each session's clips, the index over all, and their verification."""
