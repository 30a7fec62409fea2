"""Helpers of the rules that train: where models and bitext lie, and what decides them."""

CODE_KEYS = ("source_code", "target_code")
# Of `translator`, what is no matter of its training.
TRANSLATION_KEYS = ("source", "revision", "warm_start", "beams", *CODE_KEYS)

BITEXT_EN = ("bitext", "en")  # sentence pairs as text: those of each language bring the English side

# --- bitext


@in_one_line
def bitext_sources(lang):
    """Return the bitext sources of a language, files resolved."""
    sources = config["bitext"].get(lang, config["bitext"].get("*", []))
    sources = [resolve_source(source, LANGUAGES[lang], DATASETS, "results/data") for source in sources]
    for source in sources:
        for path in source_files(source):
            check_file(path, ATLAS_FILES)
    return sources


def bitext_files(wildcards):
    """Return the files that a language's bitext is made from."""
    return flatten_values([source_files(source) for source in bitext_sources(wildcards.lang)])


def bitext_sources_argument(wildcards):
    """Return the sources of a language as a program takes them."""
    return as_argument(bitext_sources(wildcards.lang))


def bitext_cleaning():
    """Return what decides which pairs are kept."""
    return {key: value for key, value in config["bitext_cleaning"].items() if key != "exclude"}


def language_rows(wildcards):
    """Return the codes and scripts of a bitext's languages, so that a change of them cleans it again, and no other."""
    beside = [source["english_side"] for source in bitext_sources(wildcards.lang) if "english_side" in source]
    return as_argument({lang: LANGUAGES[lang] for lang in [wildcards.lang, *beside] if lang in LANGUAGES})


def excluded_files(wildcards):
    """Return the files of evaluation texts that no training pair may contain."""
    return flatten_values([resolved(item, [wildcards.lang]) for item in config["bitext_cleaning"]["exclude"]])


def excluded_collections(wildcards):
    """Return the collections whose queries no training pair may contain.

    One that is cut by a tokeniser which is trained here may itself wait for sentence pairs.
    """
    collections = [name for name in config["collections"] if wildcards.lang in languages_of(name)]
    first = [name for name in collections if not (splitting_by_tokens(name) and tokeniser() == "<results>/tokeniser")]
    return [f"<results>/collections/{name}" for name in first]


# --- models


def tokeniser():
    """Return the folder that holds tokenizer.json: trained, or the given teacher's or encoder's own."""
    return given_teacher() or model_folder("encoder", "<results>/tokeniser")


def encoder():
    """Return the folder of the encoder that the teacher starts from: pre-trained here, or given; or a given teacher."""
    return given_teacher() or model_folder("encoder", "<results>/encoder")


def given_teacher():
    """Return the folder of a teacher that is not trained here, or nothing."""
    return model_folder("teacher", "")


def teacher():
    """Return the folder of the teacher: trained here, or given."""
    return model_folder("teacher", "<results>/teacher")


def translator(wildcards):
    """Return the folder of a language's translator: trained on its bitext, or given."""
    return model_folder("translator", f"<results>/translators/{wildcards.lang}", wildcards.lang)


def pretraining_texts():
    """Return the text files of all languages that the encoder is pre-trained on."""
    return flatten_values([pretraining_text(lang) for lang in ["en", *config["languages"]]])


def pretraining_text(lang):
    """Return the text files of a language; its clean sentence pairs where the bundled text does not have it."""
    texts = config["pretraining"]["text"]
    return [
        one_text(text, lang) for text in ([texts] if isinstance(texts, str) else texts) if (text, lang) != BITEXT_EN
    ]


def one_text(text, lang):
    """Return a text file of a language: a file, or its clean sentence pairs."""
    bundled = text.startswith("results/atlas/") and not file_exists(text, lang)
    return f"<results>/bitext/{lang}/train.tsv" if bundled or text == "bitext" else file_of(text, lang)


@in_one_line
def training_set_block(wildcards):
    """Return a training set, the teacher's or one of a method and language, files resolved, and those files."""
    block, key = given_training_set(wildcards.method)
    return resolved_block(with_codes(block, LANGUAGES[wildcards.lang]), key, TRAINING_READERS, [wildcards.lang])


def given_training_set(owner):
    """Return a training set, the teacher's or a method's, as the config has it, and the key that it has it under."""
    key = "teacher" if owner == "teacher" else f"method_table.{owner}"
    block = (config["teacher"] if owner == "teacher" else config["method_table"][owner])["training_set"]
    # Triples beside qrels, which stand in place of them, come from the default config.
    return {name: block[name] for name in block if name != "triples" or not block.get("qrels")}, f"{key}.training_set"


def with_codes(value, language):
    """Replace {lang} and tools' codes in every text of a block."""
    if isinstance(value, dict):
        return {key: with_codes(item, language) for key, item in value.items()}
    if isinstance(value, list):
        return [with_codes(item, language) for item in value]
    return fill_codes(value, language) if isinstance(value, str) else value


def training_set_files(wildcards):
    """Return the files that a training set is made from."""
    return training_set_block(wildcards)[1]


def training_set_settings(wildcards):
    """Return the block of a training set as a program takes it."""
    return as_argument(training_set_block(wildcards)[0])


def owners_of_training_sets():
    """Return those who have a training set of their own: the teacher, and methods that name one."""
    return ["teacher", *(method for method, block in config["method_table"].items() if "training_set" in block)]


def training_set_of(wildcards):
    """Return the tokenised training set of a retrained method: its own, or the teacher's."""
    own = wildcards.method in owners_of_training_sets()
    return f"<results>/tokens/training_sets/{f'{wildcards.method}/{wildcards.lang}' if own else 'teacher/en'}"


def switched_queries(wildcards):
    """Return the queries with swapped words, where a method trains on such."""
    switched = "switch" in config["method_table"][wildcards.method]
    return f"<results>/switched_queries/{wildcards.lang}/{wildcards.method}.tsv" if switched else []


def pretraining_reads_pairs():
    """Return whether some objective of pre-training reads sentence pairs."""
    return any(weight for name, weight in config["pretraining"]["objectives"].items() if name != "mlm")


def pretraining_reads_bitext(lang):
    """Return whether the encoder is trained here on a language's sentence pairs, or on a side of them."""
    side = f"<results>/bitext/{lang}/train.tsv" in pretraining_text(lang)
    return encoder() == "<results>/encoder" and (side or pretraining_reads_pairs() and bool(bitext_sources(lang)))


def unused_in_pretraining():
    """Return the modules that only objectives over sentence pairs need, where there are none of these."""
    return [] if pretraining_reads_pairs() else ["training.encoder_pairs"]


def pretraining_bitext():
    """Return the tokenised sentence pairs of all languages that have some, where pre-training reads such."""
    langs = config["languages"] if pretraining_reads_pairs() else []
    return [f"<results>/tokens/bitext/{lang}" for lang in langs if bitext_sources(lang)]


def switch_settings(wildcards):
    """Return how a method swaps words of the training queries."""
    return as_argument(config["method_table"][wildcards.method]["switch"])


def pretraining_settings():
    """Return what decides the pre-trained encoder; of pairs and transport only what its objectives use."""
    weights = config["pretraining"]["objectives"]
    unused = ("text",) if pretraining_reads_pairs() else ("text", "pairs_batch_size", "pairs_exponent")
    keys = {key: value for key, value in config["pretraining"].items() if key not in unused}
    transport = {"transport": config["transport"]} if weights["optimal_transport"] else {}
    return as_argument(
        keys
        | transport
        | {
            "architecture": config["encoder"]["architecture"],
            "encoder": encoder_settings(),
        }
    )


@in_one_line
def teacher_settings():
    """Return what decides the teacher; refuse a distillation of scores that nobody names."""
    scored = "scores" in own_keys(*given_training_set("teacher"), TRAINING_READERS)
    if config["teacher"]["distillation"] and not scored:
        hint = "name a file of scores there, or set teacher.distillation: 0"
        raise ConfigError("no scores to learn from", where="teacher.training_set.scores", hint=hint)
    keys = {key: value for key, value in config["teacher"].items() if key not in ("source", "revision", "training_set")}
    return as_argument(keys | {"encoder": encoder_settings()})


def encoder_settings():
    """Return how texts become vectors."""
    return {key: value for key, value in config["encoder"].items() if key not in ("source", "revision", "architecture")}


def student_settings(wildcards):
    """Return what decides a student: the common settings, then what its method changes; of transport only what is used.

    So a change of `transport` trains those students again that know of it.
    """
    method = config["method_table"][wildcards.method]
    objectives = method["objectives"]
    weighted = [value for value in objectives.values() if isinstance(value, dict) and value.get("token_weights")]
    changes = {"objectives": objectives, "seed": int(wildcards.seed)}
    if "optimal_transport" in objectives or weighted:
        changes["transport"] = config["transport"] | method.get("transport", {})
    return as_argument(config["student"] | method.get("student", {}) | changes)


def taught_sides():
    """Return the sides of the encoder that some student is taught: the common ones, and those that methods add."""
    blocks = [config["method_table"][name].get("student", {}) for name in config["methods"]]
    asked = {side for block in [config["student"], *blocks] for side in block.get("sides", [])}
    return sorted(asked, key=("query", "document").index)


def cached(vectors):
    """Return the folder of the teacher's vectors that students share; nothing where the encoder is trained here.

    That one is small: to encode a bitext with it takes a student less time than one more job takes to start.
    """
    small = config["encoder"]["source"] == "train" and not given_teacher()
    return [] if small else vectors


def extended(folder):
    """Return the folder of the model with word pieces of a language, which its students start from.

    Nothing where the vocabulary stays the encoder's: they start from the teacher.
    """
    return folder if config["vocabulary"]["pieces"] else []


def student_tokens():
    """Return the tokenised sentence pairs of a language as its students read them."""
    return f"<results>/tokens/{'extended' if config['vocabulary']['pieces'] else 'bitext'}/{{lang}}"


def student_tokeniser():
    """Return the folder that holds tokenizer.json as the students of a language read it; its translator does, too."""
    return extended("<results>/extended/{lang}") or tokeniser()


def translator_start():
    """Return the folder of the BERT that a translator starts from: with the word pieces of its language, if any."""
    return (extended("<results>/extended/{lang}") or encoder()) if config["translator"]["warm_start"] else []


def vocabulary_settings():
    """Return what decides the word pieces of a language."""
    return as_argument({"pieces": config["vocabulary"]["pieces"], "alignment": config["word_alignment"]})


def translator_settings():
    """Return what decides a translator that is trained here."""
    training = {key: value for key, value in config["translator"].items() if key not in TRANSLATION_KEYS}
    return as_argument(training | {"alignment": config["word_alignment"]})


def translator_code(key):
    """Return a function that gives a language's code, or English's, as the translator calls it; "" for none."""

    def code(wildcards):
        return fill_codes(config["translator"][key], LANGUAGES[wildcards.lang])

    return code


def retraining_settings(wildcards):
    """Return what decides a retrained student: as many steps as a distilled one, and the teacher's ranking loss.

    Its queries meet all documents of the batch, as not every training set has negatives of its own.
    """
    training = {key: value for key, value in config["student"].items() if key != "special_tokens"}
    ranking = {"in_batch_negatives": True, "negatives": config["teacher"]["negatives"]}
    changes = config["method_table"][wildcards.method].get("student", {})
    return as_argument(training | changes | ranking | {"seed": int(wildcards.seed)})


def query_encoder(lang, method, seed):
    """Return the folder of the model that reads the queries of a run."""
    if kind_of(method) in TRAINED_KINDS:
        return f"<results>/students/{lang}/{method}/{seed}"
    return f"<results>/extended/{lang}" if kind_of(method) == "extended" else teacher()
