"""What jobs ask for: more with each attempt, by the size of their input, and a device where a model runs."""

from types import SimpleNamespace

import pytest

from optical.config.experiment import Machine
from optical.plan.resources import NEEDS, Need, input_mb, megabytes, megabytes_within, memory_mb, minutes, of_machine
from support.workspace import rules

PLAIN = Need(100, 10, 60)
TRAINING = Need(2500, 2, 720, model=True, training=True)


def test_a_further_attempt_asks_for_twice_and_four_times_the_memory():
    assert [memory_mb(PLAIN, 5, attempt) for attempt in (1, 2, 3, 4, 9)] == [150, 300, 600, 600, 600]
    limited = Need(100, 10, 60, most_mb=120)
    assert [memory_mb(limited, 5, attempt) for attempt in (1, 2, 3, 4)] == [120, 240, 480, 480]


def test_a_part_reads_its_share_of_the_input_and_what_a_search_holds_is_added():
    assert memory_mb(PLAIN, 40, 1) == 500
    assert memory_mb(PLAIN, 40, 1, parts=4) == 200
    assert memory_mb(PLAIN, 40, 1, more_mb=1000) == 1500


def test_a_further_attempt_asks_for_more_time_unless_it_goes_on_with_a_training():
    assert [minutes(PLAIN, attempt) for attempt in (1, 2, 3, 4)] == [60, 120, 180, 180]
    assert [minutes(TRAINING, attempt) for attempt in (1, 2, 3)] == [720] * 3
    assert minutes(PLAIN, 1, parts=3) == 30 + 60 // 3


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "weights").write_bytes(bytes(3_000_000))
    (tmp_path / "below/more").write_bytes(bytes(1_000_000))
    assert megabytes_within(str(tmp_path)) == 4
    assert megabytes_within(str(tmp_path / "weights")) == 0
    assert megabytes_within(str(tmp_path / "nowhere")) == 0
    assert megabytes(str(tmp_path)) == 4 and megabytes(str(tmp_path / "weights")) == 3
    with pytest.raises(FileNotFoundError):
        megabytes(str(tmp_path / "nowhere"))


def test_a_search_counts_its_largest_model_and_no_vectors(tmp_path):
    for name, size in (("small", 1), ("large", 3), ("vectors", 50)):
        (tmp_path / name).write_bytes(bytes(size * 1_000_000))
    files = SimpleNamespace(
        encoders=[str(tmp_path / "small"), str(tmp_path / "large")], shards=[str(tmp_path / "vectors")]
    )
    search = NEEDS["search_collection"]
    assert input_mb(search, files) == 3
    assert input_mb(search, SimpleNamespace(encoders=[])) == 0
    assert memory_mb(search, 500, 1, more_mb=1000) == memory_mb(search, 500, 1, more_mb=1000, parts=4) == 4500
    assert input_mb(PLAIN, [*files.encoders, *files.shards]) == 54


def test_only_models_ask_for_a_device_and_only_trainings_for_several():
    machine = Machine(gpus=4, device="cuda", precision="bf16", checkpoint_steps=500, stop_before_runtime=True)
    assert of_machine(PLAIN, machine) == {}
    model = of_machine(Need(1, 1, 1, model=True), machine)
    assert model == {"device": "cuda", "precision": "bf16", "gpu": 1}
    training = of_machine(TRAINING, machine)
    assert (training["gpu"], training["checkpoint_steps"], training["stop_before_runtime"]) == (4, 500, 1)
    assert training["launcher"] == "python -m torch.distributed.run --standalone --nproc-per-node 4 --"
    assert of_machine(TRAINING, Machine())["launcher"] == "python"
    assert of_machine(TRAINING, Machine())["gpu"] == 0


@pytest.mark.parametrize("name", NEEDS)
def test_what_a_rule_needs_is_said_of_a_rule(name):
    assert name in rules()
    assert NEEDS[name].model or not NEEDS[name].training
