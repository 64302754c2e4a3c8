"""Distributions: log densities, distributions and quantiles, differentiable in every real parameter."""
