"""Words, the tokeniser and token files."""
