"""What callers are told: values as words in three languages, and built-in phrases."""
