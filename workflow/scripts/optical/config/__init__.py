"""What an experiment may say: tables, checks, and the documentation of the keys."""
