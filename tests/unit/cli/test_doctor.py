"""`optical doctor`: what a machine has and lacks."""

import json

from optical.cli import doctor


def test_doctor_says_one_line_each_and_succeeds_here(optical):
    code, output, _ = optical("doctor")
    subjects = [line.split()[1] for line in output.splitlines()]
    assert {
        "python",
        "packages",
        "torch",
        "cuda",
        "bf16",
        "memory",
        "disk",
        "snakemake",
        "slurm",
        "conda",
        "network",
    } <= set(subjects)
    assert code == int("BAD" in output)


def test_doctor_fails_where_something_needed_is_missing(optical, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda package: None if package == "bm25s" else "999")
    code, output, _ = optical("doctor")
    assert code == 1
    assert "bm25s is missing" in output and "pip install" in output
    assert "torch is 999, not ==2.13.0" in output


def test_a_package_that_a_check_needs_ends_this_check_alone(optical, monkeypatch):
    def lacking():
        raise ModuleNotFoundError("No module named 'loky'")
        yield

    monkeypatch.setattr(doctor, "CHECKS", (lacking, doctor.python))
    code, output, _ = optical("doctor")
    assert code == 1 and "No module named 'loky'" in output and "python" in output


def test_doctor_knows_a_mirror(optical, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "CHECKS", (doctor.network,))
    monkeypatch.setenv("OPTICAL_MIRROR", str(tmp_path))
    assert optical("doctor")[0] == 0
    monkeypatch.setenv("OPTICAL_MIRROR", str(tmp_path / "gone"))
    code, output, _ = optical("doctor", "--json")
    assert code == 1 and json.loads(output)["state"] == "BAD"


def test_a_container_has_the_memory_of_its_limit(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("1000\n")
    assert doctor.memory_bytes((str(limit),)) == 1000
    limit.write_text("max\n")
    assert doctor.memory_bytes((str(limit), str(tmp_path / "none"))) > 1000
