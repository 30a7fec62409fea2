"""The page and the JSON API of `optical serve`."""
