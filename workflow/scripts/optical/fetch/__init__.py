"""Downloads of files and models, and uploads of models to the Hugging Face hub."""
