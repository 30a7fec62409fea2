"""Collections and training sets made from blocks as YAML has them."""

from optical.config.collections import read_collection
from optical.config.training_sets import read_training_set
from optical.corpora import readers


def prepare_collection(block, languages, folder, tokeniser=None):
    """Write a collection of the reader that its block names; return its counts."""
    return readers.prepare_collection(read_collection(block), languages, folder, tokeniser)


def prepare_training_set(block, folder):
    """Write a training set of the reader that its block names; return its counts."""
    return readers.prepare_training_set(read_training_set(block), folder)
