"""A file that is no config is refused in one line, whatever it holds."""

import pytest

from optical.config.project import read_config
from optical.errors import OpticalError


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a: [1", "not YAML in line 1"),
        (b"search: {top_k: " + b"9" * 5000 + b"}", "not a config"),
        (b"a: " + b"[" * 5000 + b"]" * 5000, "not a config"),
        (b"- a\n", "no keys"),
        (b"\xff\xfe", "not UTF-8"),
        (b'!!python/object/apply:os.system ["true"]\n', "not YAML"),
    ],
)
def test_what_is_no_config_is_refused(tmp_path, content, what):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(OpticalError, match=what) as caught:
        read_config([tmp_path / "config.yaml"])
    assert "\n" not in str(caught.value) and "config.yaml" in str(caught.value)
