"""Two actors, two microphones: how one voice gets into both, whose voice it is, and clean voices."""
