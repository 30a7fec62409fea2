"""Names that lead nowhere are refused with the one that was meant."""

import pytest

from optical.config.names import check_names, nearest
from optical.errors import ConfigError


def test_names_that_lead_nowhere_are_refused():
    check_names(["sw", "so"], "languages", {"sw", "so", "tl"}, "add a row")
    with pytest.raises(ConfigError) as caught:
        check_names(["sw", "xx"], "languages", {"sw", "so"}, "add a row")
    assert str(caught.value) == "unknown 'xx' [languages]. Hint: add a row; known are so, sw"
    assert nearest("optcal", ["mse", "optical"]) == "did you mean optical?"
