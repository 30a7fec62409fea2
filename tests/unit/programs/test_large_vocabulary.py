"""What programs make of a large vocabulary: a whole teacher, students that store what changed, runs of both."""

import json
import shutil

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from optical.config.encoder import EncoderSettings
from optical.corpora.files import read_queries
from optical.files import read_json, write_jsonl, write_rows
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.folders import load_encoder
from optical.runtime.limits import LARGE
from optical.search.encoding import encode_documents
from optical.search.runs import read_run
from optical.text.token_files import write_token_file
from optical.text.tokeniser import SPECIAL_TOKENS, save_tokeniser
from support.programs import Run, server
from support.tiny_models import TEXTS

WORDS = sorted({word for text in TEXTS for word in text.split()})
SHAPE = {"dimension": 8, "query_length": 12, "document_length": 20}
COMMON = {"steps": 3, "batch_size": 2, "learning_rate": 1e-3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a teacher of a large vocabulary, sentence pairs and a training set."""
    folder = tmp_path_factory.mktemp("large")
    words = [*SPECIAL_TOKENS, *WORDS, *(f"unused{number}" for number in range(LARGE))]
    tokeniser = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokeniser.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    (folder / "teacher").mkdir()
    save_tokeniser(tokeniser, folder / "teacher", longest=64)
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    transformer = BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=64, **sizes), False)
    Encoder(transformer, folder / "teacher", EncoderSettings(**SHAPE)).save(folder / "teacher")
    for side in ("english", "foreign"):
        write_token_file(folder / "tokens" / side, folder / "teacher", TEXTS)
    write_jsonl(folder / "set/documents.jsonl", [{"id": f"d{row}", "text": text} for row, text in enumerate(TEXTS)])
    write_rows(folder / "set/queries.tsv", [(f"q{row}", text) for row, text in enumerate(TEXTS)])
    write_rows(folder / "set/triples.tsv", [(f"q{row}", f"d{row}", f"d{(row + 2) % 5}") for row in range(5)])
    run(folder, "tokenise_training_set", tokeniser="teacher", training_set="set", out="triples")
    return folder


def run(folder, program, settings=None, **arguments):
    """Run a program on files of the folder; return what it printed."""
    given = {} if settings is None else {"settings": json.dumps(COMMON | settings)}
    given |= {option: folder / name for option, name in arguments.items()}
    job = Run(server(), program, folder / f"{program}.out", **given)
    assert job.wait() == 0, job.output.read_text()
    return job.output.read_text()


def test_a_teacher_is_whole_and_no_row_but_those_in_use_moved(folder):
    settings = {"in_batch_negatives": True, "negatives": 1, "encoder": SHAPE}
    log = run(folder, "train_teacher", settings, encoder="teacher", training_set="triples", out="trained")
    assert f"of {LARGE + len(SPECIAL_TOKENS) + len(WORDS)} subwords occur in the texts" in log
    assert (folder / "trained/model.safetensors").is_file() and not (folder / "trained/base.json").exists()
    before, after = (load_encoder(folder / name).transformer.get_input_embeddings() for name in ("teacher", "trained"))
    assert before.weight.shape == after.weight.shape
    moved = (before.weight != after.weight).any(1).nonzero()[:, 0].tolist()
    assert set(moved) > set(range(len(SPECIAL_TOKENS), len(SPECIAL_TOKENS) + len(WORDS)))
    assert max(moved) < len(SPECIAL_TOKENS) + len(WORDS)


@pytest.mark.parametrize("program", ["distil_student", "retrain_student"])
def test_a_student_stores_what_changed_and_is_searched_with(folder, program):
    settings = {"objectives": {"sentence_mse": 1.0}} if program == "distil_student" else {"negatives": 1}
    inputs = {"tokens": "tokens"} if program == "distil_student" else {"training_set": "triples"}
    run(folder, program, settings, teacher="teacher", out=f"students/{program}", **inputs)
    student = folder / "students" / program
    assert read_json(student / "base.json")["path"] == "../../teacher"
    sizes = [sum(file.stat().st_size for file in place.rglob("*")) for place in (student, folder / "teacher")]
    assert sizes[0] < 0.1 * sizes[1]
    vectors = folder / "vectors" / program
    encode_documents(load_encoder(student), [{"id": "d", "text": TEXTS[0]}], DOCUMENT, vectors)
    job = {"encoder": student, "queries": folder / "set/queries.tsv", "out": folder / program, "tag": "x"}
    jobs = json.dumps([{name: str(value) for name, value in job.items()}])
    moved = (folder / "teacher").rename(folder / "moved")
    search = Run(server(), "search_collection", folder / "out", jobs=jobs, shards=vectors, base=moved)
    status = search.wait()
    moved.rename(folder / "teacher")
    assert status == 0, search.output.read_text()
    assert len(list(read_run(folder / program))) == len(list(read_queries(folder / "set/queries.tsv")))


def test_a_student_with_further_subwords_changes_what_it_started_from(folder):
    shutil.copytree(folder / "teacher", folder / "extended")
    inputs = {"teacher": "teacher", "start": "extended", "tokens": "tokens"}
    run(folder, "distil_student", {"objectives": {"sentence_mse": 1.0}}, **inputs, out="from_extended")
    assert read_json(folder / "from_extended/base.json")["path"] == "../extended"
