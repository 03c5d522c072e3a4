"""Recordings: from the tick to the writer's thread, the file formats, mending after a crash."""
