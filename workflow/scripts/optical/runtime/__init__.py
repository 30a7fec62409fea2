"""The machine: devices, threads, precision, start-up, progress, provenance."""
