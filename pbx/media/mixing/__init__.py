"""The matrix: legs and bridges, voices and ears, and the tick that joins them."""
