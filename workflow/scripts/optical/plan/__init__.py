"""What an experiment consists of: methods, languages, files, settings, searches, resources. It knows no Snakemake."""
