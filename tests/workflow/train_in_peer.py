"""Run by test_docs_trainers in an environment with a peer: train as a page says.

Arguments: [code, ...], of which the last trains. Prints the loss of all pairs before the training.
"""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))
    ((*blocks, last),) = map(json.loads, sys.argv[1:])
    made, trained = last.split("trainer.train()\n")
    names = {}
    for block in (*blocks, made):
        exec(block, names)
    trainer = names["trainer"]
    features, _ = trainer.collect_features(trainer.data_collator(list(names["pairs"])))
    loss = trainer.loss(features).item()
    exec(f"trainer.train()\n{trained}", names)
    print(json.dumps(loss))
