"""The JSON schema of a config file, by which editors complete and check keys.

It says less than the classes: a file may change single keys of another, so no key is required.
"""

import json

from optical.config.describe import NULL, Schema, described, every
from optical.config.experiment import Config


def schema_lines() -> list[str]:
    """Return the lines of the schema's file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False).split("\n")


def json_schema() -> Schema:
    """Return the schema of a config file, draft 2020-12."""
    schema = every(described(Config), _in_part)
    schema["properties"]["study"]["properties"]["variants"]["additionalProperties"] = {"$ref": "#"}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "made by `make docs` from workflow/scripts/optical/config; do not edit",
        "title": "configuration of an experiment",
    }
    return head | schema


def _in_part(part: Schema) -> Schema:
    """Return a schema that admits a part of a block, where it is a block's."""
    if part.get("type") != "object" or "properties" not in part:
        return part
    required, changes, keys = part.pop("required", []), part.pop("$changes", False), part["properties"]
    if changes:  # a default that an editor filled in would override the experiment's own value
        keys = {name: {word: key[word] for word in key if word != "default"} for name, key in keys.items()}
    for name in keys.keys() - required if "reader" in keys else ():  # null stands for the default there
        keys = keys | {name: {"anyOf": [keys[name], NULL], "description": keys[name]["description"]}}
    return part | {"properties": keys}
