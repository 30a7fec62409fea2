"""Upload a folder to a new model repository of the Hugging Face hub."""

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from optical.errors import ConfigError, DataError, ResourceError
from optical.fetch.hub import allow_network
from optical.seals import LIST

MADE_BY_THE_HUB = {".gitattributes"}
WRITE_TOKEN = "create a token with write access at https://huggingface.co/settings/tokens and set HF_TOKEN"


def check_push(repository: str) -> None:
    """Refuse a push that cannot work, without asking the hub.

    Args:
        repository: `owner/name`.

    Raises:
        ConfigError: the name is not of this form.
        ResourceError: neither HF_TOKEN nor a login gives a token.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repository, re.ASCII):
        raise ConfigError("not the name of a repository", where=repository, hint="write OWNER/NAME")
    if sys.stderr and sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "0")  # large models take minutes
    allow_network()
    from huggingface_hub import get_token

    if not get_token():
        raise ResourceError("no token for the hub", where=repository, hint=WRITE_TOKEN)


def push_folder(folder: str | Path, repository: str, public: bool = False) -> str:
    """Create a model repository, upload a folder into it in one commit, and return its address.

    An empty repository is used as it is, so that a push that broke off can be repeated.

    Args:
        folder: what is uploaded.
        repository: `owner/name`; the environment variable HF_ENDPOINT names another server.
        public: whether everyone can read it; otherwise only its owner can.

    Raises:
        DataError: there is such a repository, with files or with another visibility.
        ResourceError: the hub refuses the token, or does not answer.
    """
    allow_network()
    from huggingface_hub import HfApi, errors

    client = HfApi()
    try:
        address = _create(client, repository, public)
        client.upload_folder(
            repo_id=repository,
            folder_path=folder,
            ignore_patterns=[f"*{LIST}"],
            commit_message="Upload models and card",
        )
        return address
    except DataError:
        raise
    except errors.HfHubHTTPError as error:
        if error.response.status_code == 401:
            raise ResourceError("the hub does not accept the token", repository, WRITE_TOKEN) from error
        if error.response.status_code == 403:
            raise ResourceError("the token cannot write to this owner", repository, WRITE_TOKEN) from error
        raise _broken_off(error, folder, repository, public) from error
    except Exception as error:  # of whatever HTTP library the client has
        raise _broken_off(error, folder, repository, public) from error


def _create(client: Any, repository: str, public: bool) -> str:
    """Create the repository, or take an empty one of the same visibility; return its address."""
    from huggingface_hub import errors

    try:
        return str(client.create_repo(repository, private=not public))
    except errors.HfHubHTTPError as error:
        if error.response.status_code != 409:
            raise
        there = client.model_info(repository)
        hint = "choose another name, or delete the repository on the hub"
        if {file.rfilename for file in there.siblings or ()} - MADE_BY_THE_HUB:
            raise DataError("this repository already has files", where=repository, hint=hint) from error
        if there.private == public:
            what = f"this repository is already there, and {'private' if there.private else 'public'}"
            raise DataError(what, where=repository, hint=hint) from error
        return f"{client.endpoint}/{repository}"


def _broken_off(error: Exception, folder: str | Path, repository: str, public: bool) -> ResourceError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    again = shlex.join(["hf", "upload", repository, str(folder), *([] if public else ["--private"])])
    return ResourceError(f"cannot push: {reason}", repository, f"check the network, then try again: {again}")
