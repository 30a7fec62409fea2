"""Optimal transport, late interaction, and the losses made of them."""
