"""Downloads: files, and models of the Hugging Face hub."""
