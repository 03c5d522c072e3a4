"""Keys in every form: telephone-events, tones, codes; and who talks."""
