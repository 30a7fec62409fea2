"""The bundled collection, generated from facts."""
