"""Speech recognition, with word times: Whisper on CTranslate2 over each actor's own speech."""
