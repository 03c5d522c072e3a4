"""Recordings as the office keeps them: the index in the database and the files in var/recordings.

Each file has a row and each row says what became of its file; who fetched the sound is noted. What
makes recordings is `pbx.call.recording`, what writes them `pbx.media`.
"""
