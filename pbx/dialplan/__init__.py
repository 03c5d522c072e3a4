"""The dialplan in force: checked beside the server, swapped under live calls, kept in versions."""
