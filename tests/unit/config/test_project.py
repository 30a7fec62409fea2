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
        (b"student: {steps: 7}\nteacher: {}\nstudent: {sides: [query]}\n", "'student' comes twice .* in line 3 again"),
        (b"bitext:\n  sw: []\n  so: []\n  sw: []\n", "'sw' comes twice in a block, in line 4"),
        (b"a: &a [*a, {b: 1, b: 2}]\n", "'b' comes twice"),
        (b"\xff\xfe", "not UTF-8"),
        (b'!!python/object/apply:os.system ["true"]\n', "not YAML"),
    ],
)
def test_what_is_no_config_is_refused(tmp_path, content, what):
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(OpticalError, match=what) as caught:
        read_config([tmp_path / "config.yaml"])
    assert "\n" not in str(caught.value) and "config.yaml" in str(caught.value)


def test_a_key_may_come_again_in_another_block_or_file(tmp_path):
    (tmp_path / "one.yaml").write_text("a: &a {x: 1}\nb: *a\nc: {<<: *a, x: 2}\n")
    (tmp_path / "two.yaml").write_text("a: {x: 3}\n")
    (tmp_path / "empty.yaml").touch()
    read = read_config([tmp_path / name for name in ("one.yaml", "two.yaml", "empty.yaml")])
    assert read == {"a": {"x": 3}, "b": {"x": 1}, "c": {"x": 2}}
