"""What is said, and when: Whisper on CTranslate2 over each actor's own speech."""
