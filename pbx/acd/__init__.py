"""Queues of callers: what waits for agents, and what callers live through meanwhile."""
