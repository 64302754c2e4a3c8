"""Scheduling: which values are computed together in one pass over memory, and which buffers hold the rest."""
