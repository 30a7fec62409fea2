"""What an experiment consists of: methods, languages, files, settings, searches and resources. It knows no Snakemake."""
