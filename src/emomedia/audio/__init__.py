"""Sound: decoding tracks, bringing them onto the session clock, cutting them by sample, writing FLAC."""
