"""The baseline of neural machine translation."""
