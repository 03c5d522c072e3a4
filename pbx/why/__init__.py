"""Why: what led to the fate of a call, or to an agent's share of calls, told from stored events."""
