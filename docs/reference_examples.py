"""Show the examples in docstrings as code: mkdocstrings takes `>>>` for a quotation outside a section of examples."""

import re

from griffe import Extension, Object

EXAMPLE = re.compile(r"^>>> .*\n?(?:^(?!\s*$).*\n?)*", re.MULTILINE)  # up to the next empty line


class Examples(Extension):
    """Puts each example into a fence before the docstring is parsed."""

    def on_object(self, *, obj: Object, **kwargs: object) -> None:
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(lambda found: f"```\n{found[0].rstrip()}\n```\n", obj.docstring.value)
