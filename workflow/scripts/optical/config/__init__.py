"""What an experiment may say: one class for each block of the config, and the tables that it names."""
