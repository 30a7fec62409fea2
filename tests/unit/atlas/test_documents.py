"""Documents are confusable, and relevance is what the facts say."""

import random

import pytest

from optical.atlas.documents import MOST_RELEVANT, Collection, ask, document_plans, key_of, sayable, write_document
from optical.atlas.facts import LANGUAGES, all_facts, fact, name_in


@pytest.fixture(scope="module")
def collection():
    plans = document_plans(random.Random(7))
    return Collection({f"d{number}": plan for number, plan in enumerate(plans)})


def test_documents_are_many_and_confusable(collection):
    assert len(collection.plans) >= 1500
    assert all(2 <= len(plan) <= 4 for plan in collection.plans.values())
    assert len(collection.naming["T", "KE"]) >= 5
    states_currency = collection.relevant[key_of(fact("currency", T="KE", C="KES"), ["T"])]
    assert 0 < len(states_currency) < len(collection.naming["T", "KE"])


def test_relevance_is_what_the_facts_say(collection):
    key = ("currency", (("C", "XAF"),))
    stating = {
        name
        for name, plan in collection.plans.items()
        if any(item.kind in ("currency", "since") and item.value("C") == "XAF" for item in plan)
    }
    assert stating and set(collection.relevant[key]) == stating


def test_a_denied_fact_is_not_relevant(collection):
    facts = set(all_facts())
    denials = [item for plan in collection.plans.values() for item in plan if item.kind == "refused"]
    assert denials
    for item in denials:
        assert fact("currency", T=item.value("T"), C=item.value("C")) not in facts


def test_documents_name_what_they_are_about(collection):
    rng = random.Random(1)
    for plan in list(collection.plans.values())[:300]:
        text = write_document(rng, plan, "en")
        assert text.count(".") >= len(plan)
        for item in plan:
            for slot, code in item.slots:
                numbers_left_out = item.kind == "speaks" and slot == "P"
                assert numbers_left_out or name_in("en", slot, code).casefold() in text.casefold()


def test_translated_documents_leave_out_what_has_no_name(collection):
    plan = [fact("currency", T="KE", C="KES"), fact("city", T="KE", N="Africa/Nairobi")]
    assert sayable(plan, "sw") == plan[:1] and sayable(plan, "so") == plan


def test_hard_negatives_are_wrong_and_close(collection):
    key = ("speaks", (("T", "KE"), ("L", "sw")))
    negatives = collection.hard_negatives(random.Random(2), key, 6)
    assert len(set(negatives)) == 6 and not set(negatives) & set(collection.relevant[key])
    about = set(collection.naming["T", "KE"]) | set(collection.naming["L", "sw"])
    assert sum(name in about for name in negatives) >= 3


def test_questions_of_parts_never_meet(collection):
    taken = set()
    test = ask(random.Random(1), collection, "test", 100, 1.0, taken, LANGUAGES)
    train = ask(random.Random(1), collection, "training", 2000, 0.0, taken, ["en"])
    assert len(test) == 100 and len(train) > 1000
    assert not {key for key, _ in test} & {key for key, _ in train}
    assert len(taken) == len(test) + len(train)
    for key, texts in test:
        assert 1 <= len(collection.relevant[key]) <= MOST_RELEVANT and set(texts) == set(LANGUAGES)
