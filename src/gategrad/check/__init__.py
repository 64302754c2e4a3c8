"""Checks: whether gradients are right."""
