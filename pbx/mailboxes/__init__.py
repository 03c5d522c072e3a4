"""Mailboxes as the office keeps them: messages, greetings and PINs, on disk and in the database.

What a caller lives through is `pbx.voicemail`; it knows this room by Protocols only.
"""
