"""What tests need and no product code may: virtual time, an in-memory network, tones, real phones.

Typed and documented like product code, because every test stands on it.
"""
